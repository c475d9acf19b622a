"""Requests whose body breaks off."""

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


class BrokenBody:
    """Replaces the flow control of a request whose body breaks off, or cannot be read.

    An application that waits for more of the body calls it to resume input; this calls `unreadable`
    instead. An application that does not need the body may still answer.
    """

    def __init__(self, flow: FlowControl, unreadable: Callable[[], None]) -> None:
        self._flow = flow
        self.resume_reading = unreadable

    def __getattr__(self, name: str) -> Any:
        return getattr(self._flow, name)
