"""The principal of a request, which the middleware finds out, and the context of its messages."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

from app.framework.http.request_id import request_id_of
from app.framework.principal import Principal
from app.framework.request import RequestContext
from app.framework.security import Forbidden

_STATE, _KEY = "state", "principal"


def set_principal(scope: Scope, principal: Principal) -> None:
    """Set the principal of the request of `scope`."""
    scope.setdefault(_STATE, {})[_KEY] = principal


def principal_of(scope: Mapping[str, Any]) -> Principal:
    """The principal of the request of `scope`.

    Raises:
        KeyError: none was set, so nothing may be done for the request.

    """
    found: Principal = scope[_STATE][_KEY]
    return found


def context_of(scope: Mapping[str, Any], **further: Any) -> RequestContext:
    """The context of a message that is sent for the request of `scope`."""
    return RequestContext(request_id_of(scope), principal_of(scope), **further)


def require(scope: Mapping[str, Any], needed: str) -> None:
    """Return if the principal of `scope` has a scope; for routes that send no message.

    Raises:
        Forbidden: it has not.

    """
    if needed not in principal_of(scope).scopes:
        raise Forbidden([needed])
