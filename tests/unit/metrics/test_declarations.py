"""Numbers are bounded, and cheap to change."""

import time

import pytest

from app.framework.observability.metrics import Count, Distribution, Metric, Reach, counter
from app.framework.observability.metrics.declarations import CHILDREN, OTHER


def a_counter(*labels: str) -> Metric[Count]:
    """A counter that is not declared, and so not in the text."""
    return Metric("tests_total", "counter", "For tests.", labels, Reach.SUMMED, Count)


def test_values_are_counted_at_the_first_bound_that_they_do_not_exceed():
    """As Prometheus has it: `le` is less or equal."""
    found = Distribution((1, 2, 4))
    for value in (0.5, 1, 1.5, 4, 5):
        found.observe(value)

    assert (found.counts, found.sum) == ([2, 1, 1, 1], 12)


def test_the_same_values_have_the_same_number():
    """So it can be kept where it is needed."""
    metric = a_counter("kind")
    metric.of("a").value += 1
    metric.of("a").value += 1
    metric.of("b").value += 1

    assert {values: each.value for values, each in metric.cells.items()} == {("a",): 2, ("b",): 1}


def test_a_metric_has_a_bounded_number_of_label_values():
    """Further ones count together, should one be what clients send."""
    metric = a_counter("path", "method")
    for number in range(CHILDREN + 500):
        metric.of(f"/{number}", "GET").value += 1

    assert len(metric.cells) == CHILDREN + 1
    assert metric.of(OTHER, OTHER).value == 500


def test_label_values_are_those_that_are_declared():
    """A mistake is one of the code, and found where it is made."""
    with pytest.raises(ValueError, match="diptych_tests_total has the labels kind"):
        a_counter("kind").of("a", "b")


def test_a_name_is_declared_once():
    """Two modules that use one name would add up what has two meanings."""
    counter("tests_of_declarations_total", "For tests.")
    with pytest.raises(ValueError, match="diptych_tests_of_declarations_total is declared twice"):
        counter("tests_of_declarations_total", "For tests.")


@pytest.mark.unmeasured
def test_measuring_is_cheap():
    """A request has about ten of these, and three microseconds for all of them."""
    durations = Distribution((0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5))
    fastest = min(_seconds(durations) for _ in range(5))

    assert fastest / 10_000 < 1e-6


def _seconds(durations: Distribution) -> float:
    began = time.perf_counter()
    for _ in range(10_000):
        durations.observe(0.003)
    return time.perf_counter() - began
