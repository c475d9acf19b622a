"""How many connections there may be, by the limit of open files."""

import logging
import resource
from pathlib import Path

import pytest

from app.host.server.descriptors import (
    CONNECTIONS,
    ENOUGH,
    RESERVE,
    connections_bound,
    raise_limit,
)

UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch):
    """Sets the limits that the process seems to have; what they are raised to is kept in them."""

    def seem(soft: int, hard: int) -> list[tuple[int, int]]:
        limits = [(soft, hard)]
        monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
        monkeypatch.setattr(resource, "setrlimit", lambda _, raised: limits.append(raised))
        return limits

    return seem


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (1024, UNLIMITED, [(ENOUGH, UNLIMITED)]),
        (1024, 4096, [(4096, 4096)]),
        (1024, 10 * ENOUGH, [(ENOUGH, 10 * ENOUGH)]),
        (4096, 4096, []),
        (2 * ENOUGH, UNLIMITED, []),
        (UNLIMITED, UNLIMITED, []),
    ],
)
def test_the_limit_is_raised_as_far_as_allowed_and_needed(limits, soft, hard, raised):
    """It is never lowered."""
    seen = limits(soft, hard)
    raise_limit()
    assert seen[1:] == raised


@pytest.mark.parametrize("soft", [UNLIMITED, ENOUGH])
def test_with_enough_files_the_bound_is_that_of_the_service(limits, caplog, soft):
    """Nothing is logged."""
    limits(soft, UNLIMITED)
    assert connections_bound() == CONNECTIONS
    assert not caplog.records


def test_with_few_files_the_bound_leaves_some_for_databases(limits, caplog):
    """The log says so, and what to look at."""
    caplog.set_level(logging.WARNING)
    limits(1024, 1024)
    bound = connections_bound()
    is_open = sum(1 for _ in Path("/dev/fd").iterdir())
    assert bound == pytest.approx(1024 - RESERVE - is_open, abs=2)
    assert f"At most {bound} connections at once" in caplog.text
    assert "ulimit -n" in caplog.text


def test_some_connections_are_always_possible(limits):
    """Though there seem to be no files for them."""
    limits(RESERVE, RESERVE)
    assert connections_bound() == 16
