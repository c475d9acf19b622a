"""A verifier of API keys, whose sources fail and whose clock moves when a test says so."""

from collections.abc import AsyncIterator

import pytest

from app.adapters.identity import KeyVerifier, key_verifier
from tests.unit.identity.issuing import Clock
from tests.unit.identity.keeping import FailingCopy, FailingKeys


@pytest.fixture
def store() -> FailingKeys:
    """The list of keys."""
    return FailingKeys()


@pytest.fixture
def copy() -> FailingCopy:
    """The copy of the list."""
    return FailingCopy()


@pytest.fixture
def clock() -> Clock:
    """The clock by which lists age."""
    return Clock(100.0)


@pytest.fixture
async def verifier(store, copy, clock) -> AsyncIterator[KeyVerifier]:
    """A verifier with both sources, which reads when it is asked."""
    opened = KeyVerifier(store, copy, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def quick(monkeypatch) -> None:
    """What is done at times is done at once."""
    for each in ("REFRESH_SECONDS", "RETRY_SECONDS", "COMPARE_SECONDS", "USE_SECONDS"):
        monkeypatch.setattr(key_verifier, each, 0.001)
