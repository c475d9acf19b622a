"""The principal of a request, which the middleware finds out, and the context of its messages."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.types import Scope

from app.framework.http.request_id import internal_id_of, request_id_of
from app.framework.observability import tracing
from app.framework.principal import Principal
from app.framework.request import RequestContext
from app.framework.security import Forbidden

_STATE, _KEY, _LATER, _WHY = "state", "principal", "is_still_admitted", "unidentified"

IsStillAdmitted = Callable[[Scope], Awaitable[bool]]
"""Whether the token of a request would be accepted now, for answers without an end."""


def set_principal(scope: Scope, principal: Principal, later: IsStillAdmitted | None) -> None:
    """Set the principal of the request of `scope`, and how to look again later; None for never.

    `later` does not hold the scope: only the garbage collector would free such a request.
    """
    state = scope.setdefault(_STATE, {})
    state[_KEY], state[_LATER] = principal, later


def principal_of(scope: Mapping[str, Any]) -> Principal:
    """The principal of the request of `scope`.

    Raises:
        KeyError: none was set, so nothing may be done for the request.

    """
    found: Principal = scope[_STATE][_KEY]
    return found


def set_unidentified(scope: Scope, why: str) -> None:
    """Set why the request of `scope`, for what is public, has no principal though it may have."""
    scope[_STATE][_WHY] = why


def unidentified(scope: Mapping[str, Any]) -> str | None:
    """What was set; None if nothing was."""
    found: str | None = scope[_STATE].get(_WHY)
    return found


def still_admitted(scope: Scope) -> Callable[[], Awaitable[bool]] | None:
    """Whether the request of `scope` would be let in now: tokens expire, keys are revoked.

    None if it would be for good.
    """
    later: IsStillAdmitted | None = scope[_STATE][_LATER]
    return None if later is None else partial(later, scope)


def found_principal(scope: Mapping[str, Any]) -> Principal | None:
    """The principal of the request of `scope`; None if none was set."""
    found: Principal | None = scope.get(_STATE, {}).get(_KEY)
    return found


def context_of(scope: Mapping[str, Any], **further: Any) -> RequestContext:
    """The context of a message that is sent for the request of `scope`."""
    return RequestContext(
        request_id_of(scope),
        principal_of(scope),
        internal_id=internal_id_of(scope),
        traceparent=tracing.traceparent(),
        **further,
    )


def require(scope: Mapping[str, Any], needed: str) -> None:
    """Return if the principal of `scope` has a scope; for routes that send no message.

    Raises:
        Forbidden: it has not.

    """
    if needed not in principal_of(scope).scopes:
        raise Forbidden([needed])
