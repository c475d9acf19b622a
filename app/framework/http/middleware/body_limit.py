"""Reads bodies whole, and limits their length."""

from starlette.types import Message, Receive

from app.framework.http.middleware.answered import Answered, no_answer
from app.framework.http.middleware.head import Head
from app.framework.http.problems import PAYLOAD_TOO_LARGE
from app.framework.http.refusals import problem_response


class BodyLimit:
    """Reads the body of a request, of up to `limit` bytes, before the request is passed on."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def applies(self, head: Head) -> bool:
        """Whether a body may come."""
        fields = head.fields
        return fields.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in fields

    async def read(self, head: Head, receive: Receive) -> Receive:
        """What receives the whole body in one message.

        Raises:
            Answered: it is longer; at once if its Content-Length says so. Or the client is gone.

        """
        is_short = _number(head.fields.get(b"content-length", b"0")) <= self._limit
        body = await self._whole(receive) if is_short else None
        if body is None:
            detail = PAYLOAD_TOO_LARGE.example
            raise Answered(problem_response(head.scope, PAYLOAD_TOO_LARGE, detail))
        if body["type"] != "http.request":
            raise Answered(no_answer)
        return _first(body, receive)

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
