"""Register a user."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.users.domain.errors import UserAlreadyExists
from app.contexts.users.domain.user import User
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import Event
from app.framework.mediator import Command


@dataclass(frozen=True, slots=True)
class RegisterUser(Command[UserProfile]):
    """Register a user with this profile. `values` says which values are accepted."""

    user_id: str
    name: str
    email: str
    avatar_url: str | None = None
    bio: str | None = None


def register_user(command: RegisterUser, user: User | None) -> Sequence[Event]:
    """Decide on it.

    Raises:
        UserAlreadyExists: a user has the id.
        ValueError: a value is not accepted.

    """
    if user is not None:
        raise UserAlreadyExists(command.user_id)
    return User.register(
        command.user_id, command.name, command.email, command.avatar_url, command.bio
    )
