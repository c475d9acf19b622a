"""Verifies JSON Web Tokens of OpenID Connect issuers.

See RFC 9068 (JWT access tokens) and RFC 8725 (best practices for JWTs).
"""

import asyncio
import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.utils import base64url_encode

from app.adapters.identity.issuers import ALGORITHMS, KeySource
from app.framework.observability.metrics import counter
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import InvalidToken

LEEWAY_SECONDS = 30
"""How far the clocks of issuers may be off."""

TOKEN_LIMIT = 8 * 1024
"""The longest token, in characters."""

CACHED = 10_000
"""How many verified tokens are remembered: verifying one takes a quarter of a millisecond."""

SUBJECT_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What a token has to say.

    audiences: it is meant for one of these.
    types: its header `typ` is one of these, in lower case: "at+jwt" by RFC 9068. One without a
        type is a "jwt".
    scope_claims: the claims that hold scopes; those of all of them count.
    user_id_claim: the claim that holds the id of the user's profile; empty: the id is derived from
        the issuer and the subject.
    """

    audiences: Sequence[str]
    types: frozenset[str] = frozenset({"at+jwt"})
    scope_claims: Sequence[str] = ("scope", "scp")
    user_id_claim: str = ""


_VERIFIED = counter(
    "token_verifications_total", "Tokens that were not known, and had their signatures verified."
)


class TokenVerifier:
    """Verifies tokens of some issuers, and remembers those that it has verified.

    A remembered token is accepted until it expires, and refused at once after that. Implements
    Authenticator.
    """

    def __init__(
        self,
        issuers: Sequence[KeySource],
        rules: TokenRules,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = {each.url: each for each in issuers}
        self._rules = rules
        self._clock = clock
        self._verified: OrderedDict[str, Principal] = OrderedDict()

    async def open(self) -> None:
        """Fetch the keys of all issuers, as far as they can be reached."""
        await asyncio.gather(*(each.prefetch() for each in self._issuers.values()))

    async def close(self) -> None:
        """Give up fetches under way."""
        for each in self._issuers.values():
            await each.close()

    @property
    def trouble(self) -> str | None:
        """Why no token can be verified; None if those of one issuer can."""
        troubles = [each.trouble for each in self._issuers.values()]
        return "; ".join(filter(None, troubles)) if all(troubles) else None

    async def authenticate(self, token: str) -> Principal:
        """The principal of a token; see Authenticator."""
        principal = self._verified.get(token)
        if principal is None:
            _VERIFIED.of().value += 1
            principal = await self._verify(token)
            self._remember(token, principal)
        if principal.expires_at is not None and principal.expires_at <= self._clock():
            raise InvalidToken("It has expired.")
        return principal

    def _remember(self, token: str, principal: Principal) -> None:
        self._verified[token] = principal
        if len(self._verified) > CACHED:
            self._verified.popitem(last=False)

    async def _verify(self, token: str) -> Principal:
        header, claims = self._unverified(token)
        issuer = self._issuers.get(_text(claims, "iss"))
        if issuer is None:
            raise InvalidToken("It is of another issuer.")
        key = await issuer.key(header.get("kid"))
        if header["alg"] != key.algorithm_name:
            raise InvalidToken("Its algorithm is not that of the key.")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=list(self._rules.audiences),
                issuer=issuer.url,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub"],
                    # By our own clock, below: tests set it.
                    "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                },
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise InvalidToken(_reason(error)) from None
        return self._principal(claims)

    def _unverified(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The header and the claims of a token, whose form is checked and nothing else."""
        if len(token) > TOKEN_LIMIT:
            raise InvalidToken(f"It is longer than {TOKEN_LIMIT} characters.")
        try:
            found = jwt.decode_complete(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidToken("It is not a JWT.") from None
        if token.rpartition(".")[2] != base64url_encode(found["signature"]).decode():
            raise InvalidToken("It is not a JWT.")  # as Base64 writes it, but not the only way
        header, claims = found["header"], found["payload"]
        if _text(header, "alg") not in ALGORITHMS:
            raise InvalidToken("Its algorithm is not accepted.")
        kind = str(header.get("typ", "JWT")).lower().removeprefix("application/")
        if kind not in self._rules.types:
            raise InvalidToken("Its type is not that of an access token.")
        if not isinstance(header.get("kid"), str | None):
            raise InvalidToken("The id of its key is no text.")
        return header, claims

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        now = self._clock()
        expires_at = _time(claims, "exp") + LEEWAY_SECONDS
        if expires_at <= now:
            raise InvalidToken("It has expired.")
        for each in ("iat", "nbf"):
            if each in claims and _time(claims, each) > now + LEEWAY_SECONDS:
                raise InvalidToken("It is not valid yet.")
        issuer, subject = claims["iss"], _text(claims, "sub")
        if not is_subject(subject):
            raise InvalidToken("Its subject cannot be used.")
        is_client = _is_client(claims, subject)
        return Principal(
            kind=PrincipalKind.CLIENT if is_client else PrincipalKind.USER,
            issuer=issuer,
            subject=subject,
            scopes=_scopes(claims, self._rules.scope_claims),
            user_id=None if is_client else self._user_id(claims, issuer, subject),
            expires_at=expires_at,
        )

    def _user_id(self, claims: Mapping[str, Any], issuer: str, subject: str) -> str:
        if not self._rules.user_id_claim:
            return derived_user_id(issuer, subject)
        found = _text(claims, self._rules.user_id_claim)
        if not is_subject(found):
            raise InvalidToken(f"It has no usable text in the claim {self._rules.user_id_claim}.")
        return found


def derived_user_id(issuer: str, subject: str) -> str:
    """The id of the profile of a subject; the same for ever, and one subject's only."""
    digest = hashlib.sha256(f"{issuer}\0{subject}".encode()).digest()
    return base64.b32encode(digest[:20]).decode().lower()


def is_subject(text: str) -> bool:
    """Whether a token may name this subject."""
    return 0 < len(text) <= SUBJECT_LIMIT and text.isprintable()


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""


def _time(claims: Mapping[str, Any], name: str) -> float:
    found = claims[name]
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 2**53:
        raise InvalidToken(f"Its {name} is no time.")
    return float(found)


def _is_client(claims: Mapping[str, Any], subject: str) -> bool:
    """Whether a program got the token for itself, and no person is behind it."""
    clients = [_text(claims, each) for each in ("client_id", "azp", "cid")]
    accounts = [f"service-account-{each}".lower() for each in clients]
    return (
        subject in clients  # RFC 9068, section 2.2
        or claims.get("gty") == "client-credentials"  # Auth0
        or claims.get("idtyp") == "app"  # Entra ID, where that optional claim is set up
        or claims.get("preferred_username") in accounts  # Keycloak
    )


def _scopes(claims: Mapping[str, Any], names: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        given = claims.get(name)
        words = given.split() if isinstance(given, str) else given
        if isinstance(words, list):
            found.update(each for each in words if isinstance(each, str))
    return frozenset(found)


def _reason(error: jwt.PyJWTError) -> str:
    """Why a token is refused, in words without anything of the token."""
    reasons: Sequence[tuple[type[jwt.PyJWTError], str]] = (
        (jwt.InvalidSignatureError, "Its signature is not that of the key."),
        (jwt.InvalidAudienceError, "It is meant for another service."),
        (jwt.InvalidIssuerError, "It is of another issuer."),
        (jwt.MissingRequiredClaimError, "It lacks one of exp, iat, iss, aud and sub."),
    )
    return next((said for kind, said in reasons if isinstance(error, kind)), "It is not valid.")
