"""Gives every request an id, and every response the common headers."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.framework.eventsourcing import uuid7
from app.framework.http.caching import with_safe_defaults
from app.framework.http.request_id import REQUEST_ID, acceptable_id, set_request_id
from app.framework.request import logged_request_id


class RequestIds:
    """Takes the X-Request-Id of a request, or makes one, and echoes it in the response.

    Log lines carry the id, and it is the correlation id of the events. An id that is not 1 to 128
    visible ASCII characters is replaced. Beside an id that was sent, log lines carry the internal
    one, which is the causation id of the events. `with_safe_defaults` completes every response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        internal_id = uuid7()
        request_id = _sent(scope) or internal_id
        header = (REQUEST_ID, request_id.encode())

        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = with_safe_defaults(message.get("headers", ()), header)
            return send(message)

        set_request_id(scope, request_id, internal_id)
        logged = logged_request_id.set((request_id, internal_id))
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            logged_request_id.reset(logged)


def _sent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == REQUEST_ID and acceptable_id(value):
            return str(value, "ascii")
    return None
