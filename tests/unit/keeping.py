"""A build as MongoDB has it, for tests of what is kept of its documents."""

from dataclasses import dataclass, field

from app.adapters.mongo.changed_keys import Observed, SaveNumbers, observed
from app.adapters.mongo.kept_documents import KeptDocuments
from app.framework.projections import Entry, Lease
from tests.unit.identity.issuing import Clock

BUILD = "users_v1"
PLENTY = 1_000_000


@dataclass
class Stored:
    """What MongoDB has of one build: the position of each document, and what saves left."""

    documents: dict[str, int] = field(default_factory=dict)
    found: dict[str, object] = field(default_factory=lambda: {"_id": BUILD, "epoch": 1})
    numbers: SaveNumbers = field(default_factory=SaveNumbers)

    def write(self, position: int, *keys: str) -> None:
        """Store documents, as a batch does first."""
        self.documents.update(dict.fromkeys(keys, position))

    def save(self, position: int, *keys: str, epoch: int = 1) -> None:
        """Save the checkpoint."""
        changes = self.found.setdefault("changes", {"saves": {}})
        assert isinstance(changes, dict)
        for name, each in self.numbers.fields(Lease(BUILD, "one", epoch), keys).items():
            parts = name.split(".")[1:]
            (changes if len(parts) == 1 else changes["saves"])[parts[-1]] = each
        self.found |= {"position": position, "epoch": epoch}

    def observed(self) -> Observed:
        """What is seen of it."""
        changes = self.found.get("changes", {"saves": {}})
        assert isinstance(changes, dict)
        return observed({**self.found, "changes": {**changes, "saves": dict(changes["saves"])}})

    def read(self, *keys: str) -> dict[str, Entry | None]:
        """The documents under `keys`."""
        return {
            key: Entry(key, {}, self.documents[key]) if key in self.documents else None
            for key in keys
        }


def look(kept: KeptDocuments, stored: Stored, clock: Clock) -> None:
    """Observe what is stored."""
    kept.observe([stored.observed()], clock())


def read(kept: KeptDocuments, stored: Stored, *keys: str) -> None:
    """Read documents from MongoDB, and keep them."""
    reading = kept.reading(BUILD)
    assert reading is not None
    with reading:
        reading.keep(stored.read(*keys))
