"""Token buckets."""

import pytest

from app.framework.http.buckets import Buckets, Rate
from tests.unit.identity.issuing import Clock

A_SECOND = Rate(a_minute=60, burst=10)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock(1000.0)


@pytest.fixture
def buckets(clock) -> Buckets:
    """Buckets of ten, filled by one a second."""
    return Buckets(A_SECOND, clock=clock)


def test_a_bucket_is_emptied_and_filled_again(buckets, clock):
    """It never holds more than the burst, and says how long the next takes."""
    assert [buckets.take("one", 1).left for _ in range(10)] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    refused = buckets.take("one", 2)
    assert (refused.wait, refused.left) == (pytest.approx(2), 0)
    clock.at += 1
    assert buckets.take("one", 2).wait == pytest.approx(1)
    clock.at += 1
    assert buckets.take("one", 2).wait == 0
    clock.at += 3600
    assert buckets.take("one", 1).left == 9


def test_a_refusal_takes_nothing(buckets, clock):
    """A client that goes on waits no longer for that."""
    buckets.take("one", 10)
    for _ in range(100):
        assert buckets.take("one", 3).wait == pytest.approx(3)
    clock.at += 3
    assert buckets.take("one", 3).wait == 0


def test_a_look_takes_nothing(buckets):
    """It says what taking would."""
    assert (buckets.look("one", 3).wait, buckets.look("one", 3).left) == (0, 10)
    buckets.take("one", 8)
    assert (buckets.look("one", 3).wait, buckets.look("one", 3).left) == (pytest.approx(1), 2)


def test_what_has_yet_to_come_in_can_be_reserved(buckets, clock):
    """By one after the other, each later."""
    assert [buckets.reserve("one", 5) for _ in range(4)] == [0, 0, 5, 10]
    clock.at += 12
    assert buckets.reserve("one", 5) == pytest.approx(3)
    assert buckets.reserve("other", 5) == 0


def test_clients_have_buckets_of_their_own(buckets):
    """One that is empty takes nothing from another."""
    buckets.take("one", 10)
    assert buckets.take("other", 10).wait == 0


def test_what_costs_more_than_a_bucket_holds_takes_a_full_one(buckets, clock):
    """It would be refused for ever."""
    assert buckets.take("one", 50).wait == 0
    clock.at += 9
    assert buckets.take("one", 50).wait == pytest.approx(1)


@pytest.mark.parametrize(("rate", "seconds"), [(7, 86), (60, 10), (6000, 1), (7000, 1), (600, 1)])
def test_seconds_are_whole(rate, seconds):
    """Errors of rounding add none."""
    assert Buckets(Rate(rate, 10)).fill_seconds == seconds


def test_memory_is_bounded_and_a_new_bucket_is_no_gain(clock):
    """The one used longest ago goes: one that is in use stays, however many others come."""
    buckets = Buckets(A_SECOND, bound=100, clock=clock)
    buckets.take("flood", 10)
    for number in range(1000):
        assert buckets.take("flood", 1).wait > 0
        buckets.take(f"other {number}", 1)
    assert len(buckets) == 100
    for number in range(100):
        buckets.take(f"more {number}", 1)
    assert buckets.take("flood", 1).wait == 0
