"""The results of queries on users."""

from dataclasses import dataclass
from datetime import datetime

from app.contexts.users.domain.user import UserStatus
from app.framework.eventsourcing import Data


@dataclass(frozen=True, slots=True)
class UserProfile:
    """The whole profile of a user.

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
    """A user in a list, as a dashboard shows it."""

    id: str
    name: str
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class UserHistoryEntry:
    """An event of a user, with its payload in the current schema version."""

    version: int
    type: str
    occurred_at: datetime
    actor: str | None
    data: Data


@dataclass(frozen=True, slots=True)
class UserChange:
    """An event of any user, as followers of all users get it.

    position: its position in the log.
    version: the version of the user after it.
    """

    position: int
    user_id: str
    version: int
    type: str
    occurred_at: datetime
    actor: str | None
    data: Data
