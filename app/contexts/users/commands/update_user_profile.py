"""Change parts of a user's profile."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.users.domain.user import User, existing
from app.contexts.users.domain.values import UNCHANGED, Unchanged
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import Event
from app.framework.mediator import Command


@dataclass(frozen=True, slots=True)
class UpdateUserProfile(Command[UserProfile]):
    """Give these fields of this user these values; the others stay. None clears an optional one."""

    user_id: str
    name: str | Unchanged = UNCHANGED
    email: str | Unchanged = UNCHANGED
    avatar_url: str | Unchanged | None = UNCHANGED
    bio: str | Unchanged | None = UNCHANGED
    expected_version: int | None = None


def update_user_profile(command: UpdateUserProfile, user: User | None) -> Sequence[Event]:
    """Decide on it; nothing changes if all fields have these values.

    Raises:
        UserNotFound: no user has the id.
        UserIsDeactivated: the profile is closed to changes.
        ValueError: a value is not accepted.

    """
    return existing(user, command.user_id).update(
        name=command.name, email=command.email, avatar_url=command.avatar_url, bio=command.bio
    )
