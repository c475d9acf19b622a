"""What is kept of reads is never older than what is known to have changed."""

import pytest

from app.adapters.mongo.changed_keys import KEYS, SAVES, SaveNumbers
from app.adapters.mongo.kept_documents import (
    ALIVE_SECONDS,
    LIFE_SECONDS,
    MISSING,
    REPAIR_SECONDS,
    KeptDocuments,
)
from app.framework.projections import Entry, Lease
from tests.unit.identity.issuing import Clock
from tests.unit.keeping import BUILD, PLENTY, Stored, look, read


@pytest.fixture
def clock() -> Clock:
    """The clock of what is kept."""
    return Clock(1000.0)


@pytest.fixture
def kept(clock: Clock) -> KeptDocuments:
    """Nothing yet."""
    return KeptDocuments(PLENTY, clock)


@pytest.fixture
def stored() -> Stored:
    """A build at position 1, with one document."""
    stored = Stored()
    stored.write(1, "a")
    stored.save(1, "a")
    return stored


def test_a_document_is_kept_until_it_changes(kept, stored, clock):
    """Also that there is none."""
    look(kept, stored, clock)
    read(kept, stored, "a", "b")
    found = kept.document(BUILD, "a", 1)
    assert found is not None
    assert found.position == 1
    assert kept.document(BUILD, "b", 1) is None
    assert kept.document(BUILD, "c", 1) is MISSING
    assert kept.document(BUILD, "a", 2) is MISSING
    stored.write(2, "b")
    stored.save(2, "b")
    look(kept, stored, clock)
    assert kept.document(BUILD, "b", 1) is MISSING
    assert kept.document(BUILD, "a", 2) is found


def test_a_report_of_another_election_is_not_observed(stored, clock):
    """It is of a primary that was replaced, or readers still ask one."""
    known = "second"
    kept = KeptDocuments(PLENTY, clock, lambda: (1, known))
    kept.report([stored.observed()], clock(), (1, "first"))
    assert kept.reading(BUILD) is None
    kept.report([stored.observed()], clock(), (1, "second"))
    assert kept.reading(BUILD) is not None


def test_a_page_is_kept_until_any_document_changes(kept, stored, clock):
    """A position that changes none changes no page."""
    look(kept, stored, clock)
    page = [Entry("a", {}, 1)]
    reading = kept.reading(BUILD)
    with reading:
        reading.keep_page("all", page)
    stored.save(2)
    look(kept, stored, clock)
    assert kept.page(BUILD, "all", 2) is page
    stored.save(3, "b")
    look(kept, stored, clock)
    assert kept.page(BUILD, "all", 0) is None
    late = kept.reading(BUILD)
    with late:
        stored.save(4, "a")
        look(kept, stored, clock)
        late.keep_page("all", page)
    assert kept.page(BUILD, "all", 0) is None


def test_nothing_is_answered_if_it_is_not_known_what_changed(kept, stored, clock):
    """For MongoDB may have changed it."""
    assert kept.reading(BUILD) is None
    look(kept, stored, clock)
    read(kept, stored, "a")
    clock.at += ALIVE_SECONDS
    assert kept.document(BUILD, "a", 0) is MISSING
    assert kept.reading(BUILD) is None
    look(kept, stored, clock)
    assert kept.document(BUILD, "a", 0) is not MISSING


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: [stored.save(each, "b") for each in range(2, SAVES + 3)],
        lambda stored: stored.save(2, *(str(each) for each in range(KEYS + 1))),
        lambda stored: stored.save(2, epoch=2),
        lambda stored: stored.found.update(epoch=2),
        lambda stored: stored.found.update(documents="others"),
        lambda stored: stored.found.update(condemned="lost"),
        lambda stored: stored.found.update(repaired_at=1),
        lambda stored: stored.found["changes"].update(number=0),
        lambda stored: stored.found.pop("changes"),
    ],
    ids=[
        "more saves than are stored",
        "more keys than are stored",
        "taken over",
        "taken over by an older version",
        "dropped and built again",
        "condemned",
        "repaired",
        "restored",
        "of an older version",
    ],
)
def test_everything_is_forgotten_if_anything_may_have_changed(kept, stored, clock, change):
    """Whatever comes after is read from MongoDB first."""
    look(kept, stored, clock)
    read(kept, stored, "a")
    reading = kept.reading(BUILD)
    with reading:
        change(stored)
        look(kept, stored, clock)
        assert kept.document(BUILD, "a", 0) is MISSING
        reading.keep(stored.read("a"))
    assert kept.document(BUILD, "a", 0) is MISSING


def test_a_number_is_given_once_under_a_lease():
    """A save that is tried again may have other keys."""
    numbers = SaveNumbers()
    lease = Lease(BUILD, "one", 3)
    first, second = numbers.fields(lease, ["a"]), numbers.fields(lease, ["a", "b"])
    assert first["changes.saves.1"] == [3, 1, ["a"]]
    assert second["changes.saves.2"] == [3, 2, ["a", "b"]]
    assert numbers.fields(lease, []) == {"changes.epoch": 3, "changes.number": 2}
    assert numbers.fields(Lease(BUILD, "two", 4), ["c"])["changes.saves.1"] == [4, 1, ["c"]]


