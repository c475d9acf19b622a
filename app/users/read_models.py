"""What queries on users answer with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.eventsourcing import Data
from app.users.user import UserStatus


@dataclass(frozen=True, slots=True)
class UserProfile:
    """All of a user's profile.

    version: how many events have happened to the user.
    created_at, updated_at: when the first and the last of them were recorded, in UTC.
    position: of the last of them in the log.
    """

    id: str
    name: str
    email: str
    avatar_url: str | None
    bio: str | None
    status: UserStatus
    version: int
    created_at: datetime
    updated_at: datetime
    position: int


@dataclass(frozen=True, slots=True)
class UserSummary:
    """A user in a list: what a dashboard shows of them."""

    id: str
    name: str
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class UserHistoryEntry:
    """One event that happened to a user, with its payload in today's form."""

    version: int
    type: str
    occurred_at: datetime
    actor: str | None
    data: Data


@dataclass(frozen=True, slots=True)
class UserChange:
    """One event that happened to some user, as those who follow all users are told of it.

    position: its place in the log.
    version: the user's from then on.
    """

    position: int
    user_id: str
    version: int
    type: str
    occurred_at: datetime
    actor: str | None
    data: Data


@dataclass(frozen=True, slots=True)
class UserChanges:
    """Some of what happened, in the order of the log, and the position up to which it is all."""

    items: Sequence[UserChange]
    position: int
