"""The problems of who may do what."""

from collections.abc import Mapping

from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType
from app.framework.security import Forbidden

UNAUTHENTICATED = ProblemType(
    401,
    "unauthenticated",
    "Unauthenticated",
    example="This takes a token: Authorization: Bearer, and the token.",
    meaning="The request came without a bearer token, or with several. Nothing was done. Get a "
    "token of an issuer that the service trusts, or an API key, and send it in the Authorization "
    "header; a token in the query or the body is not looked at.",
)
INVALID_TOKEN = ProblemType(
    401,
    "invalid-token",
    "Invalid token",
    example="The token is not accepted. It has expired.",
    meaning="The bearer token is malformed, forged, expired, revoked or meant for another service; "
    "the detail says which. Nothing was done. Get a new one.",
)
FORBIDDEN = ProblemType(
    403,
    "forbidden",
    "Forbidden",
    example="This takes the scope projections:read.",
    meaning="The token is valid, but does not allow this. Nothing was looked up or done, so this "
    "says nothing about whether what was asked for exists. The detail names the scope that is "
    "missing.",
)
IDENTITY_UNAVAILABLE = ProblemType(
    503,
    "identity-unavailable",
    "Identity unavailable",
    example="Tokens cannot be verified at present: what they are verified by cannot be read.",
    meaning="The keys of the token's issuer cannot be fetched, and of the last day the service has "
    "none, or not the one that the token names; or the list of API keys cannot be read, and the "
    "last is older than 5 seconds. Nothing was done. Send it again after the seconds in "
    "Retry-After.",
    retry_after=5,
)
TOO_MANY_REQUESTS = ProblemType(
    429,
    "too-many-requests",
    "Too many requests",
    example="You send more requests than one client may. Send it again in 2 s.",
    meaning="The client has used up its rate limit: the principal of its token, or its address if "
    "it comes without a valid token. Nothing was done. Send it again after the seconds in "
    "Retry-After. RateLimit says how much is left, and RateLimit-Policy how much there is: a read "
    "costs 1, a write 2, a page of a list 5, a look into the past 10. A client that goes on is "
    "refused slowly.",
    retry_after=1,
)


def _challenge(error: Forbidden) -> Mapping[str, str]:
    # Of alternatives the first: it allows the least.
    return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scopes[0]}"'}


SECURITY_PROBLEMS: ErrorMappings = {
    Forbidden: ErrorMapping(FORBIDDEN, headers=_challenge),
}
