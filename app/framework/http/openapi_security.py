"""What the OpenAPI document says of tokens and of rate limits.

All of it follows from the scopes that routes declare, see `access`, and from their paths.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from app.framework.http.access import BEARER, scopes_of
from app.framework.http.headers import RATE_LIMIT_HEADERS
from app.framework.http.middleware.rate_limiting import UNLIMITED
from app.framework.http.problems.security import (
    FORBIDDEN,
    IDENTITY_UNAVAILABLE,
    INVALID_TOKEN,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
)
from app.framework.http.responses import with_problems

_SECURITY = "security"
_REFUSALS = (UNAUTHENTICATED, INVALID_TOKEN, FORBIDDEN, IDENTITY_UNAVAILABLE)


def security_schemes(discovery_urls: Sequence[str]) -> dict[str, Any]:
    """The ways to a token: bearer tokens of any kind, and the issuers at `discovery_urls`."""
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A JWT access token (RFC 9068) of an issuer that the service trusts, which "
        "is verified as RFC8725 has it, or an API key of the service. In development "
        "`python -m app token` prints one.",
    }
    issuers = {
        name: {
            "type": "openIdConnect",
            "openIdConnectUrl": url,
            "description": "An issuer that the service trusts.",
        }
        for name, url in zip(_names(discovery_urls), discovery_urls, strict=True)
    }
    return {BEARER: bearer, **issuers}


def limit_headers(path: str) -> Iterable[str]:
    """The headers of answers at `path` that say how much its client may still use."""
    return () if path.startswith(UNLIMITED) else RATE_LIMIT_HEADERS


def document_security(path: str, operation: dict[str, Any], discovery_urls: Sequence[str]) -> None:
    """Complete an operation by the security that its route declares; without any it is public.

    It says which scopes it takes, with each of the schemes and in words, and the refusals.
    """
    operation.setdefault(_SECURITY, [])
    scopes = scopes_of(operation)
    operation["description"] = f"{operation['description']}\n\n{_sentence(scopes)}"
    schemes = (BEARER, *_names(discovery_urls))
    operation[_SECURITY] = [{each: [scope]} for each in schemes for scope in scopes]
    problems = [
        *(_REFUSALS if scopes else ()),
        *([TOO_MANY_REQUESTS] if limit_headers(path) else ()),
    ]
    operation["responses"] = with_problems(operation["responses"], problems)


def _names(discovery_urls: Sequence[str]) -> Sequence[str]:
    return [f"issuer{number}" for number in range(1, len(discovery_urls) + 1)]


def _sentence(scopes: Sequence[str]) -> str:
    match scopes:
        case []:
            return "It takes no token."
        case [scope]:
            return f"It takes a token with the scope `{scope}`."
        case _:
            own, scope = scopes
            return f"It takes a token with the scope `{own}` for one's own, `{scope}` for any."
