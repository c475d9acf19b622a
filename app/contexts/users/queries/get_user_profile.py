"""Get a user's profile."""

from dataclasses import dataclass

from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.projections.user_profiles import USER_PROFILES, profile
from app.contexts.users.read_models import UserProfile
from app.framework.mediator import Query
from app.framework.projections import ConsistentViews
from app.framework.request import RequestContext


@dataclass(frozen=True, slots=True)
class GetUserProfile(Query[UserProfile]):
    """The profile of this user as it is now."""

    user_id: str


class GetUserProfileHandler:
    """Raises UserNotFound."""

    def __init__(self, views: ConsistentViews) -> None:
        self._views = views

    async def __call__(self, query: GetUserProfile, context: RequestContext) -> UserProfile:
        entry = await self._views.get(USER_PROFILES.name, query.user_id, context)
        if entry is None:
            raise UserNotFound(query.user_id)
        return profile(entry)
