"""Open a user's profile to changes again."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.users.domain.user import User, existing
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import Event
from app.framework.mediator import Command


@dataclass(frozen=True, slots=True)
class ReactivateUser(Command[UserProfile]):
    """Open this user's profile to changes again; nothing happens to one that is open."""

    user_id: str
    expected_version: int | None = None


def reactivate_user(command: ReactivateUser, user: User | None) -> Sequence[Event]:
    """Decide on it.

    Raises:
        UserNotFound: no user has the id.

    """
    return existing(user, command.user_id).reactivate()
