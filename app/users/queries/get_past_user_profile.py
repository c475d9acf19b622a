"""Get a user's profile as it once was."""

from dataclasses import dataclass
from datetime import datetime

from app.eventsourcing import EventRegistry, RecordedEvent
from app.mediator import Query
from app.projecting import Document, Entry, PageRequest, Seek, Views
from app.users.errors import UserNotFound
from app.users.projections.user_history import USER_HISTORY, recorded_event
from app.users.projections.user_profiles import USER_PROFILES, profile
from app.users.read_models import UserProfile

_PAGE = 500


@dataclass(frozen=True, slots=True)
class GetPastUserProfile(Query[UserProfile]):
    """The profile of this user as it stood at a time (with a zone), or at a version.

    Given both, as it stood at whichever came first.
    """

    user_id: str
    time: datetime | None = None
    version: int | None = None


class GetPastUserProfileHandler:
    """Raises UserNotFound when there was no such user then, or is no such version."""

    def __init__(self, views: Views, registry: EventRegistry) -> None:
        self._views = views
        self._registry = registry

    async def __call__(self, query: GetPastUserProfile) -> UserProfile:
        """Fold the user's history up to then."""
        document: Document | None = None
        last: RecordedEvent | None = None
        seek: Seek | None = None
        while entries := await self._page(query.user_id, seek):
            for entry in entries:
                recorded = recorded_event(entry, self._registry)
                if _is_later(recorded, query):
                    return _profile(query, document, last)
                document, last = USER_PROFILES.evolve(document, recorded), recorded
            seek = Seek(entries[-1].document["version"], entries[-1].key)
        never = query.version is not None and last is not None and last.version < query.version
        if never and query.time is None:
            raise UserNotFound(query.user_id, f" at version {query.version}")
        return _profile(query, document, last)

    async def _page(self, user_id: str, seek: Seek | None) -> list[Entry]:
        request = PageRequest(equals={"user_id": user_id}, sort="version", limit=_PAGE, after=seek)
        return list(await self._views.page(USER_HISTORY.name, request))


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
