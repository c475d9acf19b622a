"""The ports of the read side: the projector writes to one, queries read from the other."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from app.framework.projections.projection import Document, Index, Projection, Versioned


class ProjectionState(enum.StrEnum):
    """What a build is doing.

    `waiting`: for a newer process, which knows an event that its holder does not. `absent`: no
    process works on it. `unknown`: this process cannot know.
    """

    RUNNING = "running"
    RETRYING = "retrying"
    WAITING = "waiting"
    STOPPED = "stopped"
    PAUSED = "paused"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """The status of a projection.

    position: of the last event whose effect is stored; None if unknown.
    head: of the last event of the log as last seen; None if unknown.
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
        """The status of a projection before its first event."""
        return cls(
            projection.name,
            projection.version,
            position=0,
            head=None,
            state=ProjectionState.RUNNING,
        )

    @property
    def lag(self) -> int | None:
        """How many events it is behind the head; None if unknown."""
        if self.position is None or self.head is None:
            return None
        return max(0, self.head - self.position)


class CannotStore(Exception):
    """A document is one that its store cannot hold; a retry does not help."""

    def __init__(self, build: str, key: str, why: str) -> None:
        super().__init__(f"The document {key!r} of {build} cannot be stored: {why}")
        self.key = key


class ProjectionStore(Protocol):
    """Stores the documents of builds; `build` is the id of one.

    Every method raises StorageUnavailable when the storage cannot be reached.
    """

    async def prepare(self, build: str, indexes: Sequence[Index]) -> None:
        """Create the storage of `build` with these indexes, where they are missing."""
        ...

    async def identity(self, build: str) -> str | None:
        """Identifies the storage of a build: another one has another. None if there is none."""
        ...

    async def load(self, build: str, keys: Collection[str]) -> Mapping[str, Versioned]:
        """The documents under `keys`, including deleted ones."""
        ...

    async def count(self, build: str, *, up_to: int) -> int:
        """How many documents have a position of at most `up_to`, without deleted ones."""
        ...

    async def write(
        self,
        build: str,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),
    ) -> None:
        """Store `documents` by key; when this returns they survive any single failure.

        A stored document at the same or a later position stays as it is: writes are idempotent, and
        those of a process that has lost its lease do no harm.

        Args:
            build: the id of their build.
            documents: the documents by key.
            created: keys that are probably not stored yet. A hint that saves work; if it is wrong,
                the result is the same.

        Raises:
            CannotStore: of one of them; others may be stored.

        """
        ...

    async def replace(
        self,
        build: str,
        seen: Mapping[str, Versioned | None],
        due: Mapping[str, Versioned],
    ) -> None:
        """Store the documents `due`, also at an earlier position than they have, to repair them.

        A document is stored only if the stored one has the position that it has in `seen`, or is
        absent if it is None there. When this returns they survive any single failure. Raises
        CannotStore as `write` does.
        """
        ...

    async def scan(self, build: str, *, after: str, limit: int) -> Mapping[str, Versioned]:
        """The next documents past the key `after`, in the order of keys, with deleted ones.

        Up to `limit`; fewer only at the end.
        """
        ...

    async def adopt(self, log: str) -> str:
        """Store `log` as the identity of the log of the documents; return the stored one.

        The first identity stays for ever.
        """
        ...

    async def log_identity(self) -> str | None:
        """The identity of the log of the documents; None if none is stored."""
        ...


@dataclass(frozen=True, slots=True)
class Seek:
    """The start of a page: after the document with this sort value and key."""

    value: Any
    key: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A condition: a field equals one of `values`, or contains one if it is a list."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class BeginsWith:
    """A condition: a text field begins with `text`, of at least one character."""

    text: str


@dataclass(frozen=True, slots=True)
class HasWord:
    """A condition: a word of a text field begins with `prefix`; single spaces separate words.

    `prefix` may continue into the next words.
    """

    prefix: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The documents of a page, and their order.

    equals: a value for each field, or a OneOf, BeginsWith or HasWord; a field that is a list must
        contain the value.
    sort: the field to sort by: texts, integers or times, the same type in every document.
        Documents with equal values are sorted by key.
    after: the last document of the previous page.
    filters: further conditions, each a field and a value as in `equals`. They narrow what the
        index of `equals` finds, and do not influence the choice of the index.
    either: alternatives, each like `equals`; a document must match one of them. Each needs an
        index of its own in the order of the page.
    fields: the fields that the documents have beside `sort`; None for all.
    formerly: a version, and the equivalent request for versions of the view before it.
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
        """The request for this version of the view."""
        if self.formerly is None or version >= self.formerly[0]:
            return self
        return replace(self.formerly[1], limit=self.limit, after=self.after)


ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Part of a list, and the cursor of the next part; None at the end."""

    items: Sequence[ItemT]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A document, its key, and the position of the last event applied to it."""

    key: str
    document: Document
    position: int


class ReadModelBehind(Exception):
    """A view has not reached the requested position yet; `is_paused` if that is why."""

    def __init__(self, view: str, position: int, *, is_paused: bool = False) -> None:
        why = ", as it is paused" if is_paused else ""
        super().__init__(f"{view} does not hold the log up to position {position} yet{why}.")
        self.is_paused = is_paused


class AheadOfLog(Exception):
    """The requested position is past the end of the log."""

    def __init__(self, position: int) -> None:
        super().__init__(f"The log does not reach position {position}.")


class Views(Protocol):
    """Reads the documents of projections, by the projection's name.

    With `at_least`, a read includes the effect of every event up to that position.

    Every method raises StorageUnavailable when the storage cannot be reached.
    """

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        """The document under `key`, or None.

        Raises:
            ReadModelBehind: the view has not reached `at_least`.
            Overloaded: too many reads are waiting.

        """
        ...

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        """Up to `request.limit` documents in order; fewer only when there are no more.

        Raises:
            ReadModelBehind: the view has not reached `at_least`.
            Overloaded: too many reads are waiting.

        """
        ...

    async def positions(self) -> Mapping[str, int]:
        """The current position of each view."""
        ...

    def is_paused(self, view: str) -> bool:
        """Whether `view` was paused when its position was last looked up."""
        ...
