"""Finds out the principal of a request by its bearer token (RFC 6750)."""

import asyncio
import string
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.framework.http.access import is_public
from app.framework.http.attempts import WITHOUT, Attempts
from app.framework.http.middleware.answered import Answered
from app.framework.http.middleware.head import Head
from app.framework.http.middleware.rate_limiting import refuse
from app.framework.http.principals import principal_of, set_principal, set_unidentified
from app.framework.http.problems.security import (
    IDENTITY_UNAVAILABLE,
    INVALID_TOKEN,
    UNAUTHENTICATED,
)
from app.framework.http.rate_limits import RateLimits, Verdict
from app.framework.http.refusals import problem_response
from app.framework.http.sessions import has_session, token_of_session
from app.framework.observability.metrics import counter
from app.framework.principal import ANONYMOUS, ANYONE, Principal
from app.framework.security import Authenticator, IdentityUnavailable, InvalidToken

_TOKENS = counter(
    "tokens_total",
    "Requests by their tokens: accepted, invalid, missing, unavailable (no keys to verify it by), "
    "throttled (too many invalid ones from its address). Without what is public.",
    "outcome",
).known("accepted", "invalid", "missing", "unavailable", "throttled")

_accepted = _TOKENS.of("accepted")

_TOKEN_CHARACTERS = f"{string.ascii_letters}{string.digits}._~+/-".encode()


class _Unidentified(Exception):
    """A request without a usable token; the message is for its client."""


class _TooManyAttempts(Exception):
    def __init__(self, verdict: Verdict) -> None:
        super().__init__()
        self.verdict = verdict


_OUTCOMES = {
    _Unidentified: "missing",
    InvalidToken: "invalid",
    IdentityUnavailable: "unavailable",
    _TooManyAttempts: "throttled",
}


class Authentication:
    """Finds the principal of a request, or refuses it, before its body is read.

    A request has one Authorization header with one bearer token. Tokens elsewhere, in the query
    for one, count for nothing; only the console takes that of its cookie, and no other. What is
    public is served with or without a token. Without an authenticator all requests are anyone's.
    """

    def __init__(
        self, authenticator: Authenticator | None, limits: RateLimits | None = None
    ) -> None:
        self._authenticator = authenticator
        self._limits = limits
        self._attempts = Attempts(limits) if limits else None

    async def identify(self, head: Head) -> None:
        """Set the principal of a request.

        Raises:
            Answered: it has no usable token.

        """
        if self._authenticator is None:
            set_principal(head.scope, ANYONE, None)
            return
        try:
            principal = await self._admit(head, self._authenticator)
            _accepted.value += 1
        except (_Unidentified, InvalidToken, IdentityUnavailable, _TooManyAttempts) as error:
            if not is_public(head.path):
                _TOKENS.of(_OUTCOMES[type(error)]).value += 1
                raise Answered(partial(self._refuse, error)) from error
            principal = ANONYMOUS
            set_unidentified(head.scope, _words(error))
        set_principal(head.scope, principal, self._is_still_admitted)

    async def _admit(self, head: Head, authenticator: Authenticator) -> Principal:
        """The principal of a request, whose address may try tokens so often only."""
        token = _token(head)
        if self._attempts is None:
            return await authenticator.authenticate(token)
        if verdict := self._attempts.refused(head.scope, token):
            raise _TooManyAttempts(verdict)
        try:
            principal = await authenticator.authenticate(token)
        except InvalidToken:
            self._attempts.fail(head.scope, token)
            raise
        self._attempts.accept(token)
        return principal

    async def _is_still_admitted(self, scope: Scope) -> bool:
        assert self._authenticator
        try:
            principal = await self._authenticator.authenticate(_token(Head(scope)))
        except (InvalidToken, IdentityUnavailable):
            return False
        return principal == principal_of(scope)

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


def _token(head: Head) -> str:
    if has_session(head.path):
        return _token_of_session(head)
    given: bytes | None = head.fields.get(b"authorization")
    if given is None:
        raise _Unidentified(UNAUTHENTICATED.example)
    if head.has_repeats and len(head.all_of(b"authorization")) > 1:
        raise _Unidentified("A request has one Authorization header, and this had several.")
    scheme, _, rest = given.strip().partition(b" ")
    token = rest.lstrip(b" ")
    if scheme.lower() != b"bearer" or not _is_token(token):
        raise _Unidentified("The Authorization header has another form than Bearer and a token.")
    return token.decode()


def _token_of_session(head: Head) -> str:
    token = token_of_session(head.all_of(b"cookie"))
    if token is None or not _is_token(token):
        raise _Unidentified
    return token.decode()


def _words(error: Exception) -> str:
    """Why a request has no principal; empty if it came without a token."""
    if isinstance(error, IdentityUnavailable):
        return IDENTITY_UNAVAILABLE.example
    if isinstance(error, _TooManyAttempts):
        return "Too many tokens were tried from this address. Try again later."
    return str(error)


def _is_token(text: bytes) -> bool:
    """Whether `text` has the form of RFC 6750, section 2.1.

    Without a regular expression, which takes as long as the rest of a known token's verification.
    """
    characters = text.rstrip(b"=")
    return bool(characters) and not characters.translate(None, _TOKEN_CHARACTERS)


def _answer_to(error: Exception, scope: Scope) -> Response:
    if isinstance(error, IdentityUnavailable):
        return problem_response(scope, IDENTITY_UNAVAILABLE, IDENTITY_UNAVAILABLE.example)
    if isinstance(error, InvalidToken):
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        detail = f"The token is not accepted. {error}"
        return problem_response(scope, INVALID_TOKEN, detail, headers=challenge)
    challenge = {"WWW-Authenticate": "Bearer"}
    return problem_response(scope, UNAUTHENTICATED, str(error), headers=challenge)
