"""Compares the documents of a build with a fold of the log, and repairs those that differ."""

import asyncio
import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence

from app.framework.eventsourcing import EventLog
from app.framework.projections.build_store import FollowedStore
from app.framework.projections.looking import ABSENT, Difference, DifferenceKind, Look, Looked
from app.framework.projections.parking import Parked
from app.framework.projections.projection import Projection
from app.framework.projections.refold import Refold, ShareFold
from app.framework.projections.repairing import repair
from app.framework.projections.shares import Share
from app.framework.projections.verified_build import CannotVerify, VerifiedBuild, batches

AT_ONCE = 200_000
"""How many documents of the fold are in memory at once."""

LOOKED_AT_ONCE = 10_000
"""How many documents that seem to differ are looked at together."""

DIFFERENCES_NAMED = 100

REACH_SECONDS = 10.0
"""How long a build that is followed may take to reach the head of the log."""

POLL_SECONDS = 0.1


class Audit:
    """A comparison of a build with a fold of the log: how far it is, and what it has found.

    position: events up to there are folded, and those of documents that change meanwhile.
    head: the position of the last event of the log when it began.
    done, total: how far it is, in events and documents; `total` is None until it is known.
    events: how many events were folded.
    documents: how many documents they lead to.
    differing, repaired: how many differed, and how many of those were repaired.
    differences: the first DIFFERENCES_NAMED of those that differed.
    parked: the parked documents of the build. They are compared with a fold up to where they are
        parked.
    """

    def __init__(
        self,
        log: EventLog,
        store: FollowedStore,
        projection: Projection,
        build: str,
        *,
        sample: float = 100.0,
        repairs: bool = False,
        at_once: int = AT_ONCE,
        share: float = 1.0,
    ) -> None:
        """Nothing is read before `run`.

        Args:
            log: the log.
            store: where the build is.
            projection: what the log is folded by, of the version of the build.
            build: its id.
            sample: about how many percent of the documents are compared.
            repairs: whether documents that differ are replaced by what the log leads to.
            at_once: the most documents in memory at once. If the log leads to more, it is read
                several times.
            share: of the time that it may work; it leaves the rest to others in its process.

        """
        self._build = VerifiedBuild(log, store, projection, build)
        self._sample = Share.sample(sample)
        self.sample, self.repairs = sample, repairs
        self._at_once, self._share = at_once, share
        self._present = array("Q")
        self._further: Callable[[], object] = lambda: None
        self._rested_at = 0.0
        self.position = self.head = self.done = 0
        self.total: int | None = None
        self.events = self.documents = self.differing = self.repaired = 0
        self.differences: list[Difference] = []
        self.parked: Sequence[Parked] = ()
        self._parked: Mapping[str, Parked] = {}

    @property
    def projection(self) -> Projection:
        """What the log is folded by."""
        return self._build.projection

    @property
    def is_sound(self) -> bool:
        """Whether nothing that differed is left."""
        return self.differing == self.repaired

    async def run(self, further: Callable[[], object] = lambda: None) -> "Audit":
        """Compare, and repair; return this audit. Whenever it is further, call `further`.

        The build may be followed meanwhile. While a storage cannot be reached, it waits. After a
        crash at any point it can be repeated.

        Raises:
            CannotVerify: the build is gone, or ahead of the log.
            CannotApply: an event has no key.
            UnknownEvent, UndecodableEvent: an event cannot be decoded.

        """
        self._further, self._rested_at = further, asyncio.get_running_loop().time()
        await self._begin()
        await self._compare_shares()
        await self._compare_surplus()
        self.parked = (await self._build.record()).parked
        self.total = self.done
        return self

    async def _begin(self) -> None:
        """Wait until a build that is followed is near the head of the log, but not for long."""
        head = await self._build.head()
        until = asyncio.get_running_loop().time() + REACH_SECONDS
        record = await self._build.record()
        while record.position < head and not record.is_free:
            if asyncio.get_running_loop().time() > until:
                break
            await asyncio.sleep(POLL_SECONDS)
            record = await self._build.record()
        if record.condemned is not None:
            raise CannotVerify(
                f"{record.id} can no longer be trusted ({record.condemned}): rebuild it."
            )
        self.position, self.parked = record.position, record.parked
        self._parked = {each.key: each for each in record.parked}
        self.head = await self._build.head()
        if self.position > self.head:
            raise CannotVerify(
                f"The checkpoint of {record.id} is at position {self.position}, but the log ends "
                f"at {self.head}: the read model was built from another log, or the log was "
                "restored to an earlier state."
            )

    async def _compare_shares(self) -> None:
        """Compare the documents that the log leads to, a share of them at a time."""
        stored = await self._build.count(up_to=self.position)
        sampled = math.ceil(stored * self.sample / 100)
        rest = self._sample
        width = math.ceil(rest.width / max(1, math.ceil(sampled / self._at_once)))
        while rest.width:
            passes = math.ceil(rest.width / width)
            self.total = self.done + passes * self.position + sampled - self.documents + stored
            fold = await self._fold(rest.beginning(width))
            rest, width = rest.after(fold.share), fold.share.width
            for stream_id, gap in fold.gaps:
                self._note(Difference(stream_id, DifferenceKind.LOG, gap))
            refold = fold.refold
            self._present.extend(map(self._sample.hash, refold.keys))
            self.documents += sum(each.document is not None for each in refold.documents.values())
            await self._compare(refold)

    async def _fold(self, share: Share) -> ShareFold:
        """A fold of the log for a share of the keys, or for the beginning of it."""
        fold = ShareFold(Refold(self.projection), share, self._at_once, self._parked)
        is_first, before = not self.events, 0
        async for events in self._build.events(after=0, until=self.position):
            fold.fold(events)
            if is_first:
                self._check_positions(before, [each.position for each in events])
                self.events += len(events)
            before = events[-1].position
            await self._advance(len(events))
        return fold

    def _check_positions(self, before: int, positions: Sequence[int]) -> None:
        if positions[-1] - before == len(positions):
            return
        for position in positions:
            if position != before + 1:
                missing = f"the log has no event between positions {before} and {position}"
                self._note(Difference("", DifferenceKind.LOG, missing))
            before = position

    async def _compare(self, refold: Refold) -> None:
        """Compare the stored documents under the keys of a fold."""
        seeming: list[str] = []
        for keys in batches(refold.keys):
            stored = await self._build.load(keys)
            for key in keys:
                due = refold.documents.get(key, ABSENT)
                looked = Looked(stored.get(key), due, refold.refused.get(key))
                if not looked.is_as_due(self.position):
                    seeming.append(key)
            await self._advance(len(keys))
            if len(seeming) >= LOOKED_AT_ONCE:
                await self._look(seeming, refold)
                seeming = []
        await self._look(seeming, refold)

    async def _compare_surplus(self) -> None:
        """Look at the stored documents to which no event up to `position` leads."""
        present = array("Q", sorted(self._present))
        surplus: list[str] = []
        async for some in self._build.scan():
            surplus += [each for each in some if self._is_surplus(each, present)]
            await self._advance(len(some))
            if len(surplus) >= LOOKED_AT_ONCE:
                await self._look(surplus, Refold(self.projection))
                surplus = []
        await self._look(surplus, Refold(self.projection))

    def _is_surplus(self, key: str, present: "array[int]") -> bool:
        number = self._sample.hash(key)
        index = bisect_left(present, number)
        is_present = index < len(present) and present[index] == number
        return key in self._sample and not is_present

    async def _look(self, keys: Collection[str], refold: Refold) -> None:
        """Look at documents that seem to differ, count those that do, and repair them."""
        if not keys:
            return
        look = Look(self._build, keys, refold, self.position, self._parked)
        unequal = await look.unequal()
        held = await repair(self._build, look, unequal) if self.repairs else set()
        for key in sorted(unequal):
            self._note(unequal[key].described(key, is_repaired=key in held))

    def _note(self, difference: Difference) -> None:
        self.differing += 1
        self.repaired += difference.is_repaired
        if len(self.differences) < DIFFERENCES_NAMED:
            self.differences.append(difference)

    async def _advance(self, done: int) -> None:
        self.done += done
        # It is an estimate: deleted documents are not counted in it.
        self.total = max(self.done, self.total or 0)
        self._further()
        now = asyncio.get_running_loop().time()
        await asyncio.sleep((now - self._rested_at) * (1 / self._share - 1))
        self._rested_at = asyncio.get_running_loop().time()


async def audit(
    log: EventLog, store: FollowedStore, projection: Projection, *, build: str
) -> Audit:
    """A finished comparison of a build of `projection` with a fold of the log."""
    return await Audit(log, store, projection, build).run()
