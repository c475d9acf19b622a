"""A world of its own for each test."""

import pytest

from tests.world import World


@pytest.fixture
def world() -> World:
    """An empty one."""
    return World()
