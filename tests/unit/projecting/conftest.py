"""A log and a read model in memory."""

import pytest

from app.adapters.memory.event_store import MemoryEventStore
from app.adapters.memory.read_model import MemoryReadModel
from tests.notes import new_log


@pytest.fixture
def log() -> MemoryEventStore:
    """An empty log."""
    return new_log()


@pytest.fixture
def store() -> MemoryReadModel:
    """An empty read model."""
    return MemoryReadModel()
