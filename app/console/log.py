"""The page of the log: events as they come, or from any position."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.console.live import Live
from app.console.pages import Pages
from app.console.session import base_of
from app.framework.administration import EventList, InspectEvents, ListEvents, LoggedEvent
from app.framework.http.consistency import LAST_POSITION
from app.framework.http.event_streams import EventStreamResponse
from app.framework.http.sessions import PREFIX
from app.framework.storage import StorageUnavailable

SHOWN = 50
SENT = 50
"""How many events go to a page at once."""

SENT_OF_MANY = 20
"""How many of more than that, the last ones: a browser draws the page anew for them each second."""


class NotANumber(ValueError):
    """A position that is none."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a reader wants to see.

    after: those after this position, the first ones; None for the last ones, and what comes.
    version: of a stream, what was read.
    values: with what is in them.
    """

    after: int | None = None
    event_type: str = ""
    stream_id: str = ""
    version: int = 0
    values: bool = False

    @classmethod
    def of(cls, request: Request) -> "Filter":
        """What the query of a request says.

        Raises:
            NotANumber: the position is none.

        """
        query = request.query_params
        return cls(
            after=_number(query.get("after", "")),
            event_type=query.get("type", "").strip()[:200],
            stream_id=query.get("stream", "").strip()[:255],
            version=_number(query.get("version", "")) or 0,
            values=query.get("values") == "1",
        )

    def message(self, limit: int) -> ListEvents | InspectEvents:
        kind = InspectEvents if self.values else ListEvents
        return kind(
            after=self.after,
            event_type=self.event_type or None,
            stream_id=self.stream_id or None,
            after_version=self.version,
            limit=limit,
        )

    def query(self) -> str:
        """The query of an address, of what is chosen."""
        chosen = {
            "after": self.after,
            "type": self.event_type,
            "stream": self.stream_id,
            "version": self.version or "",
            "values": 1 if self.values else "",
        }
        return urlencode({name: it for name, it in chosen.items() if it not in ("", None)})

    def going_on(self, found: EventList) -> "Filter":
        return replace(self, after=found.position, version=found.version)


def add_log(router: APIRouter, pages: Pages, live: Live, event_types: Sequence[str]) -> None:
    async def console_log(request: Request) -> Response:
        trouble, chosen, found = None, Filter(), EventList([], 0)
        try:
            chosen = Filter.of(request)
            found = await pages.send(request, chosen.message(SHOWN))
        except NotANumber as error:
            trouble = str(error)
        follows = chosen.after is None and trouble is None
        return pages.page(
            request,
            "log",
            422 if trouble else 200,
            trouble=trouble,
            chosen=chosen,
            events=found.items[::-1] if follows else found.items,
            later=chosen.going_on(found).query() if len(found.items) == SHOWN else None,
            live=chosen.going_on(found).query() if follows else None,
            event_types=event_types,
            may_look=pages.may(request, InspectEvents),
        )

    async def console_log_changes(request: Request) -> Response:
        try:
            chosen = Filter.of(request)
        except NotANumber:
            return Response(status_code=204)  # EventSource does not come back after it
        last = request.headers.get("last-event-id", "").partition("-")
        if last[0].isdigit():
            chosen = replace(chosen, after=int(last[0]), version=int(last[2] or 0))
        with contextlib.suppress(StorageUnavailable):  # the page is to say so, and when it is back
            await pages.send(request, replace(chosen, after=LAST_POSITION).message(1))
        base = base_of(request)

        async def send(message: ListEvents | InspectEvents) -> EventList:
            return await pages.send(request, message)

        def render(events: Sequence[LoggedEvent]) -> str:
            return pages.render("log/rows.html", events=events, base=base)

        return live.response(request, lambda: coming(send, render, chosen))

    for path, handler, kind in (
        (f"{PREFIX}/log", console_log, Response),
        (f"{PREFIX}/live/log", console_log_changes, EventStreamResponse),
    ):
        router.add_api_route(
            path,
            pages.guarded(handler),
            methods=["GET"],
            include_in_schema=False,
            response_class=kind,
        )


async def coming(
    send: Callable[[ListEvents | InspectEvents], Awaitable[EventList]],
    render: Callable[[Sequence[LoggedEvent]], str],
    chosen: Filter,
) -> AsyncIterator[tuple[str | None, Any]]:
    """The events that come, the last of them first; of too many only the last."""
    is_late = False
    while True:
        try:
            found = await send(chosen.message(SENT))
            skipped = is_late and len(found.items) == SENT
            if skipped:
                found = await send(replace(chosen, after=None).message(SENT_OF_MANY))
            is_late = skipped or len(found.items) == SENT
        except StorageUnavailable as error:
            yield None, {"id": "trouble", "html": error.summary}
            yield None, None
            continue
        yield None, {"id": "trouble", "html": ""}
        chosen = chosen.going_on(found)
        if found.items:
            rows = render(found.items[::-1])
            data = {"rows": rows, "skipped": skipped, "query": chosen.query()}
            yield f"{found.position}-{found.version}", data
        yield None, None


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit()) or int(text) > LAST_POSITION:
        raise NotANumber("A position is a whole number, such as 1000.")
    return int(text)
