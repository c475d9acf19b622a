"""What is kept of reads, in every order of a read, a batch and what follows it."""

from collections.abc import Iterator, Sequence

import pytest

from app.adapters.mongo.changed_keys import Observed
from app.adapters.mongo.client import NO_ELECTION
from app.adapters.mongo.kept_documents import MISSING, KeptDocuments, Reading
from app.framework.projections import Entry
from tests.unit.identity.issuing import Clock
from tests.unit.keeping import BUILD, PLENTY, Stored, look


def orders(*threads: Sequence[str]) -> Iterator[Sequence[str]]:
    """All orders of the steps of threads, each of which keeps its own order."""
    if not any(threads):
        yield []
    for number, thread in enumerate(threads):
        if thread:
            for rest in orders(*threads[:number], thread[1:], *threads[number + 1 :]):
                yield [thread[0], *rest]


class Keeping:
    """One order of the steps of readers, a projector and what follows it."""

    def __init__(self) -> None:
        self.clock = Clock(1000.0)
        self.kept = KeptDocuments(PLENTY, self.clock)
        self.stored = Stored()
        self.stored.write(1, "a")
        self.stored.save(1, "a")
        self.readings: dict[str, Reading] = {}
        self.read: dict[str, dict[str, Entry | None]] = {}
        self.answered = 0
        self.seen = self.stored.observed()
        look(self.kept, self.stored, self.clock)

    def take(self, step: str) -> None:
        """Take a step."""
        match step.split():
            case ["begin", who]:
                reading = self.kept.reading(BUILD)
                assert reading is not None
                self.readings[who] = reading
                reading.__enter__()
            case ["read", who]:
                self.read[who] = self.stored.read("a")
            case ["keep", who]:
                self.readings[who].keep(self.read[who])
                self.readings[who].__exit__(None, None, None)
                self.answer(self.read[who]["a"])
            case ["write", position]:
                self.stored.write(int(position), "a")
            case ["save", position]:
                self.stored.save(int(position), "a")
            case ["look"]:
                self.seen = self.stored.observed()
            case ["observe"]:
                self.kept.observe([self.seen], self.clock())
            case ["report"]:
                self.kept.report([self.seen], self.clock(), NO_ELECTION)

    def check(self) -> None:
        """What is kept has everything up to the position that is known."""
        for position in range(5):
            found = self.kept.document(BUILD, "a", position)
            if found is not None and found is not MISSING:
                known = self.kept._builds[BUILD].observed.position
                assert position <= known <= max(found.position, 1)
                assert found.position >= known

    def answer(self, found: Entry | None) -> None:
        """Answer a client."""
        assert found is not None
        self.answered = max(self.answered, found.position)

    def check_again(self) -> None:
        """What is kept is no older than what was answered before."""
        found = self.kept.document(BUILD, "a", 0)
        if found is not MISSING:
            assert found is not None
            assert found.position >= self.answered
            self.answer(found)


READER = ["begin one", "read one", "keep one"]
ANOTHER = ["begin two", "read two", "keep two"]
PROJECTOR = ["write 2", "save 2"]
FOLLOWER = ["look", "observe", "look", "observe"]
REPORTER = ["look", "report", "look", "report"]
AHEAD = ["write 2", "save 2", "write 3"]


def test_in_every_order_what_is_kept_is_as_new_as_what_is_known():
    """A read, a batch that changes what it reads, and two looks at what changed."""
    kept = 0
    for order in orders(READER, PROJECTOR, FOLLOWER):
        run = Keeping()
        for step in order:
            run.take(step)
            run.check()
        kept += run.kept.document(BUILD, "a", 0) is not MISSING
    # Otherwise it would be easy.
    assert kept > 100


def test_a_report_may_be_taken_in_late():
    """It is by the next step that uses what is kept: after any number of steps without one."""
    for order in orders(READER, PROJECTOR, REPORTER):
        for end in range(1, len(order) + 1):
            run = Keeping()
            for step in order[:end]:
                run.take(step)
            run.check()


def test_in_no_order_does_a_later_answer_hold_less():
    """Two reads, of which one may end at what is written and not saved yet, and a look."""
    kept = 0
    for order in orders(READER[1:], ANOTHER, AHEAD, FOLLOWER[:2]):
        run = Keeping()
        for step in [READER[0], *order]:
            run.take(step)
            run.check_again()
        kept += run.kept.document(BUILD, "a", 0) is not MISSING
    assert kept > 10_000


@pytest.mark.parametrize("fault", ["late", "blind"])
def test_the_orders_would_find_a_fault(monkeypatch, fault):
    """The position is known before what changed is forgotten; or reads under way are not told."""

    class Late(KeptDocuments):
        def _observe(self, new: Observed) -> None:
            known = self._builds.get(new.build)
            before, late = (known.observed, getattr(self, "late", None)) if known else (new, None)
            if known is None:
                super()._observe(new)
                return
            if late:
                self._forget(known, late)
            self.late = new.changed_since(before)
            known.observed = new

    if fault == "blind":
        monkeypatch.setattr(Reading, "__enter__", lambda _: None)
    else:
        monkeypatch.setattr("tests.unit.test_kept_orders.KeptDocuments", Late)
    with pytest.raises(AssertionError):
        test_in_every_order_what_is_kept_is_as_new_as_what_is_known()
    if fault == "late":
        with pytest.raises(AssertionError):
            test_a_report_may_be_taken_in_late()
