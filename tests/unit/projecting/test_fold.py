"""Folding events into documents."""

import copy
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.framework.eventsourcing import Event
from app.framework.projections import CannotApply, Versioned, copied, existing, fold
from tests.notes import (
    BEGIN,
    LOG,
    NOTES,
    NoteAdded,
    NoteErased,
    NoteRead,
    NoteWritten,
    note,
    notes,
    recorded,
)


def texts(versioned: Versioned) -> list[str]:
    """What a note says."""
    assert versioned.document
    return versioned.document["texts"]


def test_events_are_applied_in_order():
    """Each to the document of its key, which is then at the position of the last of them."""
    events = [
        recorded(1, "a", NoteWritten("x")),
        recorded(2, "b", NoteWritten("y")),
        recorded(3, "a", NoteAdded("z")),
    ]
    changed = fold(NOTES, {}, events)
    assert {key: (texts(each), each.position) for key, each in changed.items()} == {
        "a": (["x", "z"], 3),
        "b": (["y"], 2),
    }


def test_events_go_on_from_what_is_stored():
    """Documents that nothing happens to are left out of what changed."""
    stored = fold(
        NOTES, {}, [recorded(1, "a", NoteWritten("x")), recorded(2, "b", NoteWritten("y"))]
    )
    changed = fold(NOTES, stored, [recorded(3, "a", NoteAdded("z"))])
    assert changed.keys() == {"a"}
    assert texts(changed["a"]) == ["x", "z"]


def test_an_event_that_was_applied_is_passed_over():
    """Whatever the document holds is at its position already, and later events are not."""
    events = [recorded(1, "a", NoteWritten("x")), recorded(2, "a", NoteAdded("y"))]
    stored = fold(NOTES, {}, events)
    assert fold(NOTES, stored, events) == {}
    assert texts(fold(NOTES, stored, [*events, recorded(3, "a", NoteAdded("z"))])["a"]) == list(
        "xyz"
    )


def test_ignored_events_change_nothing():
    """Not even the position of their document."""
    stored = fold(NOTES, {}, [recorded(1, "a", NoteWritten("x"))])
    assert fold(NOTES, stored, [recorded(2, "a", NoteRead())]) == {}


def test_a_deletion_is_remembered_with_its_position():
    """So that nothing older brings the document back; something newer may."""
    erased = fold(NOTES, {}, [recorded(1, "a", NoteWritten("x")), recorded(2, "a", NoteErased())])
    assert erased == {"a": Versioned(None, 2)}
    assert fold(NOTES, erased, [recorded(1, "a", NoteWritten("x"))]) == {}
    assert texts(fold(NOTES, erased, [recorded(3, "a", NoteWritten("z"))])["a"]) == ["z"]


def test_what_is_stored_is_left_as_it_is():
    """A fold makes new documents."""
    stored = fold(NOTES, {}, [recorded(1, "a", NoteWritten("x"))])
    before = copy.deepcopy(stored)
    fold(NOTES, stored, [recorded(2, "a", NoteAdded("y"))])
    assert stored == before


def test_a_change_of_nothing_is_an_error():
    """The message names the event and its position, and tells nothing of what is in it."""
    with pytest.raises(CannotApply, match=r"NoteAdded at position 7 .* does not exist") as caught:
        fold(NOTES, {}, [recorded(7, "a", NoteAdded("secret"))])
    assert "secret" not in str(caught.value)


def test_an_existing_document_is_returned():
    """For a fold to go on with."""
    document = {"x": 1}
    assert existing(document, recorded(1, "a", NoteRead())) is document


def test_an_event_that_begins_a_document_is_given_none():
    """Whatever it was before, so that it makes no difference whether that was loaded."""
    given = []

    def written(document, _, event):
        given.append(document)
        return {"texts": [event.text]}

    projection = replace(NOTES, handlers={**NOTES.handlers, NoteWritten: written})
    events = [recorded(1, "a", NoteWritten("x")), recorded(2, "a", NoteWritten("y"))]
    assert texts(fold(projection, {"a": note("old", 0)}, events)["a"]) == ["y"]
    assert given == [None, None]


def test_documents_are_loaded_that_a_fold_starts_from():
    """Neither those that the events begin, nor those that they leave alone."""
    events = [
        recorded(1, "new", NoteWritten("x")),
        recorded(2, "new", NoteAdded("y")),
        recorded(3, "old", NoteAdded("x")),
        recorded(4, "old", NoteWritten("y")),
        recorded(5, "read", NoteRead()),
    ]
    assert NOTES.keys_to_load(NOTES.keyed(events)) == {"old"}
    assert LOG.keys_to_load(LOG.keyed(events)) == set()


def test_stances_that_are_missing_are_found():
    """An event type is applied, or ignored in so many words."""
    assert NOTES.unhandled_events([NoteWritten, NoteRead]) == []
    half = notes()

    class Unheard(Event):
        pass

    assert LOG.unhandled_events([NoteWritten, Unheard]) == [Unheard]
    assert half.unhandled_events([NoteErased, Unheard]) == [Unheard]


def test_a_projection_goes_under_its_name_and_version():
    """The versions of a projection are stored apart."""
    assert [notes(version=each).id for each in (1, 2)] == ["notes_v1", "notes_v2"]


@st.composite
def logs(draw):
    """A log of notes, with the versions in their streams."""
    alive: set[str] = set()
    versions: dict[str, int] = {}
    log = []
    for position in range(1, draw(st.integers(0, 30)) + 1):
        note = draw(st.sampled_from("abc"))
        versions[note] = versions.get(note, 0) + 1
        if note not in alive:
            alive.add(note)
            event: Event = NoteWritten(draw(st.sampled_from("xyz")))
        elif draw(st.integers(0, 3)) == 0:
            alive.discard(note)
            event = NoteErased()
        else:
            event = draw(st.sampled_from([NoteAdded("x"), NoteAdded("y"), NoteRead()]))
        log.append(recorded(position, note, event, versions[note]))
    return log


@given(log=logs(), cuts=st.lists(st.integers(0, 30), max_size=5), overlap=st.integers(0, 5))
def test_batches_lead_where_the_whole_leads(log, cuts, overlap):
    """However the log is cut, and however often some of it is folded again."""
    for projection in (NOTES, LOG):
        stored: dict[str, Versioned] = {}
        edges = [0, *sorted(cuts), len(log)]
        for start, end in itertools.pairwise(edges):
            stored |= fold(projection, stored, log[max(0, start - overlap) : end])
        assert stored == fold(projection, {}, log)


VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.just(BEGIN),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def parts(value):
    """A value and all that can be changed within it."""
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from parts(each)


@given(VALUES)
def test_a_copy_is_equal_and_shares_nothing(value):
    """Nothing that is done to it is seen in the original."""
    copy_of_it = copied(value)
    assert copy_of_it == value
    assert not {id(each) for each in parts(value)} & {id(each) for each in parts(copy_of_it)}
