"""The replay of parked documents: their events are folded again, from the log."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.framework.eventsourcing import EventLog, RecordedEvent
from app.framework.projections.builds import Build
from app.framework.projections.checkpoint import Checkpoint
from app.framework.projections.losses import present
from app.framework.projections.parking import ERROR_LENGTH, EVERYTHING, Parked, with_waiting
from app.framework.projections.ports import CannotStore, ProjectionStore
from app.framework.projections.projection import Versioned, fold_around


@dataclass(slots=True)
class Replay:
    """Folds the events of parked documents until it is as far as the follower of their build.

    Nothing is stored before that: a crash begins it anew.

    asked: the requests that this replay answers.
    documents: the parked documents, as they are stored, by key; they change as events are folded.
    at: the position up to which events were folded.
    """

    build: Build
    asked: Collection[str]
    parked: Mapping[str, Parked]
    documents: dict[str, Versioned]
    at: int
    _again: dict[str, Parked] = field(default_factory=dict)

    async def read(self, log: EventLog, *, up_to: int, limit: int) -> None:
        """Fold the next events, at most `limit` and up to a position that the log had.

        Raises:
            LogRestored: the log no longer has them.
            StorageUnavailable: the log cannot be reached.

        """
        events = await log.read(after=self.at, limit=min(limit, up_to - self.at))
        self.fold(present(self.build.id, up_to, events))

    async def write(self, store: ProjectionStore, parked: Mapping[str, Parked]) -> None:
        """Store the documents; one that cannot be stored stays as it is `parked`, with why.

        Raises:
            StorageUnavailable: the storage cannot be reached.

        """
        while self.documents:
            try:
                await store.write(self.build.id, self.documents)
            except CannotStore as error:
                del self.documents[error.key]
                still = replace(parked[error.key], error=str(error)[:ERROR_LENGTH])
                self._again = {**self._again, error.key: still}
            else:
                return

    def fold(self, events: Sequence[RecordedEvent]) -> None:
        """Apply `events`, which follow in the log; those of other documents are passed over."""
        keyed = [each for each in self.build.projection.keyed(events) if self._waits(*each)]
        changed, waiting = fold_around(self.build.projection, self.documents, keyed, self._again)
        self.documents |= changed
        self._again = with_waiting(self._again, waiting)
        self.at = events[-1].position

    def parked_afterwards(self, parked: Mapping[str, Parked]) -> dict[str, Parked]:
        """What is left of `parked`, with the documents that were refused again."""
        others = {key: each for key, each in parked.items() if key not in self.parked}
        return {**others, **self._again}

    def _waits(self, key: str, recorded: RecordedEvent) -> bool:
        parked = self.parked.get(key)
        return parked is not None and recorded.position >= parked.position


async def begin_replay(
    store: ProjectionStore, build: Build, asked: Collection[str], at: Checkpoint
) -> Replay:
    """The replay of what was `asked` for, of a build that is `at` its checkpoint.

    Raises:
        StorageUnavailable: the parked documents cannot be loaded.

    """
    parked = _wanted(asked, at.parked)
    first = min((each.position for each in parked.values()), default=at.position + 1)
    documents = dict(await store.load(build.id, parked)) if parked else {}
    return Replay(build, asked, parked, documents, first - 1)


def _wanted(asked: Collection[str], parked: Mapping[str, Parked]) -> dict[str, Parked]:
    """Those of `parked` that were asked for."""
    if EVERYTHING in asked:
        return dict(parked)
    return {key: each for key, each in parked.items() if key in asked}
