"""The ids of a request, which its answer, its events and its log lines carry.

A client may send one, to find its requests again. It is no proof of anything, as clients can send
the same one: so each request has an internal id besides.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

from app.framework.observability.audit import has_credentials

REQUEST_ID = b"x-request-id"
_ACCEPTED = re.compile(rb"[!-~]{1,128}")
_STATE, _KEY, _INTERNAL = "state", "request_id", "internal_request_id"


def acceptable_id(value: bytes) -> bool:
    """Whether a request may keep this id, which log lines and events will have."""
    return _ACCEPTED.fullmatch(value) is not None and not has_credentials(value.decode())


def set_request_id(scope: Scope, request_id: str, internal_id: str) -> None:
    """Set the ids of the request of `scope`; they are the same if the client sent none."""
    state = scope.setdefault(_STATE, {})
    state[_KEY], state[_INTERNAL] = request_id, internal_id


def request_id_of(scope: Mapping[str, Any]) -> str:
    """The id of the request of `scope`; empty if it has none."""
    found: str = scope.get(_STATE, {}).get(_KEY, "")
    return found


def internal_id_of(scope: Mapping[str, Any]) -> str:
    """The internal id of the request of `scope`, which no other has; empty if it has none."""
    found: str = scope.get(_STATE, {}).get(_INTERNAL, "")
    return found
