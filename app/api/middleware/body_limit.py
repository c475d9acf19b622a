"""No body is longer than the service is willing to hold."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import PAYLOAD_TOO_LARGE
from app.api.refusals import problem_response


class BodyLimit:
    """Refuses a body over `limit` bytes: at once by its Content-Length, else while it comes in."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as long as its body is within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared_length(scope) > self._limit:
            answer = problem_response(scope, PAYLOAD_TOO_LARGE, PAYLOAD_TOO_LARGE.example)
            await answer(scope, receive, send)
            return
        length = 0

        async def counting_receive() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > self._limit:
                raise HTTPException(PAYLOAD_TOO_LARGE.status)
            return message

        await self._app(scope, counting_receive, send)


def _declared_length(scope: Scope) -> int:
    try:
        return int(dict(scope["headers"]).get(b"content-length", b"0"))
    except ValueError:
        return 0
