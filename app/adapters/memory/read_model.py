"""The read model in memory."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.adapters.memory.builds import MemoryBuilds, utc_now
from app.framework.projections import (
    BeginsWith,
    BuildRecord,
    Document,
    DocumentParked,
    Entry,
    HasWord,
    Index,
    OneOf,
    PageRequest,
    ReadModelBehind,
    Versioned,
    copied,
)


class MemoryReadModel(MemoryBuilds):
    """Implements ProjectionStore, BuildStore and Views; tombstones are kept for ever."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        """`clock` returns the time, in UTC."""
        super().__init__(clock)
        self._log_identity: str | None = None
        self._documents: dict[str, dict[str, Versioned]] = {}

    async def prepare(self, build: str, indexes: Sequence[Index]) -> None:  # noqa: ARG002
        self._of(build)

    async def identity(self, build: str) -> str | None:
        return str(id(self._documents[build])) if build in self._documents else None

    async def load(self, build: str, keys: Collection[str]) -> Mapping[str, Versioned]:
        documents = self._of(build)
        return {key: _copy(documents[key]) for key in keys if key in documents}

    async def count(self, build: str, *, up_to: int) -> int:
        return sum(
            each.document is not None and each.position <= up_to
            for each in self._of(build).values()
        )

    async def write(
        self,
        build: str,
        documents: Mapping[str, Versioned],
        *,
        created: Collection[str] = (),  # noqa: ARG002 - there is nothing to be saved here
    ) -> None:
        stored = self._of(build)
        for key, versioned in documents.items():
            before = stored.get(key)
            if before is None or before.position < versioned.position:
                stored[key] = _copy(versioned)

    async def replace(
        self,
        build: str,
        seen: Mapping[str, Versioned | None],
        due: Mapping[str, Versioned],
    ) -> None:
        stored = self._of(build)
        for key, versioned in due.items():
            if _position(stored.get(key)) == _position(seen[key]):
                stored[key] = _copy(versioned)

    async def scan(self, build: str, *, after: str, limit: int) -> Mapping[str, Versioned]:
        documents = self._of(build)
        keys = sorted(each for each in documents if each > after)[:limit]
        return {key: _copy(documents[key]) for key in keys}

    async def drop(self, name: str, build: str) -> None:
        self._documents.pop(build, None)
        self.note_dropped(name, build)

    async def get(self, view: str, key: str, *, at_least: int = 0) -> Entry | None:
        versioned = self._serving_documents(view, at_least).get(key)
        serving = self.serving(view)
        for each in serving.parked if serving else ():
            if each.key == key and at_least >= each.position:
                raise DocumentParked(view, key, each.position)
        return None if versioned is None else _entry(key, versioned)

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        documents = self._serving_documents(view, at_least)
        serving = self.serving(view)
        request = request.for_version(serving.version if serving else 0)
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
        serving = {each.name: each.serving_build for each in await self.projections()}
        return {name: _reached(build) for name, build in serving.items()}

    async def adopt(self, log: str) -> str:
        self._log_identity = self._log_identity or log
        return self._log_identity

    async def log_identity(self) -> str | None:
        return self._log_identity

    def _of(self, build: str) -> dict[str, Versioned]:
        return self._documents.setdefault(build, {})

    def _serving_documents(self, view: str, at_least: int) -> Mapping[str, Versioned]:
        serving = self.serving(view)
        if _reached(serving) < at_least:
            raise ReadModelBehind(view, at_least)
        return self._documents.get(serving.id, {}) if serving else {}


def _reached(build: BuildRecord | None) -> int:
    # One that is condemned is at no position of the log.
    return 0 if build is None or build.condemned else build.position


def _position(versioned: Versioned | None) -> int | None:
    return None if versioned is None else versioned.position


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
