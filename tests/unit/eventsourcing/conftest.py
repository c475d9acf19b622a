"""A store of shelves, and two processes on it."""

import pytest

from tests.unit.eventsourcing.shelf import MeddledStore, new_store, process


@pytest.fixture
def store() -> MeddledStore:
    """An empty store, with nobody meddling yet."""
    return MeddledStore(new_store())


@pytest.fixture
def here(store):
    """The process under test."""
    return process(store)


@pytest.fixture
def elsewhere(store):
    """Another process on the same store, which leaves no trace in what `store` was asked."""
    return process(store.store)
