"""The access log: a line for each request, as one JSON object.

Lines are kept in memory, and a thread writes them together: no request waits for that, also where
standard error takes no more. Requests that come in floods are counted instead.

Lines have no path and no query, and of a principal only its kind.
"""

import asyncio
import logging
import select
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from json.encoder import encode_basestring_ascii as quoted

from app.framework.observability import timestamps
from app.framework.observability.episodes import Episode
from app.framework.observability.handlers import StandardError, write_only_to

LOGGER = "app.access"

WRITE_SECONDS = 0.25
"""How long a line waits for others, unless standard error is slow."""

COUNT_SECONDS = 10.0
"""How often what is counted has a line."""

LINES = 20_000
"""How many lines may wait. Further ones are lost; the log says how many."""

_log = logging.getLogger(LOGGER)


def direct() -> None:
    """Write the lines to standard error. Their form and level do not depend on those of the log."""
    write_only_to(StandardError(), _log)


class AccessLog:
    """Collects the lines of the requests of one event loop.

    `about` are the members that many requests share, as JSON without its braces.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._counts: Counter[str] = Counter()
        self._next: asyncio.TimerHandle | None = None
        self._next_counts: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._lost = Episode(
            logging.getLogger(__name__),
            begins="Lines of the access log are lost: standard error is slower than requests.",
            ended="%d lines of the access log were lost.",
        )

    def add(
        self,
        about: str,
        seconds: float,
        request_id: str,
        internal_id: str,
        trace_id: str | None = None,
    ) -> None:
        """Have a line written about a request, whose answer began after so many seconds."""
        if len(self._lines) >= LINES:
            self._lost.count()
            return
        ids = f'"request_id":{quoted(request_id)}'
        if internal_id != request_id:
            ids += f',"internal_request_id":{quoted(internal_id)}'
        if trace_id is not None:
            ids += f',"trace_id":"{trace_id}"'
        self._lines.append(f'{_beginning()}{about},"duration":{seconds:.6f},{ids}}}')
        if self._next is None and self._writing is None:
            self._next = _later(WRITE_SECONDS, self._write)

    def count(self, about: str) -> None:
        """Count a request that has no line of its own."""
        self._counts[about] += 1
        if self._next_counts is None:
            self._next_counts = _later(COUNT_SECONDS, self._write_counts)

    async def close(self) -> None:
        """Write all that is there."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self._next_counts is not None:
            self._next_counts.cancel()
            self._write_counts()
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait([self._write()])
        self._lost.end()

    def _write(self) -> asyncio.Future[None]:
        lines, self._lines, self._next = self._lines, [], None
        self._writing = asyncio.get_running_loop().run_in_executor(None, _write, lines)
        self._writing.add_done_callback(self._go_on)
        return self._writing

    def _go_on(self, _: object) -> None:
        self._writing = None
        if self._lines:
            self._next = _later(WRITE_SECONDS, self._write)

    def _write_counts(self) -> None:
        counts, self._counts, self._next_counts = self._counts, Counter(), None
        self._lines += [f'{_beginning()}{about},"count":{n}}}' for about, n in counts.items()]
        if self._next is None and self._writing is None:
            self._next = _later(WRITE_SECONDS, self._write)


def _beginning() -> str:
    return f'{{"timestamp":"{timestamps.now()}","logger":"{LOGGER}",'


def _later(seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
    # In a context of its own: it belongs to no single request.
    return asyncio.get_running_loop().call_later(seconds, call, context=Context())


def _write(lines: Sequence[str]) -> None:
    for each in _chunks(lines):
        _log.info("%s", each)


def _chunks(lines: Sequence[str]) -> Iterator[str]:
    """Whole lines, as many as a pipe takes at once: other processes may write to it as well."""
    chunk: list[str] = []
    length = 0
    for line in lines:
        length += len(line) + 1
        if chunk and length > select.PIPE_BUF:
            yield "\n".join(chunk)
            chunk, length = [], len(line) + 1
        chunk.append(line)
    if chunk:
        yield "\n".join(chunk)
