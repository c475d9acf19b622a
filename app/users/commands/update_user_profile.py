"""Change parts of a user's profile."""

from dataclasses import dataclass

from app.mediator import Command
from app.users.read_models import UserProfile
from app.users.users import Users
from app.users.values import UNCHANGED, Unchanged


@dataclass(frozen=True, slots=True)
class UpdateUserProfile(Command[UserProfile]):
    """These fields are to have these values; the others stay. None clears an optional field.

    expected_version: the version the change was made for; None for whichever there is.
    """

    user_id: str
    name: str | Unchanged = UNCHANGED
    email: str | Unchanged = UNCHANGED
    avatar_url: str | Unchanged | None = UNCHANGED
    bio: str | Unchanged | None = UNCHANGED
    expected_version: int | None = None


class UpdateUserProfileHandler:
    """Raises UserNotFound, UserIsDeactivated, EmailTaken, VersionMismatch and VersionConflict.

    And ValueError for a value that `values` does not accept.
    """

    def __init__(self, users: Users) -> None:
        self._users = users

    async def __call__(self, command: UpdateUserProfile) -> UserProfile:
        """Record what changes, which may be nothing."""
        return await self._users.change(
            command.user_id,
            lambda user: user.update(
                name=command.name,
                email=command.email,
                avatar_url=command.avatar_url,
                bio=command.bio,
            ),
            expected_version=command.expected_version,
        )
