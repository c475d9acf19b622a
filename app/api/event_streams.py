"""Server-sent events (HTML Living Standard, section 9.2): streams that go on until somebody stops.

A stream begins with `retry:` and the `id:` from which its reader would resume; then come events,
and a comment from time to time, so that whoever stands between does not take it for dead.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.unreadable_events import note_unreadable
from app.eventsourcing import UnreadableEvent
from app.outages import note_outage
from app.storage import Overloaded, StorageUnavailable

MEDIA_TYPE = "text/event-stream"

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 3.0
"""How long one look for the next events may take; shorter than any message may."""

RETRY_MILLISECONDS = 1000
"""After how long a reader whose stream ended is to come back."""

STREAMS = 1000
"""How many there may be in a process."""

_LINE_BREAKS = {each: f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_log = logging.getLogger(__name__)


class EventStreamResponse(StreamingResponse):
    """A response of server-sent events."""

    media_type = MEDIA_TYPE


class _EndingResponse(EventStreamResponse):
    """One that calls `at_end` when it has ended, however it does."""

    def __init__(self, text: AsyncIterator[str], at_end: Callable[[], None]) -> None:
        super().__init__(text, headers=_HEADERS)
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._at_end()


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Some events as (id, data), and the id to go on after.

    The data are of one line, for every reader: `one_line` makes JSON so.
    """

    events: Sequence[tuple[int, str]]
    last_id: int


def one_line(json: str) -> str:
    """`json` with escapes for what JSON takes as it is, but Python and others break lines at.

    Event streams break lines at CR and LF only, but readers take lines from libraries: to
    `str.splitlines`, and so to httpx, U+0085, U+2028 and U+2029 end a line as well.
    """
    if json.isascii():
        return json
    for each, escape in _LINE_BREAKS.items():
        json = json.replace(each, escape)
    return json


Look = Callable[[int | None, float], Coroutine[Any, Any, EventBatch]]
"""The events after an id, or, if there are none, those that come within so many seconds. With
None: no events, but the id after which new ones will come."""


class EventStreams:
    """The streams of one kind in this process; they end when `stopping` is set."""

    def __init__(
        self,
        name: str,
        look: Look,
        stopping: asyncio.Event,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        streams: int = STREAMS,
    ) -> None:
        self._name = name
        self._look = look
        self._stopping = stopping
        self._heartbeat_seconds = heartbeat_seconds
        self._bound = streams
        self._open = 0

    async def response(self, after: int | None) -> EventStreamResponse:
        """A stream of what comes after the id `after`, or of what is new if that is None.

        A reader gets the next events when it has taken those before: it costs no more memory
        if it is slow.

        Raises:
            Overloaded: there are too many streams.
            Whatever the first look raises; later it ends the stream.

        """
        if self._open >= self._bound:
            raise Overloaded(self._name, self._bound)
        # It counts from now on: after an outage all readers are back at once, and look first.
        self._open += 1
        try:
            first = await self._look(after, 0)
        except BaseException:
            self._close()
            raise
        begin = first.last_id if after is None else after
        return _EndingResponse(self._text(begin, first), self._close)

    def _close(self) -> None:
        self._open -= 1

    async def _text(self, begin: int, batch: EventBatch) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        yield f"retry: {RETRY_MILLISECONDS}\nid: {begin}\n\n{_text_of(batch)}"
        due = clock() + self._heartbeat_seconds
        while found := await self._next(batch.last_id, min(LOOK_SECONDS, due - clock())):
            batch = found
            if batch.events or clock() >= due:
                yield _text_of(batch) or f"id: {batch.last_id}\n: nothing new\n\n"
                due = clock() + self._heartbeat_seconds

    async def _next(self, after: int, seconds: float) -> EventBatch | None:
        """The next events, or None when the stream has to end."""
        looking = asyncio.ensure_future(self._look(after, seconds))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((looking, stopping), return_when=asyncio.FIRST_COMPLETED)
            found = looking.result() if looking.done() else None
        except UnreadableEvent as error:
            note_unreadable(error)
            return None
        except StorageUnavailable as error:
            note_outage(error.storage, error)
            return None
        except Exception as error:  # noqa: BLE001 - the answer is under way: all it can do is end
            _log.warning("A stream of %s ends: %s", self._name, error)
            return None
        finally:
            looking.cancel()
            stopping.cancel()
        return None if self._stopping.is_set() else found


def _text_of(batch: EventBatch) -> str:
    return "".join(f"id: {event_id}\ndata: {data}\n\n" for event_id, data in batch.events)
