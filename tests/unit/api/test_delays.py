"""What the limits hold back, and for how long."""

import pytest

from app.framework.http import rate_limits
from app.framework.http.buckets import Rate
from app.framework.http.rate_limits import RateLimits
from app.framework.principal import ANYONE
from tests.unit.identity.issuing import Clock

FEW = Rate(a_minute=1, burst=20)


def test_what_comes_at_once_is_spread():
    """Beyond some requests, but never so that it takes longer than the units to come again."""
    clock = Clock(1000.0)
    scope = {"client": ("192.0.2.7", 1)}

    def delays(a_minute: int) -> list[float]:
        limits = RateLimits(Rate(a_minute, 100), clock)
        verdicts = [limits.take(scope, ANYONE, 1) for _ in range(25)]
        return [limits.spread(each, 1) for each in verdicts]

    assert delays(3000)[:20] == [0] * 20
    assert delays(3000)[20:] == [pytest.approx(0.004 * each) for each in range(1, 6)]
    assert delays(60_000)[20:] == [pytest.approx(0.0005 * each) for each in range(1, 6)]


def test_refusals_of_one_that_goes_on_are_held_back(monkeypatch):
    """The first are answered at once; others are refused as they were."""
    monkeypatch.setattr(rate_limits, "REFUSAL_SECONDS", 1.0)
    clock = Clock(1000.0)
    limits = RateLimits(FEW, clock)
    delays = [limits.refuse("one").delay for _ in range(24)]
    assert delays[:20] == [0] * 20
    assert all(0.5 <= each <= 1.5 for each in delays[20:])
    assert limits.refuse("other").delay == 0
    clock.at += 2
    assert limits.refuse("one").delay == 0
