"""Documents and pages that were read, kept while they are as good as what MongoDB would answer.

The projector numbers its saves of a build that changed documents, and stores with each the keys of
those (`changed_keys`). `observe` follows these numbers. Two rules make what is kept honest:

- What was changed by a save is forgotten in the same step in which its number, and the position
  that it reached, become known. So what is kept holds every event up to the known position.
- A read under way at that moment does not bring back what it found of those keys, as it may have
  found them before they were changed. (These are the leases of Nishtala et al., Scaling Memcache at
  Facebook, NSDI 2013, section 3.2.1.)
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

from app.adapters.mongo.changed_keys import Observed
from app.adapters.mongo.client import NO_ELECTION, Election
from app.framework.observability.metrics import gauge
from app.framework.projections import Entry

ALIVE_SECONDS = 0.1
"""How long ago MongoDB may have been asked for the last time whether something changed."""

REPAIR_SECONDS = 30.0
"""How long nothing is kept of a build after the beginning of a repair: longer than one write of a
repair may take, which is stored under no number."""

LIFE_SECONDS = 600.0
"""How long a document is kept at most, as it may have been changed by other means."""

OVERHEAD = 600
"""What an entry takes beside its document, in bytes."""

FACTOR = 4
"""How many bytes a document takes in Python for each character that it is written with."""

MISSING: Final = Entry("", {}, 0)
"""Stands for what is not kept."""

_BYTES = gauge("read_cache_bytes", "What is kept, an estimate.")
_LIMIT = gauge("read_cache_limit_bytes", "How much may be kept.")


class Reading:
    """A read under way: what changes meanwhile is not kept of what it finds.

    changed: the keys of what changed.
    outdated_below: by key, below which position it is older than what a read since has found.
    """

    def __init__(self, documents: "KeptDocuments", build: "_Build") -> None:
        self._documents = documents
        self._number = 0
        self.build = build
        self.changed: set[str] = set()
        self.outdated_below: dict[str, float] = {}

    def __enter__(self) -> None:
        self._number = self.build.observed.number
        self.build.readings.add(self)

    def __exit__(self, *_: object) -> None:
        self.build.readings.discard(self)

    def keep(self, found: Mapping[str, Entry | None]) -> None:
        """Keep what was found under some keys; None stands for nothing.

        Of two reads the one that ends last may have found less.
        """
        for key, entry in found.items():
            # What was found since may be gone.
            is_gone = entry is None and key in self.outdated_below
            if is_gone or key in self.changed or not self._documents.is_known(self.build):
                self._documents.outdate(self.build.observed.build, {key: entry})
                continue
            if _position(entry) < self.outdated_below.get(key, 0):
                continue
            other = self._documents.found(self.build, key)
            if other is MISSING or (entry and other and entry.position > other.position):
                self._documents.keep(key, Kept(self.build, 0, entry, _size([entry])))
            elif entry is None or other is None:
                self._documents.forget(self.build.observed.build, [key])

    def keep_page(self, page: Hashable, found: Sequence[Entry]) -> None:
        """Keep a page."""
        if self._number == self.build.observed.number:
            self._documents.keep(page, Kept(self.build, self._number, found, _size(found)))


class Kept(NamedTuple):
    """What is kept.

    number: of the build when it was read; only of pages.
    found: an entry, None for nothing, or the entries of a page.
    size: an estimate, in bytes.
    """

    build: "_Build"
    number: int
    found: Any
    size: int


class _Build:
    """What is known of a build; another object takes its place when nothing of it may be kept."""

    def __init__(self, observed: Observed, now: float) -> None:
        self.observed = observed
        self.until = now + LIFE_SECONDS
        self.readings: set[Reading] = set()


class KeptDocuments:
    """Keeps what was read last, up to a size in bytes, which is estimated."""

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = monotonic,
        election: Callable[[], Election] = lambda: NO_ELECTION,
    ) -> None:
        """Keep up to `limit` bytes; `election` is the last one that those who read know of."""
        self._limit = limit
        self._clock = clock
        self._election = election
        self._builds: dict[str, _Build] = {}
        self._kept: OrderedDict[tuple[str, Hashable], Kept] = OrderedDict()
        self._size = 0
        self._alive_until = 0.0
        self._repaired: dict[str, tuple[Any, float]] = {}
        # The last is enough: it says all that those before it did.
        self._reports: deque[tuple[Collection[Observed], float, Election]] = deque(maxlen=1)
        self.hits = 0
        self._bytes = _BYTES.of()
        _LIMIT.of().value = limit

    @property
    def size(self) -> int:
        """The bytes that are used."""
        return self._size

    @property
    def is_alive(self) -> bool:
        """Whether it is known what changed up to ALIVE_SECONDS ago."""
        return self._clock() < self._alive_until

    def document(self, build: str, key: str, at_least: int) -> Entry | None:
        """The document under `key`, None if there is none, or MISSING."""
        kept = self._find((build, key), at_least)
        if kept is None or key in kept.build.observed.parked:
            return MISSING
        self.hits += 1
        found: Entry | None = kept.found
        return found

    def is_known(self, build: "_Build") -> bool:
        """Whether what was read of a build may be kept: it did not have to be forgotten since."""
        return self._builds.get(build.observed.build) is build

    def found(self, build: "_Build", key: str) -> Entry | None:
        """What is kept under `key` of a build, or MISSING."""
        kept = self._kept.get((build.observed.build, key))
        if kept is None or kept.build is not build:
            return MISSING
        found: Entry | None = kept.found
        return found

    def page(self, build: str, page: Hashable, at_least: int) -> Sequence[Entry] | None:
        """The page, if no document of the build has changed since it was read."""
        kept = self._find((build, page), at_least)
        if kept is None or kept.number != kept.build.observed.number:
            return None
        self.hits += 1
        found: Sequence[Entry] = kept.found
        return found

    def reading(self, build: str) -> Reading | None:
        """A read, to use in a `with` block; None if what it finds is not to be kept."""
        if self._reports:
            self._take_in_reports()
        known = self._builds.get(build)
        return Reading(self, known) if known is not None and self.is_alive else None

    def report(self, observed: Collection[Observed], asked_at: float, election: Election) -> None:
        """Have it observed before anything is answered or read again. Any thread may call this.

        `election` is the last one that the client knows of that looked. If it is not the last one
        that readers know of, one of both asks a primary that is none any more: it is not observed.
        """
        self._reports.append((observed, asked_at, election))

    def observe(self, observed: Collection[Observed], asked_at: float) -> None:
        """Take in what is stored about all serving builds, as of `asked_at` or later."""
        for each in observed:
            self._observe(each)
        for gone in self._builds.keys() - {each.build for each in observed}:
            del self._builds[gone]
        self._alive_until = asked_at + ALIVE_SECONDS

    def forget(self, build: str, keys: Collection[str]) -> None:
        """Forget documents that this process has changed, before that is observed."""
        known = self._builds.get(build)
        if known is not None:
            self._forget(known, keys)

    def outdate(self, build: str, found: Mapping[str, Entry | None]) -> None:
        """Forget what is older than what a read has found and is not kept.

        Otherwise the next read could be answered by less. Reads under way do not bring it back.
        """
        known = self._builds.get(build)
        if known is None:
            return
        for key, entry in found.items():
            kept = self.found(known, key)
            if kept is None or kept.position < _position(entry):
                self._drop(known, key)
            _outdate(known, key, entry)

    def _observe(self, new: Observed) -> None:
        now = self._clock()
        known = self._builds.get(new.build)
        repaired = self._repaired.get(new.build, (None, 0.0))
        if repaired[0] != new.repaired_at:
            self._repaired[new.build] = repaired = new.repaired_at, now + REPAIR_SECONDS
        if not new.is_numbered or now < repaired[1]:
            self._builds.pop(new.build, None)
            return
        changed = new.changed_since(known.observed) if known and now < known.until else None
        if known is None or changed is None:
            self._builds[new.build] = _Build(new, now)
            return
        self._forget(known, changed)
        known.observed = new

    def _forget(self, known: _Build, keys: Collection[str]) -> None:
        for key in keys:
            self._drop(known, key)
        for reading in known.readings:
            reading.changed.update(keys)

    def _drop(self, known: _Build, key: str) -> None:
        kept = self._kept.pop((known.observed.build, key), None)
        if kept is not None:
            self._size -= kept.size
            self._bytes.value = self._size

    def _take_in_reports(self) -> None:
        # In the thread that answers, so that nothing else is done in between.
        while self._reports:
            observed, asked_at, election = self._reports.popleft()
            if election == self._election():
                self.observe(observed, asked_at)

    def _find(self, key: tuple[str, Hashable], at_least: int) -> Kept | None:
        if self._reports:
            self._take_in_reports()
        kept = self._kept.get(key)
        if kept is None or not self.is_alive or at_least > kept.build.observed.position:
            return None
        if not self.is_known(kept.build):
            return None
        self._kept.move_to_end(key)
        return kept

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Keep what a read has found."""
        build = kept.build.observed.build
        if not self.is_known(kept.build):
            return
        place = build, key
        replaced = self._kept.pop(place, None)
        self._size += kept.size - (replaced.size if replaced else 0)
        self._kept[place] = kept
        while self._size > self._limit:
            self._evict(place if kept.size > self._limit else next(iter(self._kept)))
        self._bytes.value = self._size

    def _evict(self, place: tuple[str, Hashable]) -> None:
        oldest = self._kept.pop(place)
        self._size -= oldest.size
        if isinstance(key := place[1], str):
            # A read under way may have found less than it, which was answered.
            _outdate(oldest.build, key, oldest.found)


def _position(found: Entry | None) -> float:
    return found.position if found is not None else math.inf


def _outdate(build: _Build, key: str, found: Entry | None) -> None:
    for reading in build.readings:
        reading.outdated_below[key] = max(_position(found), reading.outdated_below.get(key, 0))


def _size(entries: Sequence[Entry | None]) -> int:
    return OVERHEAD + sum(FACTOR * len(repr(each.document)) for each in entries if each is not None)
