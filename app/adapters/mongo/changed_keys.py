"""Which documents the last saves of a build changed, stored with its checkpoint in one write.

In the document of a build, beside its checkpoint:

- `changes.epoch`: of the lease under which it was saved last. A process of an older version writes
  none, and takes a build over with a new epoch in any case.
- `changes.number`: of the last save under this lease that changed documents. A save that is tried
  again has another number, as it may have other keys.
- `changes.saves`: the last of them, as [epoch, number, keys] under the number modulo SAVES; without
  keys if they are more than KEYS.
- `repaired_at`: when documents were last changed otherwise, set before that.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.framework.projections import Lease

SAVES = 16
KEYS = 200

FIELDS = dict.fromkeys(
    ("changes", "epoch", "documents", "position", "condemned", "parked.key", "repaired_at"), 1
)
"""The fields that `observed` reads."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What is stored of a build at one moment.

    epoch: of its lease.
    documents: the identity of their storage.
    number: of its last save that changed documents.
    saves: the keys that the last saves changed, by number; None for too many.
    position: that the build has reached.
    parked: the keys of its parked documents.
    repaired_at: when its last repair began.
    is_numbered: whether all that changes its documents is stored, but for repairs.
    """

    build: str
    epoch: int
    documents: str | None
    number: int
    saves: Mapping[int, Collection[str] | None]
    position: int
    parked: frozenset[str]
    repaired_at: Any
    is_numbered: bool

    def changed_since(self, before: "Observed") -> Collection[str] | None:
        """The keys of the documents that changed; None if any may have."""
        if (self.epoch, self.documents) != (before.epoch, before.documents):
            return None
        if self.number < before.number:
            return None
        changed: set[str] = set()
        for number in range(before.number + 1, self.number + 1):
            keys = self.saves.get(number)
            if keys is None:
                return None
            changed.update(keys)
        return changed


def observed(found: Mapping[str, Any]) -> Observed:
    """What the stored document of a build says."""
    changes, epoch = found.get("changes", {}), found.get("epoch", 0)
    saves = changes.get("saves", {}).values()
    return Observed(
        build=found["_id"],
        epoch=epoch,
        documents=found.get("documents"),
        number=changes.get("number", 0),
        saves={number: keys for saved, number, keys in saves if saved == epoch},
        position=found.get("position", 0),
        parked=frozenset(each["key"] for each in found.get("parked", ())),
        repaired_at=found.get("repaired_at"),
        is_numbered=changes.get("epoch") == epoch and not found.get("condemned"),
    )


class SaveNumbers:
    """Numbers what a process saves."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}

    def fields(self, lease: Lease, keys: Collection[str]) -> dict[str, Any]:
        """The fields to set in a save under `lease` that changed the documents under `keys`."""
        epoch, number = self._last.get(lease.build, (lease.epoch, 0))
        if epoch != lease.epoch:
            epoch, number = lease.epoch, 0
        number += 1 if keys else 0
        self._last[lease.build] = epoch, number
        fields: dict[str, Any] = {"changes.epoch": epoch, "changes.number": number}
        if keys:
            few = list(keys) if len(keys) <= KEYS else None
            fields[f"changes.saves.{number % SAVES}"] = [epoch, number, few]
        return fields
