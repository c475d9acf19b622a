"""Server-sent events (HTML Living Standard, section 9.2): streams without an end.

A stream starts with `retry:` and the `id:` from which its reader would resume. Then come events,
and heartbeats as comments, so that proxies keep the connection open.
"""

import asyncio
import functools
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.framework.http.broadcast import Broadcast, Look, Part
from app.framework.observability.metrics import counter, gauge
from app.framework.request import NO_CONTEXT, RequestContext
from app.framework.storage import Overloaded

MEDIA_TYPE = "text/event-stream"

HEARTBEAT_SECONDS = 15.0

CHECK_SECONDS = 2.0
"""How often it is checked that the reader's token is still accepted."""

RETRY_MILLISECONDS = 1000
"""The pause before a reader reconnects."""

STREAMS = 1000
"""How many there may be in a process."""

STREAMS_OF_A_CLIENT = 100
"""How many of them one client may have."""

_OPEN = gauge("streams_open", "Streams of events that clients read.", "stream")
_REFUSED = counter(
    "stream_refusals_total",
    "Streams that were refused: the process, or one client, has as many as it may.",
    "stream",
    "bound",
)

_LINE_BREAKS = {each: f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}

_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store", "Vary": "Authorization"}


class EventStreamResponse(StreamingResponse):
    """A response of server-sent events."""

    media_type = MEDIA_TYPE


class _EndingResponse(EventStreamResponse):
    """A response that calls `at_end` when it ends, also by an error."""

    def __init__(self, text: AsyncIterator[bytes], at_end: Callable[[], None]) -> None:
        super().__init__(text, headers=_HEADERS)
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._at_end()


def one_line(json: str) -> str:
    """`json` with escapes for the characters that some libraries take for line breaks.

    Event streams break lines at CR and LF only, but for `str.splitlines`, and so for httpx, U+0085,
    U+2028 and U+2029 end a line as well.
    """
    if json.isascii():
        return json
    for each, escape in _LINE_BREAKS.items():
        json = json.replace(each, escape)
    return json


class TooManyStreams(Exception):
    """A client has reached its limit of streams."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"You follow {bound} streams, as many as one client may; close one first.")


class EventStreams:
    """The streams of one kind in this process; they end when `stopping` is set."""

    def __init__(
        self,
        name: str,
        look: Look,
        stopping: asyncio.Event,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        check_seconds: float = CHECK_SECONDS,
        streams: int = STREAMS,
        streams_of_a_client: int = STREAMS_OF_A_CLIENT,
    ) -> None:
        self._name = name
        self._look = look
        self._heartbeat_seconds = heartbeat_seconds
        self._check_seconds = check_seconds
        self._bound = streams
        self._client_bound = streams_of_a_client
        self._open: Counter[str | None] = Counter()
        self._broadcast = Broadcast(name, look, stopping)
        self._measured = _OPEN.of(name)
        for bound in ("client", "process"):
            _REFUSED.of(name, bound)

    async def response(
        self,
        after: int | None,
        *,
        client: str | None = None,
        context: RequestContext = NO_CONTEXT,
        is_still_admitted: Callable[[], Awaitable[bool]] | None = None,
    ) -> EventStreamResponse:
        """A stream of the events after the id `after`, or of new events if it is None.

        A reader gets the next events after it has read those before, so a slow one costs no more
        memory.

        Args:
            after: the id of the last event that the reader has.
            client: identifies the reader; None if unknown, then there is no limit per client.
            context: of the request; the first read waits for its minimum position.
            is_still_admitted: whether the reader may go on; the stream ends when it may not.

        Raises:
            TooManyStreams: the client has too many.
            Overloaded: there are too many streams.
            And the errors of the first read; later errors end the stream.

        """
        if client is not None and self._open[client] >= self._client_bound:
            _REFUSED.of(self._name, "client").value += 1
            raise TooManyStreams(self._client_bound)
        if self._open.total() >= self._bound:
            _REFUSED.of(self._name, "process").value += 1
            raise Overloaded(self._name, self._bound)
        # Counted from here: after an outage all readers return at once, and read first.
        self._open[client] += 1
        self._measured.value += 1
        try:
            if after is None or context.minimum_position:
                reached = (await self._look(None, 0, context)).last_id
                after = reached if after is None else after
            first = await self._broadcast.first(after)
        except BaseException:
            self._close(client)
            raise
        text = self._text(after, first, is_still_admitted)
        return _EndingResponse(text, functools.partial(self._close, client))

    def _close(self, key: str | None) -> None:
        self._open[key] -= 1
        self._measured.value -= 1
        if not self._open[key]:
            del self._open[key]

    async def _text(
        self, begin: int, part: Part, is_still_admitted: Callable[[], Awaitable[bool]] | None
    ) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        yield b"retry: %d\nid: %d\n\n" % (RETRY_MILLISECONDS, begin) + part.past(begin)
        last_id = max(begin, part.last_id)
        due = clock() + self._heartbeat_seconds
        check_at = math.inf if is_still_admitted is None else self._next_check(clock())
        while (found := await self._broadcast.next(last_id, min(due, check_at))) is not None:
            if is_still_admitted is not None and clock() >= check_at:
                if not await is_still_admitted():
                    return
                check_at = self._next_check(clock())
            text = found.past(last_id)
            last_id = max(last_id, found.last_id)
            if text or clock() >= due:
                yield text or b"id: %d\n: nothing new\n\n" % last_id
                due = clock() + self._heartbeat_seconds

    def _next_check(self, now: float) -> float:
        # The same for all streams, as each end of waiting makes a read of its own.
        return (now // self._check_seconds + 1) * self._check_seconds
