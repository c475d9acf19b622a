"""Close a user's profile to changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.users.domain.user import User, existing
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import Event
from app.framework.mediator import Command


@dataclass(frozen=True, slots=True)
class DeactivateUser(Command[UserProfile]):
    """Close this user's profile to changes; nothing happens to one that is closed."""

    user_id: str
    expected_version: int | None = None


def deactivate_user(command: DeactivateUser, user: User | None) -> Sequence[Event]:
    """Decide on it.

    Raises:
        UserNotFound: no user has the id.

    """
    return existing(user, command.user_id).deactivate()
