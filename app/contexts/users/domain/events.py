"""The events of users; stored for ever, so a change needs a schema version and an upcaster."""

from dataclasses import dataclass
from typing import ClassVar

from app.framework.eventsourcing import Event


@dataclass(frozen=True, slots=True)
class UserRegistered(Event):
    """A user came to be, active."""

    event_type: ClassVar[str] = "UserRegistered"

    user_id: str
    name: str
    email: str
    avatar_url: str | None = None
    bio: str | None = None


@dataclass(frozen=True, slots=True)
class UserNameChanged(Event):
    """The user goes by another name."""

    event_type: ClassVar[str] = "UserNameChanged"

    name: str


@dataclass(frozen=True, slots=True)
class UserEmailChanged(Event):
    """The user has another e-mail address; the one before is free for others."""

    event_type: ClassVar[str] = "UserEmailChanged"

    email: str


@dataclass(frozen=True, slots=True)
class UserAvatarChanged(Event):
    """The user has another avatar, or none."""

    event_type: ClassVar[str] = "UserAvatarChanged"

    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class UserBioChanged(Event):
    """The user has another bio, or none."""

    event_type: ClassVar[str] = "UserBioChanged"

    bio: str | None


@dataclass(frozen=True, slots=True)
class UserDeactivated(Event):
    """The user's profile is closed to changes; the e-mail address stays taken."""

    event_type: ClassVar[str] = "UserDeactivated"


@dataclass(frozen=True, slots=True)
class UserReactivated(Event):
    """The user's profile is open to changes again."""

    event_type: ClassVar[str] = "UserReactivated"


STREAM_TYPE = "user"
"""The type of the streams of users."""

USER_EVENTS: tuple[type[Event], ...] = (
    UserRegistered,
    UserNameChanged,
    UserEmailChanged,
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserReactivated,
)
