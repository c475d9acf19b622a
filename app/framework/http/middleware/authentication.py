"""Finds out the principal of a request by its bearer token (RFC 6750)."""

import asyncio
import re

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.framework.http.access import is_public
from app.framework.http.attempts import WITHOUT, Attempts
from app.framework.http.middleware.rate_limiting import refuse
from app.framework.http.principals import principal_of, set_principal
from app.framework.http.problems.security import (
    IDENTITY_UNAVAILABLE,
    INVALID_TOKEN,
    UNAUTHENTICATED,
)
from app.framework.http.rate_limits import RateLimits, Verdict
from app.framework.http.refusals import problem_response
from app.framework.principal import ANONYMOUS, ANYONE, Principal
from app.framework.security import Authenticator, IdentityUnavailable, InvalidToken

_CREDENTIALS = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")


class _Refused(Exception):
    """A request without a usable token; the message is for its client."""


class _TooManyAttempts(Exception):
    def __init__(self, verdict: Verdict) -> None:
        super().__init__()
        self.verdict = verdict


class Authentication:
    """Lets a request pass with its principal, and refuses it otherwise, before its body is read.

    A request has one Authorization header with one bearer token. Tokens elsewhere, in the query
    for one, count for nothing. What is public is served with or without a token. Without an
    authenticator all requests are anyone's.
    """

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator | None, limits: RateLimits | None = None
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._limits = limits
        self._attempts = Attempts(limits) if limits else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                principal = await self._admit(scope)
            except (_Refused, InvalidToken, IdentityUnavailable, _TooManyAttempts) as error:
                if not _is_public(scope):
                    await self._refuse(error, scope, receive, send)
                    return
                principal = ANONYMOUS
            set_principal(
                scope, principal, self._is_still_admitted if self._authenticator else None
            )
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> Principal:
        """The principal of a request, whose address may try tokens so often only."""
        if self._attempts is None or self._authenticator is None:
            return await self._principal(scope)
        token = _token(scope)
        if verdict := self._attempts.refused(scope, token):
            raise _TooManyAttempts(verdict)
        try:
            principal = await self._authenticator.authenticate(token)
        except InvalidToken:
            self._attempts.fail(scope, token)
            raise
        self._attempts.accept(token)
        return principal

    async def _is_still_admitted(self, scope: Scope) -> bool:
        try:
            return await self._principal(scope) == principal_of(scope)
        except (InvalidToken, IdentityUnavailable):
            return False

    async def _principal(self, scope: Scope) -> Principal:
        if self._authenticator is None:
            return ANYONE
        return await self._authenticator.authenticate(_token(scope))

    async def _refuse(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _answer_to(error, scope)
        if self._limits and self._attempts:
            if isinstance(error, _TooManyAttempts):
                verdict = error.verdict
            else:
                verdict = self._attempts.come_without(scope)
            if verdict.is_refused:
                await refuse(self._limits, verdict, scope, receive, send)
                return
            answer.raw_headers.extend(verdict.headers)
            await asyncio.sleep(self._limits.spread(verdict, WITHOUT))
        await answer(scope, receive, send)


def _token(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if not given:
        raise _Refused(UNAUTHENTICATED.example)
    if len(given) > 1:
        raise _Refused("A request has one Authorization header, and this had several.")
    found = _CREDENTIALS.fullmatch(given[0].strip())
    if found is None:
        raise _Refused("The Authorization header has another form than Bearer and a token.")
    return found[1].decode()


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
    return is_public(path)
