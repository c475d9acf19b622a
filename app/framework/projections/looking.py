"""Looks at stored documents, and says which are not what the log leads to."""

import asyncio
import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.framework.eventsourcing import RecordedEvent
from app.framework.projections.parking import Parked
from app.framework.projections.projection import Versioned
from app.framework.projections.refold import Refold
from app.framework.projections.verified_build import VerifiedBuild, batches

LOOK_SECONDS = 0.05
"""After this time documents that differ are looked at again: one may be replayed between two reads
of the first look."""

ABSENT = Versioned(None, 0)


class DifferenceKind(enum.StrEnum):
    """How a stored document differs from what the log leads to.

    MISSING: it is not stored, or deleted.
    SURPLUS: it is stored, but no event leads to it, or it is deleted by one.
    CHANGED: it has another content or position.
    REFUSED: the fold of this process refuses an event that the document has.
    LOG: not of a document: the log has a gap.
    """

    MISSING = "missing"
    SURPLUS = "surplus"
    CHANGED = "changed"
    REFUSED = "refused"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between the read model and the log; `detail` describes it without any content.

    key: of the document; where the log has a gap, the stream's id, or nothing.
    is_repaired: whether it was repaired.
    """

    key: str
    kind: DifferenceKind
    detail: str
    is_repaired: bool = False

    def __str__(self) -> str:
        repaired = " (repaired)" if self.is_repaired else ""
        key = f"{self.key}: " if self.key else ""
        return f"{key}{self.detail}{repaired}"


@dataclass(frozen=True, slots=True)
class Looked:
    """A document as stored, None if it is absent, and as it should be.

    refused: why it cannot be folded.
    """

    seen: Versioned | None
    due: Versioned
    refused: str | None = None

    def is_as_due(self, reached: int) -> bool:
        """Whether the document is as it should be, in a build that has reached a position.

        A deleted one may be absent, and its position counts only if it would hide events to come.
        """
        if self.refused is not None:
            return False
        seen, due = self.seen, self.due
        if due.document is not None:
            return seen == due
        at_most = max(reached, due.position)
        return seen is None or (seen.document is None and seen.position <= at_most)

    def described(self, key: str, *, is_repaired: bool = False) -> Difference:
        """The difference, without the content of the document."""
        kind, detail = self._kind_and_detail()
        return Difference(key, kind, detail, is_repaired)

    def _kind_and_detail(self) -> tuple[DifferenceKind, str]:
        if self.refused is not None:
            return DifferenceKind.REFUSED, f"cannot be folded: {self.refused}"
        if self.due.document is None:
            at = self.seen.position if self.seen else 0
            return DifferenceKind.SURPLUS, f"no event leads to it; stored at position {at}"
        if self.seen is None or self.seen.document is None:
            return DifferenceKind.MISSING, f"is missing; expected at position {self.due.position}"
        return DifferenceKind.CHANGED, _changed(self.seen, self.due)


def _changed(seen: Versioned, due: Versioned) -> str:
    stored, expected = seen.document or {}, due.document or {}
    names = sorted(
        name
        for name in stored.keys() | expected.keys()
        if name not in stored or name not in expected or stored[name] != expected[name]
    )
    where = f"stored at position {seen.position}, expected at position {due.position}"
    return f"differs{' in ' + ', '.join(names) if names else ''}; {where}"


class Look:
    """Looks at some documents of a build, which may be followed meanwhile.

    A document should be as of its own position, and have all events up to the checkpoint, or up to
    where it is parked.
    """

    def __init__(
        self,
        build: VerifiedBuild,
        keys: Collection[str],
        refold: Refold,
        at: int,
        parked: Mapping[str, Parked],
    ) -> None:
        """Begin with the documents that the log leads to at a position.

        Args:
            build: whose documents.
            keys: of the documents.
            refold: these documents, and perhaps others.
            at: the position.
            parked: those that are parked; `refold` has them up to there.

        """
        self.build = build
        self._keys = set(keys)
        self._refold, self._at, self._parked = refold.only(keys), at, parked

    async def unequal(self) -> dict[str, Looked]:
        """The documents that are not as they should be, also when looked at again."""
        found = await self.once()
        if found:
            await asyncio.sleep(LOOK_SECONDS)
            found = await self.once(found)
        return found

    async def once(self, keys: Collection[str] | None = None) -> dict[str, Looked]:
        """The documents that are not as they should be, of those under `keys` or of all."""
        keys = self._keys if keys is None else keys
        # The checkpoint first: what is read afterwards has at least these events.
        await self._advance()
        seen: dict[str, Versioned] = {}
        for some in batches(keys):
            seen |= await self.build.load(some)
        # The head last: no position past it is that of an event.
        head = await self.build.head()
        ahead = {
            key: each.position
            for key, each in seen.items()
            if self._has(key) < each.position <= head
        }
        further = await self._further(ahead)
        found = {}
        for key in keys:
            due = further if key in ahead else self._refold
            looked = Looked(seen.get(key), due.documents.get(key, ABSENT), due.refused.get(key))
            if not looked.is_as_due(self._at):
                found[key] = looked
        return found

    def _has(self, key: str) -> int:
        """The position up to which events of `key` are folded."""
        parked = self._parked.get(key)
        return self._at if parked is None else parked.position - 1

    async def _advance(self) -> None:
        """Fold further, up to the checkpoint."""
        record = await self.build.record()
        parked = {each.key: each for each in record.parked}

        def wants(key: str, recorded: RecordedEvent) -> bool:
            is_parked = key in parked and recorded.position >= parked[key].position
            return key in self._keys and not is_parked

        # Documents that were parked may be replayed since then; the others skip what they have.
        since = (each.position - 1 for each in self._parked.values() if each.key in self._keys)
        first = min([self._at, *since])
        async for events in self.build.events(after=first, until=record.position):
            self._refold.fold(events, wants)
        self._at, self._parked = record.position, parked

    async def _further(self, ahead: Mapping[str, int]) -> Refold:
        """The documents under the keys of `ahead`, folded up to the positions there."""
        refold = self._refold.only(ahead)

        def wants(key: str, recorded: RecordedEvent) -> bool:
            return recorded.position <= ahead.get(key, 0)

        first = min(map(self._has, ahead), default=0)
        async for events in self.build.events(after=first, until=max(ahead.values(), default=0)):
            refold.fold(events, wants)
        return refold
