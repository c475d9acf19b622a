"""Close a user's profile to changes."""

from dataclasses import dataclass

from app.mediator import Command
from app.users.read_models import UserProfile
from app.users.user import User
from app.users.users import Users


@dataclass(frozen=True, slots=True)
class DeactivateUser(Command[UserProfile]):
    """The user's profile is to be closed to changes; `expected_version` as in UpdateUserProfile."""

    user_id: str
    expected_version: int | None = None


class DeactivateUserHandler:
    """Raises UserNotFound, VersionMismatch and VersionConflict."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def __call__(self, command: DeactivateUser) -> UserProfile:
        """Record it, unless the profile is closed already."""
        return await self._users.change(
            command.user_id, User.deactivate, expected_version=command.expected_version
        )
