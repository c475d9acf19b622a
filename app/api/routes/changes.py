"""What happens, as a stream of server-sent events."""

from typing import Any

from fastapi import APIRouter, Request

from app.api.broadcast import EventBatch
from app.api.consistency import consistent_with
from app.api.direct import DirectRoute
from app.api.event_streams import MEDIA_TYPE, EventStreamResponse, EventStreams, one_line
from app.api.problems.streams import TOO_MANY_STREAMS
from app.api.responses import QUERY, answers, reference
from app.api.routes.parameters import ConsistencyToken, LastEventId
from app.api.schemas.changes import USER_CHANGE, UserChange
from app.api.service import Service
from app.users.queries.follow_users import FollowUsers

_EXAMPLE_DATA = UserChange.model_validate(USER_CHANGE).model_dump_json()
_EXAMPLE = f"retry: 1000\nid: 1046\n\nid: 1047\ndata: {_EXAMPLE_DATA}\n\n"

_CONTENT: dict[str, Any] = {
    MEDIA_TYPE: {
        # Of the body as a whole OpenAPI 3.1 can say no more; what each `data` is, this says.
        "schema": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": reference(UserChange),
        },
        "example": _EXAMPLE,
    }
}


def changes_router(service: Service) -> APIRouter:
    """The route /changes."""
    changes = APIRouter(prefix="/changes", tags=["changes"], route_class=DirectRoute)

    async def look(after: int | None, seconds: float) -> EventBatch:
        found = await service.mediator.send(FollowUsers(after, seconds))
        events = [
            (each.position, one_line(UserChange.model_validate(each).model_dump_json()))
            for each in found.items
        ]
        return EventBatch(events, found.position)

    streams = EventStreams("changes", look, service.stopping)

    @changes.get(
        "",
        summary="Follow changes",
        response_class=EventStreamResponse,
        responses=answers(
            200,
            "Server-sent events without end: `id` is the position, `data` a `UserChange` as JSON.",
            content=_CONTENT,
            problems=(*QUERY, TOO_MANY_STREAMS),
        ),
    )
    async def stream_changes(
        request: Request,
        last_event_id: LastEventId = None,
        consistency_token: ConsistencyToken = None,
    ) -> EventStreamResponse:
        """Be told of everything that happens to users, in its order, as soon as all views hold it.

        A stream may end at any time, as when the service is restarted: go on with the last `id`
        as `Last-Event-ID`, and nothing is missed and nothing told twice. A browser's
        `EventSource` does so by itself.
        """
        client = None if request.client is None else request.client.host
        with consistent_with(consistency_token):
            return await streams.response(
                last_event_id, client=client, look_first=consistency_token is not None
            )

    return changes
