"""The id of a request, which its answer, its events and its log lines carry."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

REQUEST_ID = b"x-request-id"
_ACCEPTED = re.compile(rb"[!-~]{1,128}")
_STATE, _KEY = "state", "request_id"


def acceptable_id(value: bytes) -> bool:
    """Whether a request may keep this id."""
    return _ACCEPTED.fullmatch(value) is not None


def set_request_id(scope: Scope, request_id: str) -> None:
    """Set the id of the request of `scope`."""
    scope.setdefault(_STATE, {})[_KEY] = request_id


def request_id_of(scope: Mapping[str, Any]) -> str:
    """The id of the request of `scope`; empty if it has none."""
    found: str = scope.get(_STATE, {}).get(_KEY, "")
    return found
