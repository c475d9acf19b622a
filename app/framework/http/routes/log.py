"""The log, for operators."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app.framework.administration import ReadLog, ReadStream
from app.framework.http.consistency import LAST_POSITION
from app.framework.http.examples import GENERIC
from app.framework.http.parameters import WHOLE_NUMBER, Cursor, Limit
from app.framework.http.principals import context_of
from app.framework.http.problems import INVALID_CURSOR, NOT_FOUND
from app.framework.http.routes.administrative import reads
from app.framework.http.schemas.bases import VERSION_MAX
from app.framework.http.schemas.log import LoggedEventPage
from app.framework.mediator import Mediator

_ANSWERED = "A page of events."

_Type = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z0-9_.:-]{1,200}$",
        description="Events of this type only.",
        examples=[GENERIC.event_type],
    ),
]

_AfterPosition = Annotated[
    int,
    Query(ge=0, le=LAST_POSITION, description="The position to start after.", examples=[1000]),
    WHOLE_NUMBER,
]

_AfterVersion = Annotated[
    int,
    Query(ge=0, le=VERSION_MAX, description="The version to start after.", examples=[2]),
    WHOLE_NUMBER,
]

_StreamId = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_.~:@-]{1,255}$",
        description="The type of an aggregate, `-`, and its id.",
        examples=[GENERIC.stream_id],
    ),
]


def add_log(router: APIRouter, mediator: Mediator) -> None:
    async def read_log(
        request: Request,
        after: _AfterPosition = 0,
        type: _Type = None,  # noqa: A002 - the name of the parameter for clients
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> LoggedEventPage:
        """List the events of all streams in the order of the log.

        With a type, a page may be short or empty before the last one: `next_cursor` is null at the
        end only.
        """
        query = ReadLog(after=after, event_type=type, limit=limit, cursor=cursor)
        return LoggedEventPage.model_validate(await mediator.send(query, context_of(request.scope)))

    async def read_stream(
        request: Request,
        stream_id: _StreamId,
        after: _AfterVersion = 0,
        type: _Type = None,  # noqa: A002 - as above
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> LoggedEventPage:
        """List the events of one stream, in order; a stream that does not exist has none."""
        query = ReadStream(stream_id, after=after, event_type=type, limit=limit, cursor=cursor)
        return LoggedEventPage.model_validate(await mediator.send(query, context_of(request.scope)))

    router.add_api_route(
        "/admin/log",
        read_log,
        summary="Read the log",
        **reads(ReadLog, _ANSWERED, INVALID_CURSOR),
    )
    router.add_api_route(
        "/admin/streams/{stream_id}",
        read_stream,
        summary="Read a stream",
        **reads(ReadStream, _ANSWERED, INVALID_CURSOR, NOT_FOUND),  # of an id with a slash in it
    )
