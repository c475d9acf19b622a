"""Get a user's profile."""

from dataclasses import dataclass

from app.mediator import Query
from app.projecting import Views
from app.users.errors import UserNotFound
from app.users.projections.user_profiles import USER_PROFILES, profile
from app.users.read_models import UserProfile


@dataclass(frozen=True, slots=True)
class GetUserProfile(Query[UserProfile]):
    """The profile of this user as it is now."""

    user_id: str


class GetUserProfileHandler:
    """Raises UserNotFound."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def __call__(self, query: GetUserProfile) -> UserProfile:
        """Read the profile."""
        entry = await self._views.get(USER_PROFILES.name, query.user_id)
        if entry is None:
            raise UserNotFound(query.user_id)
        return profile(entry)
