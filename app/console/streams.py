"""The page of a stream: the life of one aggregate, and what the views have of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from app.console import session
from app.console.live import Live, Parts
from app.console.pages import Pages
from app.console.side_by_side import Row, rows
from app.framework.administration import InspectStream, Step, TraceStream
from app.framework.eventsourcing.store import LAST_VERSION
from app.framework.http.event_streams import EventStreamResponse
from app.framework.http.sessions import PREFIX


@dataclass(frozen=True, slots=True)
class ShownStep:
    """An event with the state after it, beside the one before; no rows where it is not shown."""

    step: Step
    rows: Sequence[Row]


def add_streams(router: APIRouter, pages: Pages, live: Live) -> None:
    async def console_streams(request: Request) -> Response:
        wanted = request.query_params.get("id", "").strip()
        if wanted:
            base = session.base_of(request)
            return session.see(f"{base}/streams/{quote(wanted, safe='')}")
        return pages.page(request, "streams")

    async def console_stream(request: Request, stream_id: str) -> Response:
        return await _page(request, stream_id, pages)

    async def console_stream_changes(request: Request, stream_id: str) -> Response:
        values = request.query_params.get("values") == "1"
        shown = _number(request, "version", 0)

        async def look() -> Parts:
            found = await pages.send(request, _message(stream_id, LAST_VERSION, values=values))
            base = session.base_of(request)
            newer = pages.render("stream/newer.html", stream=found, shown=shown, base=base)
            documents = pages.render("stream/documents.html", stream=found, base=base)
            return {"newer": newer, "documents": documents}

        return await live.parts_of(request, look)

    _add(router, f"{PREFIX}/streams", pages.guarded(console_streams))
    _add(router, f"{PREFIX}/streams/{{stream_id}}", pages.guarded(console_stream))
    router.add_api_route(
        f"{PREFIX}/live/streams/{{stream_id}}",
        pages.guarded(console_stream_changes),
        methods=["GET"],
        include_in_schema=False,
        response_class=EventStreamResponse,
    )


async def _page(request: Request, stream_id: str, pages: Pages) -> Response:
    values = request.query_params.get("values") == "1"
    until = _number(request, "until", LAST_VERSION)
    found = await pages.send(request, _message(stream_id, until, values=values))
    steps = shown_steps(found.steps)
    versions = [each.step.event.version for each in steps]
    wanted = _number(request, "version", until)
    return pages.page(
        request,
        "stream",
        200 if found.version else 404,
        stream=found,
        steps=steps,
        current=max(
            (each for each in versions if each <= wanted), default=min(versions, default=0)
        ),
        values=values,
        shown=found.version,
        may_look=pages.may(request, InspectStream),
    )


def _message(stream_id: str, until: int, *, values: bool) -> TraceStream | InspectStream:
    return (InspectStream if values else TraceStream)(stream_id, until)


def shown_steps(steps: Sequence[Step]) -> Sequence[ShownStep]:
    """Each step with its state beside the one before."""
    found: list[ShownStep] = []
    before: Mapping[str, Any] | None = None
    for each in steps:
        # Of the first that is shown, the one before may not be known.
        left = before if before is not None or each.event.version == 1 else each.state
        found.append(ShownStep(each, rows(left, each.state) if each.state is not None else ()))
        before = each.state
    return found


def _number(request: Request, name: str, otherwise: int) -> int:
    given = request.query_params.get(name, "")
    is_number = given.isascii() and given.isdigit()
    return min(int(given), LAST_VERSION) if is_number else otherwise


def _add(router: APIRouter, path: str, handler: Any) -> None:
    router.add_api_route(path, handler, methods=["GET"], include_in_schema=False)
