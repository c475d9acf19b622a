"""Register a user."""

from dataclasses import dataclass

from app.mediator import Command
from app.users.read_models import UserProfile
from app.users.user import User
from app.users.users import Users


@dataclass(frozen=True, slots=True)
class RegisterUser(Command[UserProfile]):
    """A user with this profile is to exist. `values` says which values are accepted."""

    user_id: str
    name: str
    email: str
    avatar_url: str | None = None
    bio: str | None = None


class RegisterUserHandler:
    """Raises UserAlreadyExists, EmailTaken, and ValueError for a value that is not accepted."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def __call__(self, command: RegisterUser) -> UserProfile:
        """Record the user."""
        return await self._users.register(
            User(
                id=command.user_id,
                name=command.name,
                email=command.email,
                avatar_url=command.avatar_url,
                bio=command.bio,
            )
        )
