"""Get a user's profile as it once was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.projections.user_history import USER_HISTORY, recorded_event
from app.contexts.users.projections.user_profiles import USER_PROFILES, profile
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import EventRegistry, RecordedEvent
from app.framework.mediator import Query
from app.framework.projections import ConsistentViews, Document, Entry, PageRequest, Seek
from app.framework.request import RequestContext

_PAGE = 500


@dataclass(frozen=True, slots=True)
class GetPastUserProfile(Query[UserProfile]):
    """The profile of this user as it stood at a time (with a zone), or at a version.

    With both, as it stood at the earlier one.
    """

    user_id: str
    time: datetime | None = None
    version: int | None = None


class GetPastUserProfileHandler:
    """Raises UserNotFound if the user did not exist then, or has no such version."""

    def __init__(self, views: ConsistentViews, registry: EventRegistry) -> None:
        self._views = views
        self._registry = registry

    async def __call__(self, query: GetPastUserProfile, context: RequestContext) -> UserProfile:
        """The current profile if it is old enough, else a fold of the history up to then."""
        now = await self._views.get(USER_PROFILES.name, query.user_id, context)
        if now is None:
            raise UserNotFound(query.user_id)
        if _is_so(now, query):
            return profile(now)
        if query.time is None and not await self._has(query, now, context):
            raise UserNotFound(query.user_id, f" at version {query.version}")
        document: Document | None = None
        last: RecordedEvent | None = None
        seek: Seek | None = None
        while entries := await self._page(query, seek, context):
            for entry in entries:
                recorded = recorded_event(entry, self._registry)
                if _is_later(recorded, query):
                    return _profile(query, document, last)
                document, last = USER_PROFILES.evolve(document, recorded), recorded
            seek = Seek(entries[-1].document["version"], entries[-1].key)
        return _profile(query, document, last)

    async def _has(self, query: GetPastUserProfile, now: Entry, context: RequestContext) -> bool:
        # The view of the history may be ahead of the other.
        if query.version is None or query.version <= now.document["version"]:
            return True
        key = f"{query.user_id}:{query.version}"
        return await self._views.get(USER_HISTORY.name, key, context) is not None

    async def _page(
        self, query: GetPastUserProfile, seek: Seek | None, context: RequestContext
    ) -> Sequence[Entry]:
        past = seek.value if seek else 0
        limit = _PAGE if query.version is None else min(_PAGE, query.version - past)
        if limit < 1:
            return ()
        equals = {"user_id": query.user_id}
        request = PageRequest(equals=equals, sort="version", limit=limit, after=seek)
        return await self._views.page(USER_HISTORY.name, request, context)


def _is_so(now: Entry, query: GetPastUserProfile) -> bool:
    if query.time is not None and now.document["updated_at"] > query.time:
        return False
    if query.version is None or now.document["version"] == query.version:
        return True
    return query.time is not None and now.document["version"] < query.version


def _is_later(recorded: RecordedEvent, query: GetPastUserProfile) -> bool:
    by_time = query.time is not None and recorded.recorded_at > query.time
    by_version = query.version is not None and recorded.version > query.version
    return by_time or by_version


def _profile(
    query: GetPastUserProfile, document: Document | None, last: RecordedEvent | None
) -> UserProfile:
    if document is None or last is None:
        raise UserNotFound(query.user_id)
    return profile(Entry(query.user_id, document, last.position))
