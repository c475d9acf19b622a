"""The answer to unhandled exceptions."""

import asyncio
import logging
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.framework.http.problems import INTERNAL_ERROR, STORAGE_UNAVAILABLE
from app.framework.http.refusals import problem_response

_STOPPING = (
    "The process stops. Try again later; if this was a write, look first whether it was recorded."
)

_log = logging.getLogger(__name__)


class LastResort:
    """Logs an unhandled exception with its traceback, and answers with a problem.

    If the response has started, the error passes on to the server, which closes the connection.
    Only the server cancels requests: when it stops, after a time, for example for the rest of a
    body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        def watching_send(message: Message) -> Awaitable[None]:
            nonlocal started
            started = True
            return send(message)

        try:
            await self._app(scope, receive, watching_send)
        except asyncio.CancelledError:
            if started:
                raise
            answer = problem_response(scope, STORAGE_UNAVAILABLE, _STOPPING)
            await answer(scope, receive, send)
        except Exception:
            if started:
                raise
            _log.exception("Unhandled exception in %s %s", scope["method"], scope["path"])
            answer = problem_response(scope, INTERNAL_ERROR, INTERNAL_ERROR.example)
            await answer(scope, receive, send)
