"""Signing in and out, and what proves that a form was sent by a page of ours."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.framework.http.middleware.request_guard import is_own_origin
from app.framework.http.routes.docs_token import LOCAL
from app.framework.http.sessions import COOKIE, PREFIX

TOKEN_LENGTH = 3_800
"""Browsers drop longer cookies without a word."""

_FORM_COOKIE = f"{COOKIE}_form"
_FIELD = "form_token"
_PAGE = re.compile(
    rf"(?!.*(/\.|%2e|sign-)){PREFIX}(/[\w.~%:@-]+)*(\?[\w.~%&=+:@-]*)?", re.ASCII | re.IGNORECASE
)
"""Without segments of dots, which browsers resolve."""


class ForeignForm(Exception):
    """A form that no page of ours has sent, or a page of an earlier session."""

    def __init__(self) -> None:
        super().__init__(
            "This was sent by another page, or from before you signed in. Nothing was done. "
            "Load the page again, and repeat it."
        )


def base_of(request: Request) -> str:
    """The address of the console, under the prefix that a proxy strips."""
    return f"{request.scope.get('root_path', '')}{PREFIX}"


def safe_target(request: Request, target: str) -> str:
    """`target` if it is a page of the console, else its first page."""
    is_ours = _PAGE.fullmatch(target) and target.startswith(PREFIX)
    root_path: str = request.scope.get("root_path", "")
    return f"{root_path}{target}" if is_ours else base_of(request)


def see(address: str) -> Response:
    """Have the browser get another page after a form."""
    return RedirectResponse(address, status_code=303)


def keep_token(request: Request, response: Response, token: str) -> None:
    """Have the browser keep a token until it is closed; script cannot read it."""
    _set_cookie(request, response, COOKIE, token)


def forget_token(request: Request, response: Response) -> None:
    """Have the browser drop its token."""
    response.delete_cookie(
        COOKIE, path=base_of(request), secure=_is_secure(request), httponly=True, samesite="strict"
    )


def prepare_form(request: Request) -> tuple[str, str | None]:
    """The token of the forms on a page, and the value of a cookie to set if there is none yet."""
    known = request.cookies.get(_FORM_COOKIE)
    secret = known or secrets.token_urlsafe(24)
    return _form_token(request, secret), None if known else secret


def set_form_cookie(request: Request, response: Response, secret: str) -> None:
    _set_cookie(request, response, _FORM_COOKIE, secret)


async def sent_form(request: Request) -> Mapping[str, str]:
    """The fields of a form.

    Raises:
        ForeignForm: it does not come from a page of ours.

    """
    fields = dict(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))
    secret = request.cookies.get(_FORM_COOKIE)
    given = fields.pop(_FIELD, "")
    if not secret or not _is_own(request):
        raise ForeignForm
    if not hmac.compare_digest(given.encode(), _form_token(request, secret).encode()):
        raise ForeignForm
    return fields


def _is_own(request: Request) -> bool:
    # Stricter than the guard of all requests, which lets pages of CORS_ORIGINS pass.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    headers = dict(request.scope["headers"])
    return b"origin" in headers and is_own_origin(headers[b"origin"], headers)


def _form_token(request: Request, secret: str) -> str:
    # Bound to the session: a form from before signing in is none of this one.
    session = request.cookies.get(COOKIE, "")
    return hmac.new(secret.encode(), session.encode(), hashlib.sha256).hexdigest()


def _set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        path=base_of(request),
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def _is_secure(request: Request) -> bool:
    return LOCAL.fullmatch(request.headers.get("host", "")) is None
