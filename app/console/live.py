"""Keeping pages that are open up to date, by server-sent events."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from fastapi import Request, Response

from app.console.pages import HEADERS
from app.framework.http.event_streams import EventStreamResponse, one_line
from app.framework.http.principals import still_admitted
from app.framework.storage import StorageUnavailable

EVERY_SECONDS = 1.0
CHECK_SECONDS = 15.0
"""How often a stream looks whether its token is still good."""

STREAMS = 40
"""How many streams a process has for the console: each costs some reads a second."""

Parts = Mapping[str, str]
"""The text of parts of a page, by their ids."""

Look = Callable[[], Awaitable[Parts]]

_STALE = "What is shown is from before; it is brought up to date when that is over."

_HEADERS = {**HEADERS, "X-Accel-Buffering": "no"}


class TooManyPages(Exception):
    """So many pages of the console are open at this process that no more are kept up to date."""


class Live:
    """The event streams of the console in this process; they end when `stopping` is set."""

    def __init__(
        self,
        stopping: asyncio.Event,
        *,
        every_seconds: float = EVERY_SECONDS,
        check_seconds: float = CHECK_SECONDS,
        streams: int = STREAMS,
    ) -> None:
        self._stopping = stopping
        self._every_seconds = every_seconds
        self._check_seconds = check_seconds
        self._bound = streams
        self._open = 0

    def parts(self, request: Request, look: Look) -> Response:
        """A stream of the parts of a page that have changed."""

        async def changes() -> AsyncIterator[tuple[str | None, Any]]:
            sent: dict[str, str] = {}
            while True:
                try:
                    found = {**await look(), "trouble": ""}
                except StorageUnavailable as error:
                    found = {"trouble": f"{error.summary}. {_STALE}"}
                for name, text in found.items():
                    if sent.get(name) != text:
                        sent[name] = text
                        yield None, {"id": name, "html": text}
                yield None, None

        return self.response(request, changes)

    async def parts_of(self, request: Request, look: Look) -> Response:
        """As `parts`, unless the first look is refused: then it raises what `look` does.

        A storage that is away refuses nothing: the page is to say so, and when it is back.
        """
        with contextlib.suppress(StorageUnavailable):
            await look()
        return self.parts(request, look)

    def response(
        self, request: Request, changes: Callable[[], AsyncIterator[tuple[str | None, Any]]]
    ) -> Response:
        """A stream of what `changes` yields: ids and data, and (None, None) to rest."""
        if self._open >= self._bound:
            # EventSource gives up at any status but 200, and at 204 for good.
            return Response(status_code=204, headers=_HEADERS)
        return _Counted(self, self._text(request, changes()))

    async def _text(
        self, request: Request, changes: AsyncIterator[tuple[str | None, Any]]
    ) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        is_still_admitted = still_admitted(request.scope)
        check_at = clock() + self._check_seconds
        yield b"retry: 2000\n\n"
        async for event_id, data in changes:
            if data is not None:
                yield _event(event_id, data)
                continue
            if clock() >= check_at:
                if is_still_admitted is not None and not await is_still_admitted():
                    yield _event(None, {"left": True})
                    return
                check_at = clock() + self._check_seconds
                yield b": still here\n\n"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._every_seconds)
            if self._stopping.is_set():
                return

    def _count(self, difference: int) -> None:
        self._open += difference


class _Counted(EventStreamResponse):
    def __init__(self, live: Live, text: AsyncIterator[bytes]) -> None:
        super().__init__(text, headers=_HEADERS)
        self._live = live

    async def __call__(self, *arguments: Any) -> None:
        self._live._count(1)  # noqa: SLF001
        try:
            await super().__call__(*arguments)
        finally:
            self._live._count(-1)  # noqa: SLF001


def _event(event_id: str | None, data: Any) -> bytes:
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}data: {one_line(json.dumps(data, ensure_ascii=False))}\n\n".encode()
