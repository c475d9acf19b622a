"""The processes of a service have one set of metrics."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from app.framework.observability.metrics import Reach, counter, gauge, histogram, slots
from app.framework.observability.metrics.exposition import text_of
from app.framework.observability.metrics.slots import (
    LIVE_SECONDS,
    Slot,
    Slots,
    report,
    use,
)
from tests.unit.metrics.reading import parsed, read, value

DONE = counter("tests_of_slots_total", "For tests.", "kind")
OWN = counter("tests_of_slots_own_total", "For tests.", reach=Reach.PROCESS)
LENGTH = gauge("tests_of_slots_length", "For tests.")
TIMES = histogram("tests_of_slots_seconds", "For tests.", bounds=(1, 2))


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Another test has no slot, and starts at zero."""
    monkeypatch.setattr(slots, "_own", None)
    for metric in (DONE, OWN, LENGTH, TIMES):
        metric.clear()


@pytest.fixture
def shared() -> Slots:
    """What a supervisor makes for two processes."""
    return Slots(["worker-1", "worker-2"])


def works(slot: Slot, number: int) -> None:
    """What a new process does in a slot, up to its report."""
    for metric in (DONE, OWN, LENGTH, TIMES):
        metric.clear()
    use(slot)
    DONE.of("a").value += number
    OWN.of().value += number
    LENGTH.of().value = number
    TIMES.of().observe(number)
    report()


def test_counters_and_histograms_are_added_up(shared):
    """Either process answers for both."""
    works(shared.of("worker-1"), 1)
    works(shared.of("worker-2"), 3)

    found = read()
    assert value(found, "diptych_tests_of_slots_total", kind="a") == 4
    assert value(found, "diptych_tests_of_slots_seconds_sum") == 4
    assert value(found, "diptych_tests_of_slots_seconds_bucket", le="2.0") == 1
    assert value(found, "diptych_tests_of_slots_seconds_count") == 2


def test_gauges_are_those_of_each_process(shared):
    """Their sum says nothing; a label says whose they are."""
    works(shared.of("worker-1"), 1)
    works(shared.of("worker-2"), 3)

    found = read()
    assert value(found, "diptych_tests_of_slots_length", process="worker-1") == 1
    assert value(found, "diptych_tests_of_slots_length", process="worker-2") == 3
    assert value(found, "diptych_tests_of_slots_own_total", process="worker-1") == 1
    assert value(found, "diptych_up", process="worker-1") == 1


def test_a_process_continues_the_counters_of_the_one_before(shared):
    """Else their sum would go back, which Prometheus takes for a restart of all of them."""
    works(shared.of("worker-1"), 5)
    works(shared.of("worker-2"), 1)
    works(shared.of("worker-1"), 2)

    assert value(read(), "diptych_tests_of_slots_total", kind="a") == 8


def test_what_was_shown_is_not_lost_with_a_process(shared):
    """A process that is killed after it has answered leaves what it has said."""
    works(shared.of("worker-1"), 5)
    DONE.of("a").value += 1
    assert value(read(), "diptych_tests_of_slots_total", kind="a") == 6

    works(shared.of("worker-1"), 0)
    assert value(read(), "diptych_tests_of_slots_total", kind="a") == 6


def test_cells_that_are_kept_stay_in_use(shared):
    """A fork has those of its supervisor, which were bound when the application was made."""
    kept = DONE.of("a")
    kept.value = 7
    use(shared.of("worker-1"))
    kept.value += 1

    assert value(read(), "diptych_tests_of_slots_total", kind="a") == 1


def test_gauges_of_a_process_that_is_gone_are_left_out(shared, monkeypatch):
    """Its counters stay: what it did was done."""
    works(shared.of("worker-1"), 1)
    works(shared.of("worker-2"), 3)
    then = time.time()
    monkeypatch.setattr(time, "time", lambda: then + LIVE_SECONDS + 1)

    found = read()
    assert value(found, "diptych_tests_of_slots_total", kind="a") == 4
    assert value(found, "diptych_up", process="worker-1") == 0
    assert value(found, "diptych_up", process="worker-2") == 1
    names = {dict(labels).get("process") for name, labels in found if name == LENGTH.name}
    assert names == {"worker-2"}


class Interrupted:
    """Memory that another process reads in the middle of each change, and after it."""

    def __init__(self, memory: Any, look: Callable[[], None]) -> None:
        self._memory, self._look = memory, look

    def __getitem__(self, at: Any) -> Any:
        return self._memory[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        if isinstance(at, slice):
            half = len(value) // 2
            self._memory[at.start : at.start + half] = value[:half]
            self._look()
        self._memory[at] = value
        self._look()


def test_a_report_that_is_being_written_is_not_read(shared):
    """The one before is complete, and is replaced in one step."""
    reports, seen = [b"the first", b"the second, which is longer", b"the third"], [b"the first"]
    shared.write("worker-1", reports[0])

    def look() -> None:
        found = shared.read("worker-1")
        if found != seen[-1]:
            seen.append(found)

    shared._memory[0] = Interrupted(shared._memory[0], look)
    for each in reports[1:]:
        shared.write("worker-1", each)
    assert seen == reports
    assert shared.read("worker-2") is None


def test_a_report_has_to_fit(shared):
    """Rather none than a part of one."""
    with pytest.raises(ValueError, match="The metrics of worker-1 take 1000000 bytes"):
        shared.write("worker-1", b"x" * 1_000_000)


def test_the_system_is_asked_for_each_process(shared):
    """How much processor time and memory it takes."""
    works(shared.of("worker-1"), 1)
    found = parsed(text_of([report()]).decode())

    assert value(found, "process_cpu_seconds_total", process="worker-1") > 0
    assert value(found, "process_resident_memory_bytes", process="worker-1") > 1e6
