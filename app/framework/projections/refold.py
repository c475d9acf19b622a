"""Folds the log again, for some of the keys of a projection."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field

from app.framework.eventsourcing import RecordedEvent
from app.framework.projections.parking import Parked
from app.framework.projections.projection import Projection, Versioned, fold_around
from app.framework.projections.shares import Share

Wants = Callable[[str, RecordedEvent], bool]
"""Whether an event of the document under a key is to be applied."""


@dataclass(slots=True)
class Refold:
    """The documents that events lead to.

    documents: by key; they change as events are folded.
    refused: why an event of a key could not be applied, by key; its later events are passed over.
    """

    projection: Projection
    documents: dict[str, Versioned] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def fold(self, events: Sequence[RecordedEvent], wants: Wants) -> None:
        """Apply those of `events`, which follow in the log, that `wants` is true of.

        Raises:
            CannotApply: an event has no key.

        """
        keyed = [each for each in self.projection.keyed(events) if wants(*each)]
        changed, waiting = fold_around(self.projection, self.documents, keyed, self.refused)
        self.documents |= changed
        for key, events_refused in waiting.items():
            # As words: an exception would keep the frames that it passed through.
            self.refused.setdefault(key, str(events_refused[0].error))

    def only(self, keys: Iterable[str]) -> "Refold":
        """A copy with the documents under `keys`."""
        chosen = set(keys)
        return Refold(
            self.projection,
            {key: self.documents[key] for key in chosen & self.documents.keys()},
            {key: self.refused[key] for key in chosen & self.refused.keys()},
        )

    @property
    def keys(self) -> set[str]:
        """The keys of all events that were folded."""
        return self.documents.keys() | self.refused.keys()


@dataclass(slots=True)
class ShareFold:
    """A fold of the log for a share of all keys, which it narrows if there are too many.

    at_once: the most documents, and the most streams.
    parked: parked documents by key; their events are applied up to where they are parked.
    """

    refold: Refold
    share: Share
    at_once: int
    parked: Mapping[str, Parked]
    _versions: Counter[str] = field(default_factory=Counter)
    _gaps: list[tuple[str, str]] = field(default_factory=list)

    def fold(self, events: Sequence[RecordedEvent]) -> None:
        """Apply `events`, which follow in the log; those of other shares are passed over.

        Raises:
            CannotApply: an event has no key.

        """
        for event in events:
            if event.stream_id in self.share:
                self._check(event)
        self.refold.fold(events, self._wants)
        while max(map(len, self._held())) > self.at_once:
            self._narrow()

    @property
    def gaps(self) -> Sequence[tuple[str, str]]:
        """Streams whose ids are in the share, and what is wrong with their versions."""
        return [each for each in self._gaps if each[0] in self.share]

    def _wants(self, key: str, recorded: RecordedEvent) -> bool:
        if key not in self.share:
            return False
        parked = self.parked.get(key)
        return parked is None or recorded.position < parked.position

    def _check(self, event: RecordedEvent) -> None:
        due = self._versions[event.stream_id] + 1
        if event.version != due:
            words = f"the stream has version {event.version} where {due} is expected"
            self._gaps.append((event.stream_id, words))
        self._versions[event.stream_id] = event.version

    def _held(self) -> Sequence[Sized]:
        return self.refold.documents, self.refold.refused, self._versions

    def _narrow(self) -> None:
        self.share = self.share.beginning(self.share.width // 2)
        self.refold = self.refold.only(each for each in self.refold.keys if each in self.share)
        kept = {key: each for key, each in self._versions.items() if key in self.share}
        self._versions = Counter(kept)
