"""Finds out the principal of a request by its bearer token (RFC 6750)."""

import re

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.framework.http.principals import set_principal
from app.framework.http.problems.security import (
    IDENTITY_UNAVAILABLE,
    INVALID_TOKEN,
    UNAUTHENTICATED,
)
from app.framework.http.refusals import problem_response
from app.framework.principal import ANONYMOUS, ANYONE, Principal
from app.framework.security import Authenticator, IdentityUnavailable, InvalidToken

_PUBLIC = re.compile(r"/(health/(live|ready)|problems(/[^/]*)?|openapi\.json|docs(/.*)?)")
"""The paths that take no token: what probes, people and generators of clients read."""

_CREDENTIALS = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")


class _Refused(Exception):
    """A request without a usable token; the message is for its client."""


class Authentication:
    """Lets a request pass with its principal, and refuses it otherwise, before its body is read.

    A request has one Authorization header with one bearer token. Tokens elsewhere, in the query
    for one, count for nothing. What is public is served with or without a token. Without an
    authenticator all requests are anyone's.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator | None) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                principal = await self._principal(scope)
            except (_Refused, InvalidToken, IdentityUnavailable) as error:
                if not _is_public(scope):
                    await _answer_to(error, scope)(scope, receive, send)
                    return
                principal = ANONYMOUS

            async def is_still_admitted() -> bool:
                try:
                    return await self._principal(scope) == principal
                except (InvalidToken, IdentityUnavailable):
                    return False

            set_principal(scope, principal, is_still_admitted if self._authenticator else None)
        await self._app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal:
        if self._authenticator is None:
            return ANYONE
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            raise _Refused(UNAUTHENTICATED.example)
        if len(given) > 1:
            raise _Refused("A request has one Authorization header, and this had several.")
        found = _CREDENTIALS.fullmatch(given[0].strip())
        if found is None:
            raise _Refused("The Authorization header has another form than Bearer and a token.")
        return await self._authenticator.authenticate(found[1].decode())


def _answer_to(error: Exception, scope: Scope) -> Response:
    if isinstance(error, IdentityUnavailable):
        return problem_response(scope, IDENTITY_UNAVAILABLE, IDENTITY_UNAVAILABLE.example)
    if isinstance(error, InvalidToken):
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        detail = f"The token is not accepted. {error}"
        return problem_response(scope, INVALID_TOKEN, detail, headers=challenge)
    challenge = {"WWW-Authenticate": "Bearer"}
    return problem_response(scope, UNAUTHENTICATED, str(error), headers=challenge)


def _is_public(scope: Scope) -> bool:
    path: str = scope["path"]
    if prefix := scope.get("root_path"):
        path = path.removeprefix(prefix)
    return _PUBLIC.fullmatch(path) is not None
