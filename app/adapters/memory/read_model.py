"""The read model in memory."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from app.framework.projections import (
    BeginsWith,
    Document,
    Entry,
    HasWord,
    OneOf,
    PageRequest,
    Projection,
    ProjectionStatus,
    ReadModelBehind,
    Versioned,
    copied,
)


@dataclass(slots=True)
class _Stored:
    status: ProjectionStatus
    documents: dict[str, Versioned] = field(default_factory=dict)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryReadModel:
    """Implements ProjectionStore and Views; tombstones are kept for ever."""

    def __init__(self, clock: Callable[[], datetime] = _utc_now) -> None:
        """`clock` returns the time, in UTC."""
        self._clock = clock
        self._log_identity: str | None = None
        self._stored: dict[tuple[str, int], _Stored] = {}
        self._serving: dict[str, int] = {}

    async def prepare(self, projection: Projection) -> int:
        self._serving.setdefault(projection.name, projection.version)
        return self._of(projection).status.position or 0

    async def load(self, projection: Projection, keys: Collection[str]) -> Mapping[str, Versioned]:
        documents = self._of(projection).documents
        return {key: _copy(documents[key]) for key in keys if key in documents}

    async def count(self, projection: Projection, *, up_to: int) -> int:
        return sum(
            each.document is not None and each.position <= up_to
            for each in self._of(projection).documents.values()
        )

    async def write(
        self,
        projection: Projection,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),  # noqa: ARG002 - there is nothing to be saved here
    ) -> None:
        stored = self._of(projection).documents
        for key, versioned in documents.items():
            before = stored.get(key)
            if before is None or before.position < versioned.position:
                stored[key] = _copy(versioned)

    async def save(self, projection: Projection, status: ProjectionStatus) -> None:
        stored = self._of(projection)
        stored.status = replace(
            status,
            seen_at=self._clock(),
            position=_later(stored.status.position, status.position),
            head=_later(stored.status.head, status.head),
        )

    async def serve(self, projection: Projection) -> None:
        now = self._serving.get(projection.name, 0)
        self._serving[projection.name] = max(now, projection.version)

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        versioned = self._serving_documents(view, at_least).get(key)
        return None if versioned is None else _entry(key, versioned)

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        documents = self._serving_documents(view, at_least)
        request = request.for_version(self._serving.get(view, 0))
        matching = _matching(request)
        found = [
            entry
            for key, versioned in documents.items()
            if (entry := _entry(key, versioned)) is not None and matching(entry.document)
        ]
        found.sort(key=_place(request.sort), reverse=request.descending)
        if request.after is not None:
            place, after = _place(request.sort), (request.after.value, request.after.key)
            found = [
                each
                for each in found
                if (place(each) < after if request.descending else place(each) > after)
            ]
        return [_with_fields(each, request) for each in found[: request.limit]]

    async def positions(self) -> Mapping[str, int]:
        return {
            view: self._stored[view, version].status.position or 0
            for view, version in self._serving.items()
            if (view, version) in self._stored
        }

    async def statuses(self) -> Sequence[ProjectionStatus]:
        now = self._clock()
        return [each.status.heard_at(now) for _, each in sorted(self._stored.items())]

    async def adopt(self, log: str) -> str:
        self._log_identity = self._log_identity or log
        return self._log_identity

    async def log_identity(self) -> str | None:
        return self._log_identity

    def _of(self, projection: Projection) -> _Stored:
        name, version = projection.name, projection.version
        if (name, version) not in self._stored:
            first = ProjectionStatus.at_the_beginning(projection)
            self._stored[name, version] = _Stored(replace(first, seen_at=self._clock()))
        return self._stored[name, version]

    def _serving_documents(self, view: str, at_least: int) -> Mapping[str, Versioned]:
        version = self._serving.get(view)
        stored = None if version is None else self._stored.get((view, version))
        reached = (stored.status.position or 0) if stored else 0
        if reached < at_least:
            raise ReadModelBehind(view, at_least)
        return stored.documents if stored else {}


def _copy(versioned: Versioned) -> Versioned:
    return Versioned(copied(versioned.document), versioned.position)


def _entry(key: str, versioned: Versioned) -> Entry | None:
    if versioned.document is None:
        return None
    return Entry(key, copied(versioned.document), versioned.position)


def _with_fields(entry: Entry, request: PageRequest) -> Entry:
    if request.fields is None:
        return entry
    wanted = {*request.fields, request.sort}
    document = {name: value for name, value in entry.document.items() if name in wanted}
    return replace(entry, document=document)


def _later(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _place(sort: str) -> Callable[[Entry], tuple[Any, str]]:
    return lambda entry: (entry.document[sort], entry.key)


def _matching(request: PageRequest) -> Callable[[Document], bool]:
    either = [each.items() for each in request.either]

    def matches(document: Document) -> bool:
        return (
            _equals_all(document, request.equals.items())
            and _equals_all(document, request.filters)
            and (not either or any(_equals_all(document, each) for each in either))
        )

    return matches


def _equals_all(document: Document, fields: Iterable[tuple[str, Any]]) -> bool:
    return all(_equals(document.get(name), value) for name, value in fields)


def _equals(found: Any, value: Any) -> bool:
    match value:
        case OneOf(values):
            return any(_equals(found, each) for each in values)
        case BeginsWith(text):
            return isinstance(found, str) and found.startswith(text)
        case HasWord(prefix):
            return isinstance(found, str) and f" {prefix}" in f" {found}"
    return found == value or (isinstance(found, list) and value in found)
