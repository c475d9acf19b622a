"""Pages: made of templates, guarded by scopes, and with words for what is refused."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from app.console import session
from app.console.formats import FILTERS
from app.framework.administration.policies import CONSOLE_READ
from app.framework.http.answers import set_audited
from app.framework.http.principals import (
    context_of,
    principal_of,
    require,
    unidentified,
)
from app.framework.http.problems.kinds import ErrorMappings
from app.framework.mediator import HandlerMissing, Mediator, Message
from app.framework.mediator.mediator import ResultT
from app.framework.observability.outages import note_outage
from app.framework.principal import ANONYMOUS, Principal, PrincipalKind
from app.framework.request import IdempotencyKey
from app.framework.security import Forbidden, Policies
from app.framework.storage import StorageUnavailable

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie",
}

ASSETS = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""The files of the pages, all of them our own."""

Handler = Callable[..., Awaitable[Response]]

_CROSS_SITE = ("cross-site", "same-site")


class Pages:
    """Makes pages, and sends the messages of their readers."""

    def __init__(
        self,
        mediator: Mediator,
        policies: Policies,
        mappings: ErrorMappings,
        *,
        name: str,
        version: str,
    ) -> None:
        self._mediator = mediator
        self._policies = policies
        self._mappings = mappings
        self._templates = Environment(
            loader=PackageLoader("app.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.assets = {each: _read(each) for each in ASSETS}
        digest = sha256(b"".join(self.assets.values())).hexdigest()[:16]
        self.assets_path = f"/static/{digest}"
        self._templates.filters.update(FILTERS)
        self._templates.globals.update(service=name, version=version)

    async def send(
        self, request: Request, message: Message[ResultT], key: IdempotencyKey | None = None
    ) -> ResultT:
        """What a message of the reader of a page is answered.

        Raises:
            Forbidden: the reader may not send it.
            And what its handler raises.

        """
        if self._policies[type(message)].is_audited:
            set_audited(request.scope)
        context = context_of(request.scope, idempotency_key=key)
        return await self._mediator.send(message, context)

    def may(self, request: Request, kind: type[Message[Any]]) -> bool:
        """Whether the reader of a page may send messages of this kind."""
        return self._policies[kind].scope in principal_of(request.scope).scopes

    def page(
        self, request: Request, template: str, status: int = 200, **values: object
    ) -> Response:
        """A page."""
        form_token, cookie = session.prepare_form(request)
        base = session.base_of(request)
        text = self.render(
            f"{template}.html",
            base=base,
            assets=f"{base}{self.assets_path}",
            form_token=form_token,
            reader=_reader(principal_of(request.scope)),
            path=request.url.path,
            **{"back": None, **values},
        )
        response = HTMLResponse(text, status, HEADERS)
        if cookie is not None:
            session.set_form_cookie(request, response, cookie)
        return response

    def render(self, template: str, **values: object) -> str:
        """The text of a template."""
        return self._templates.get_template(template).render(values)

    def guarded(self, handler: Handler) -> Handler:
        """A handler whose refusals are pages, for those who may open the console."""

        @functools.wraps(handler)
        async def guarded(request: Request, **values: Any) -> Response:
            if principal_of(request.scope) is ANONYMOUS:
                return self._ask_to_sign_in(request)
            try:
                require(request.scope, CONSOLE_READ)
                return await handler(request, **values)
            except Exception as error:
                refusal = self.refusal(request, error)
                if refusal is None:
                    raise
                return refusal

        return guarded

    def refusal(
        self, request: Request, error: Exception, back: str | None = None
    ) -> Response | None:
        """The page that says why something is refused; None for an error of ours.

        `back` is the address of the page to go on from.
        """
        if isinstance(error, session.ForeignForm):
            return self.page(request, "refused", 403, title="Not sent by this page", why=str(error))
        if isinstance(error, HandlerMissing):
            why = "This process does not have the roles for it. Use the console of one that does."
            return self.page(request, "refused", 421, title="Another process knows", why=why)
        found = next((it for it in type(error).__mro__ if it in self._mappings), None)
        if found is None:
            return None
        if isinstance(error, StorageUnavailable):
            note_outage(error.storage, error)
        mapping = self._mappings[found]
        why = mapping.detail(error)
        if isinstance(error, StorageUnavailable) and request.method == "GET":
            why = f"{error.storage} cannot be reached. The overview shows when it is back."
        if isinstance(error, Forbidden):
            why = f"{error} Your token does not have it."
        problem = mapping.problem
        return self.page(
            request, "refused", problem.status, title=problem.title, why=why, back=back
        )

    def _ask_to_sign_in(self, request: Request) -> Response:
        site = request.headers.get("sec-fetch-site")
        if site in _CROSS_SITE and unidentified(request.scope) == "":
            # The cookie stays at home when a link on another site leads here, and comes with the
            # same request of a page of ours.
            return HTMLResponse(self.render("again.html"), headers=HEADERS)
        target = request.url.path.removeprefix(request.scope.get("root_path", ""))
        query = f"?{request.url.query}" if request.url.query else ""
        values = {"to": f"{target}{query}"} if request.method == "GET" else {}
        address = request.url.replace(path=f"{session.base_of(request)}/sign-in", query="")
        return session.see(_relative(str(address.include_query_params(**values))))


def _relative(address: str) -> str:
    """An address without its origin, which a proxy in front may have replaced."""
    return "/" + address.split("/", 3)[3]


def _reader(principal: Principal) -> Mapping[str, str] | None:
    if principal is ANONYMOUS:
        return None
    if principal.kind is PrincipalKind.ANYONE:
        return {"name": "anyone", "kind": "no authentication"}
    return {"name": principal.subject, "kind": principal.kind.value}


def _read(name: str) -> bytes:
    return files("app.console").joinpath("static", name).read_bytes()
