"""The pages to sign in and out."""

from fastapi import APIRouter, Request, Response

from app.console import session
from app.console.pages import Pages
from app.framework.http.principals import principal_of, unidentified
from app.framework.http.routes.docs_token import MakeToken, is_own_page
from app.framework.http.sessions import PREFIX
from app.framework.principal import ANONYMOUS

_TOO_LONG = (
    f"The token is longer than {session.TOKEN_LENGTH:,} characters, which browsers keep in no "
    "cookie. Ask for one with fewer scopes or claims."
)
_NO_TOKEN = "Paste a token first."  # noqa: S105 - no secret
_NOT_OURS = (
    "The development token goes only to a browser on this machine that runs under the account of "
    "the service, and not through a proxy. Paste a token instead."
)


class SigningIn:
    """Lets browsers sign in: with a token that is pasted, or in development without one."""

    def __init__(self, pages: Pages, make_token: MakeToken | None) -> None:
        self._pages = pages
        self._make_token = make_token

    def add_to(self, router: APIRouter) -> None:
        sign_in, sign_out = f"{PREFIX}/sign-in", f"{PREFIX}/sign-out"
        for path, method, handler in (
            (sign_in, "GET", self.console_sign_in_page),
            (sign_in, "POST", self.console_sign_in),
            (sign_out, "POST", self._pages.guarded(self.console_sign_out)),
        ):
            router.add_api_route(path, handler, methods=[method], include_in_schema=False)

    async def console_sign_in_page(self, request: Request) -> Response:
        if principal_of(request.scope) is not ANONYMOUS:
            return session.see(session.safe_target(request, request.query_params.get("to", "")))
        why = unidentified(request.scope)
        if not why:
            return self._ask(request)
        answer = self._ask(request, trouble=f"The token is not accepted. {why}")
        session.forget_token(request, answer)
        return answer

    async def console_sign_in(self, request: Request) -> Response:
        try:
            fields = await session.sent_form(request)
        except session.ForeignForm as error:
            return self._ask(request, 403, str(error))
        token = fields.get("token", "").strip()
        if "develop" in fields:
            token = self._development_token(request) or ""
            if not token:
                return self._ask(request, 403, _NOT_OURS)
        if not token or not token.isascii():
            return self._ask(request, 422, _NO_TOKEN)
        if len(token) > session.TOKEN_LENGTH:
            return self._ask(request, 422, _TOO_LONG)
        # Whether it is accepted is found out at the next request, as at all others.
        answer = session.see(session.safe_target(request, fields.get("to", "")))
        session.keep_token(request, answer, token)
        return answer

    async def console_sign_out(self, request: Request) -> Response:
        await session.sent_form(request)
        answer = session.see(f"{session.base_of(request)}/sign-in?left=1")
        session.forget_token(request, answer)
        return answer

    def _development_token(self, request: Request) -> str | None:
        make = self._make_token
        return make(request.scope) if make and is_own_page(request) else None

    def _ask(self, request: Request, status: int = 200, trouble: str | None = None) -> Response:
        query, develops = request.query_params, self._make_token is not None
        return self._pages.page(
            request,
            "sign_in",
            status,
            to=query.get("to", ""),
            trouble=trouble,
            develops=develops,
            is_automatic=develops and not trouble and "left" not in query,
            left="left" in query,
        )