def test_a_save_that_was_not_stored_leaves_a_gap(kept, stored, clock):
    """What the one after it changed is not all that changed."""
    look(kept, stored, clock)
    read(kept, stored, "a")
    stored.numbers.fields(Lease(BUILD, "one", 1), ["a"])
    stored.save(2, "b")
    look(kept, stored, clock)
    assert kept.document(BUILD, "a", 0) is MISSING


def test_nothing_is_kept_for_a_while_after_a_repair_began(kept, stored, clock):
    """It is noted before documents are replaced, and they have no number."""
    stored.found["repaired_at"] = 1
    look(kept, stored, clock)
    assert kept.reading(BUILD) is None
    clock.at += REPAIR_SECONDS
    look(kept, stored, clock)
    read(kept, stored, "a")
    assert kept.document(BUILD, "a", 0) is not MISSING


def test_a_parked_document_is_not_answered(kept, stored, clock):
    """MongoDB's adapter says why it cannot be."""
    look(kept, stored, clock)
    read(kept, stored, "a")
    stored.found["parked"] = [{"key": "a"}]
    look(kept, stored, clock)
    assert kept.document(BUILD, "a", 0) is MISSING


def test_nothing_is_kept_for_ever(kept, stored, clock):
    """A document may have been changed by hand."""
    look(kept, stored, clock)
    read(kept, stored, "a")
    clock.at += LIFE_SECONDS
    look(kept, stored, clock)
    assert kept.document(BUILD, "a", 0) is MISSING


def test_what_this_process_changes_is_forgotten_at_once(kept, stored, clock):
    """Also of a read under way."""
    look(kept, stored, clock)
    read(kept, stored, "a")
    reading = kept.reading(BUILD)
    with reading:
        kept.forget(BUILD, ["a"])
        kept.forget("another", ["a"])
        reading.keep(stored.read("a"))
    assert kept.document(BUILD, "a", 0) is MISSING


def test_what_is_older_than_an_answer_is_forgotten(kept, stored, clock):
    """Of a read that could not keep what it found; a read under way does not bring it back."""
    look(kept, stored, clock)
    read(kept, stored, "a")
    newer, reading = {"a": Entry("a", {}, 2), "b": None}, kept.reading(BUILD)
    with reading:
        kept.outdate(BUILD, newer)
        kept.outdate("another", newer)
        assert kept.document(BUILD, "a", 0) is MISSING
        reading.keep(stored.read("a"))
        assert kept.document(BUILD, "a", 0) is MISSING
        reading.keep({"a": newer["a"]})
    assert kept.document(BUILD, "a", 0) is newer["a"]
    kept.outdate(BUILD, newer)
    assert kept.document(BUILD, "a", 0) is newer["a"]
    kept.outdate(BUILD, {"a": None})
    assert kept.document(BUILD, "a", 0) is MISSING


def test_a_read_of_a_build_that_was_taken_over_outdates_what_is_older(kept, stored, clock):
    """It began when less was known, and has found more than one that began later."""
    look(kept, stored, clock)
    early = kept.reading(BUILD)
    with early:
        stored.save(1, epoch=2)
        look(kept, stored, clock)
        read(kept, stored, "a")
        assert kept.document(BUILD, "a", 0) is not MISSING
        stored.write(2, "a")
        early.keep(stored.read("a"))
    assert kept.document(BUILD, "a", 0) is MISSING


@pytest.mark.parametrize("is_last", [True, False])
def test_a_document_that_is_gone_takes_what_was_found_before_along(kept, stored, clock, is_last):
    """One read has answered it, a later one keeps it, and a third finds that it is gone."""
    look(kept, stored, clock)
    found = {"a": Entry("a", {}, 3)}
    late, another = kept.reading(BUILD), kept.reading(BUILD)
    with late, another:
        kept.outdate(BUILD, found)
        for reading in (another, late) if is_last else (late, another):
            reading.keep(found if reading is another else {"a": None})
    assert kept.document(BUILD, "a", 0) is MISSING


@pytest.mark.parametrize("text", ["another has no room beside it", "x" * 1000])
def test_what_had_to_make_room_is_not_followed_by_less(stored, clock, text):
    """It was answered; it had to make room for another, or never had room."""
    kept = KeptDocuments(1500, clock)
    look(kept, stored, clock)
    late = kept.reading(BUILD)
    with late:
        for found in ({"a": Entry("a", {"text": text}, 2)}, {"b": None, "c": None}):
            reading = kept.reading(BUILD)
            with reading:
                reading.keep(found)
        assert kept.document(BUILD, "a", 0) is MISSING
        assert kept.document(BUILD, "c", 0) is None
        late.keep(stored.read("a"))
    assert kept.document(BUILD, "a", 0) is MISSING


def test_what_was_read_longest_ago_goes_first(stored, clock):
    """Beyond the size, and its size is no longer counted."""
    kept = KeptDocuments(3000, clock)
    look(kept, stored, clock)
    for each in "abcd":
        read(kept, stored, each)
    assert kept.document(BUILD, "a", 0) is not MISSING
    for each in "ef":
        read(kept, stored, each)
    left = [each for each in "abcdef" if kept.document(BUILD, each, 0) is not MISSING]
    assert left[0] == "a"
    assert left[-1] == "f"
    assert len(left) < 6
    assert kept.size <= 3000
    kept.forget(BUILD, list("abcdef"))
    assert kept.size == 0
