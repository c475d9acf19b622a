"""Passes a request on once its body is complete, and limits its length."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.framework.http.problems import PAYLOAD_TOO_LARGE
from app.framework.http.refusals import problem_response


class BodyLimit:
    """Reads the body, and refuses one over `limit` bytes, at once if its Content-Length says so.

    A request whose client disconnects before the end is dropped.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if length == b"0" and b"transfer-encoding" not in headers:
            return self._app(scope, receive, send)
        return self._pass_on_whole(length, scope, receive, send)

    async def _pass_on_whole(
        self, length: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = None if _number(length) > self._limit else await self._whole(receive)
        if body is None:
            answer = problem_response(scope, PAYLOAD_TOO_LARGE, PAYLOAD_TOO_LARGE.example)
            await answer(scope, receive, send)
        elif body["type"] == "http.request":
            await self._app(scope, _first(body, receive), send)

    async def _whole(self, receive: Receive) -> Message | None:
        """The body in one message; None over the limit; a disconnect if that came first."""
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return message if len(message.get("body", b"")) <= self._limit else None
        parts, length = [], 0
        while message["type"] == "http.request":
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > self._limit:
                return None
            if not message.get("more_body"):
                return {"type": "http.request", "body": b"".join(parts), "more_body": False}
            message = await receive()
        return message


def _first(message: Message, receive: Receive) -> Receive:
    passed = False

    async def receive_after() -> Message:
        nonlocal passed
        if passed:
            return await receive()
        passed = True
        return message

    return receive_after


def _number(length: bytes) -> int:
    try:
        return int(length)
    except ValueError:
        return 0
