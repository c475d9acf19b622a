"""Open a user's profile to changes again."""

from dataclasses import dataclass

from app.mediator import Command
from app.users.read_models import UserProfile
from app.users.user import User
from app.users.users import Users


@dataclass(frozen=True, slots=True)
class ReactivateUser(Command[UserProfile]):
    """The user's profile is to be open to changes; `expected_version` as in UpdateUserProfile."""

    user_id: str
    expected_version: int | None = None


class ReactivateUserHandler:
    """Raises UserNotFound, VersionMismatch and VersionConflict."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def __call__(self, command: ReactivateUser) -> UserProfile:
        """Record it, unless the profile is open already."""
        return await self._users.change(
            command.user_id, User.reactivate, expected_version=command.expected_version
        )
