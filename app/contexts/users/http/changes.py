"""What happens to users, as a stream of server-sent events."""

from app.contexts.users.http.change_schema import UserChange
from app.contexts.users.queries.follow_users import FollowUsers
from app.framework.http.resources import Resource

changes = Resource("/changes", tag="changes")


@changes.stream(
    summary="Follow changes",
    item=UserChange,
    answered="Server-sent events without end: `id` is the position, `data` a `UserChange` as JSON.",
)
def stream_changes(after: int | None, seconds: float) -> FollowUsers:
    """Be told of everything that happens to users, in its order, as soon as all views hold it.

    A stream may end at any time, as when the service is restarted: go on with the last `id`
    as `Last-Event-ID`, and nothing is missed and nothing told twice. A browser's
    `EventSource` does so by itself.
    """
    return FollowUsers(after, seconds)
