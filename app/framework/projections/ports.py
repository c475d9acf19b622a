"""The ports of the read side: what the projector writes to and what queries read from."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from app.framework.projections.projection import Document, Projection, Versioned

SILENCE = timedelta(seconds=15)
"""How long a projector that runs may say nothing before it is taken for gone."""


class ProjectionState(enum.StrEnum):
    """What a projection is doing."""

    RUNNING = "running"
    RETRYING = "retrying"
    STOPPED = "stopped"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """How far a projection is.

    position: of the last event whose effect is stored; None where it cannot be known.
    head: of the last event of the log as last seen; None where it cannot be known.
    error: why it is retrying or stopped.
    seen_at: when the projector last saved its status, in UTC, by the clock of the store.
    """

    name: str
    version: int
    position: int | None
    head: int | None
    state: ProjectionState
    error: str | None = None
    seen_at: datetime | None = None

    @classmethod
    def at_the_beginning(cls, projection: Projection) -> "ProjectionStatus":
        """The status of a projection to which no event has been applied, seen by none yet."""
        return cls(
            projection.name,
            projection.version,
            position=0,
            head=None,
            state=ProjectionState.RUNNING,
        )

    @property
    def lag(self) -> int | None:
        """How many events are not applied yet."""
        if self.position is None or self.head is None:
            return None
        return max(0, self.head - self.position)

    def heard_at(self, now: datetime) -> "ProjectionStatus":
        """This status as `now` sees it: absent if a projector should have said more by then."""
        gone = self.seen_at is None or now - self.seen_at > SILENCE
        if gone and self.state in (ProjectionState.RUNNING, ProjectionState.RETRYING):
            return replace(self, state=ProjectionState.ABSENT)
        return self


class ProjectionStore(Protocol):
    """Where a projector keeps the documents of projections, and how far it has come.

    Every method raises StorageUnavailable when the storage cannot be reached.
    """

    async def prepare(self, projection: Projection) -> int:
        """Make room and indexes for `projection`; the position its checkpoint stands at, or 0.

        The first version of a projection ever prepared serves queries from then on.
        """
        ...

    async def load(self, projection: Projection, keys: Collection[str]) -> Mapping[str, Versioned]:
        """The documents under `keys`, those that were deleted included."""
        ...

    async def count(self, projection: Projection, *, up_to: int) -> int:
        """How many documents there are whose position is at most `up_to`, deleted ones aside."""
        ...

    async def write(
        self,
        projection: Projection,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),
    ) -> None:
        """Store `documents` by key; they survive any single failure when this returns.

        A document stored at the same or a later position stays as it is, so that a replay,
        or a second projector, does no harm.

        Args:
            projection: whose documents they are.
            documents: the documents by key.
            created: the keys under which nothing is thought to be stored. A hint that may save
                work; where it is wrong, it changes nothing.

        """
        ...

    async def save(self, projection: Projection, status: ProjectionStatus) -> None:
        """Save the checkpoint, `status.position`, and the rest of `status` for others to see.

        Only positions up to which `write` has returned may be saved. The stored position
        never goes back. As `seen_at` the store notes the time of its own clock.
        """
        ...

    async def serve(self, projection: Projection) -> None:
        """Let queries read this version of the projection from now on."""
        ...

    async def adopt(self, log: str) -> str:
        """The identity of the log that the documents are made from, from now on if not before.

        The first identity that a store is given stays.
        """
        ...

    async def log_identity(self) -> str | None:
        """The identity of the log that the documents are made from; None if none was given."""
        ...


@dataclass(frozen=True, slots=True)
class Seek:
    """Where a page starts: past the document with this sort value and key."""

    value: Any
    key: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """What a field must be equal to, or contain if it is a list: any of `values`."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class BeginsWith:
    """What a text field must begin with: at least one character."""

    text: str


@dataclass(frozen=True, slots=True)
class HasWord:
    """What one of the words of a text field must begin with; words are parted by single spaces.

    `prefix` may run on into the words after.
    """

    prefix: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which documents a page holds, and in which order.

    equals: what fields must be equal to, or a OneOf, BeginsWith or HasWord; a field that is a
        list must contain the value.
    sort: the field to sort by, which holds texts, integers or times (one of these, in every
        document); documents with equal values are sorted by key.
    after: the last document of the page before.
    filters: further conditions, each a field and what `equals` might have for it. They narrow
        what an index finds through `equals` and have no part in the choice of the index.
    either: alternatives, each like `equals`; a document must match one of them. Each is served
        by an index of its own that is in the order.
    fields: what the documents are to hold beside `sort`; None for all of it.
    formerly: a version, and the page that means the same in versions of the view before that.
    """

    equals: Mapping[str, Any] = field(hash=False)
    sort: str
    limit: int
    descending: bool = False
    after: Seek | None = None
    filters: tuple[tuple[str, Any], ...] = ()
    either: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    fields: tuple[str, ...] | None = None
    formerly: "tuple[int, PageRequest] | None" = None

    def for_version(self, version: int) -> "PageRequest":
        """What to ask of this version of the view."""
        if self.formerly is None or version >= self.formerly[0]:
            return self
        return replace(self.formerly[1], limit=self.limit, after=self.after)


ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Some of a list, and the cursor that asks for what follows; None at the end."""

    items: Sequence[ItemT]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A document, its key, and the position of the last event applied to it."""

    key: str
    document: Document
    position: int


class ReadModelBehind(Exception):
    """A view does not hold what it is asked for yet."""

    def __init__(self, view: str, position: int) -> None:
        super().__init__(f"{view} does not hold the log up to position {position} yet.")


class AheadOfLog(Exception):
    """A position is asked for that the log does not reach: no event was ever recorded there."""

    def __init__(self, position: int) -> None:
        super().__init__(f"The log does not reach position {position}.")


class Views(Protocol):
    """What query handlers read: the documents of projections, by the projection's name.

    With `at_least`, what is read holds the effect of every event up to that position.

    Every method raises StorageUnavailable when the storage cannot be reached.
    """

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        """The document under `key`, or None.

        Raises:
            ReadModelBehind: the view has not come to `at_least`.
            Overloaded: too many reads are waiting.

        """
        ...

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        """Up to `request.limit` documents in order; fewer only when there are no more.

        Raises:
            ReadModelBehind: the view has not come to `at_least`.
            Overloaded: too many reads are waiting.

        """
        ...

    async def positions(self) -> Mapping[str, int]:
        """Up to which position each view holds the log, as it is now."""
        ...

    async def statuses(self) -> Sequence[ProjectionStatus]:
        """How far every projection is that a projector has ever run, by name and version.

        Absent are those that no projector has spoken of for SILENCE, by the clock of the store.
        """
        ...
