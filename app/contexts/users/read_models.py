"""What queries on users answer with."""

from dataclasses import dataclass
from datetime import datetime

from app.contexts.users.domain.user import UserStatus
from app.framework.eventsourcing import Data


@dataclass(frozen=True, slots=True)
class UserProfile:
    """All of a user's profile.

    version: how many events have happened to the user.
    created_at, updated_at: when the first and the last of them were recorded, in UTC.
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
    """One event that happened to some user, as followers of all users get it.

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
