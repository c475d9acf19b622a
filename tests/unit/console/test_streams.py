"""The page of a stream, and the query behind it, for any context."""

import re
from dataclasses import dataclass

import pytest

from app.console.streams import shown_steps
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.framework.administration import InspectStream, TraceStream
from app.framework.administration.trace_stream import STEPS, TraceStreamHandler
from app.framework.eventsourcing import AggregateType, EventRegistry
from app.framework.request import NO_CONTEXT
from tests.notes import NOTE_EVENTS, NoteWritten, append, new_log
from tests.unit.console.conftest import park
from tests.world import FROM_ANYONE

READS = ("console:read",)
PAGE = "/console/streams/user-user123"


@pytest.fixture
async def alice(service):
    """A user with three events, in the views up to the second."""
    for each in (
        RegisterUser("user123", "Alice Smith", "alice@example.com"),
        UpdateUserProfile("user123", name="<b>Alice</b>"),
    ):
        await service.mediator.send(each, FROM_ANYONE)
    await service.project()
    await service.mediator.send(UpdateUserProfile("user123", bio="Hello"), FROM_ANYONE)
    return service


@pytest.mark.usefixtures("alice")
async def test_a_life_without_values(signed_in):
    """Types, positions, the names of what changed, and how far each document is."""
    page = (await signed_in(*READS).get(PAGE)).text
    assert "User, 3 events." in page
    assert re.findall(r'data-version="(\d)" data-type="(\w+)"( hidden)?>', page) == [
        ("1", "UserRegistered", " hidden"),
        ("2", "UserNameChanged", " hidden"),
        ("3", "UserBioChanged", ""),
    ]
    assert '<span class="tag changed">bio</span>' in page
    assert "Values take the scope <code>log:read</code>." in page
    for value in ("Alice", "Hello", "alice@example.com"):
        assert value not in page
    assert "lags" in page


@pytest.mark.usefixtures("alice")
async def test_a_life_with_values(signed_in):
    """The state after each event, the difference to the one before, and the documents."""
    assert (await signed_in(*READS).get(f"{PAGE}?values=1")).status_code == 403
    page = (await signed_in(*READS, "log:read").get(f"{PAGE}?values=1&version=2")).text
    assert '<del><span class="hidden">before: </span>Alice Smith</del>' in page
    assert '<ins><span class="hidden">now: </span>&lt;b&gt;Alice&lt;/b&gt;</ins>' in page
    assert "<b>Alice" not in page
    assert "&#34;email&#34;: &#34;alice@example.com&#34;" in page
    assert re.findall(r'data-version="(\d)" data-type="\w+">', page) == ["2"]


def documents(page: str) -> dict[str, str]:
    """The last row of each view."""
    return dict(re.findall(r'id="view-\d" href="[^"]+">(\w+)</a>(.*?)</tr>', page, re.DOTALL))


async def test_why_a_page_shows_that(signed_in, alice):
    """What is level, what lags, and what is parked: on one screen."""
    lagging = (await signed_in(*READS).get(PAGE)).text
    assert "not there yet" in documents(lagging)["user_history"]
    assert "lags" in documents(lagging)["user_profiles"]
    await park(alice, "user_profiles", key="user123", error="KeyError", position=3)
    page = (await signed_in(*READS).get(PAGE)).text
    assert "parked at event 3" in documents(page)["user_profiles"]
    assert "yes" in documents(page)["user_summaries"]  # it ignores the third
    assert "yes" in documents(page)["user_history"]


async def test_a_page_that_is_open_learns_of_newer_events(signed_in, alice):
    """It does not jump to them."""
    alice.stopping.set()
    reader = signed_in(*READS)
    seen = (await reader.get("/console/live/streams/user-user123?version=2")).text
    assert "1 newer event happened" in seen
    assert "happened" not in (await reader.get("/console/live/streams/user-user123?version=3")).text
    assert (await reader.get("/console/live/streams/user-user123?values=1")).status_code == 403


@pytest.mark.usefixtures("alice")
async def test_a_stream_is_looked_up_by_its_id(signed_in):
    """One that does not exist has a page that says so."""
    reader = signed_in(*READS)
    answer = await reader.get("/console/streams?id=%20user-user123%20")
    assert answer.headers["location"] == PAGE
    assert (await reader.get("/console/streams")).status_code == 200
    answer = await reader.get("/console/streams/user-none")
    assert answer.status_code == 404
    assert "There is no event of this stream." in answer.text


@dataclass
class Note:
    """An aggregate of no context of the service, whose fold refuses some texts."""

    text: str = ""

    @classmethod
    def evolve(cls, _, event) -> "Note":
        """The text that was written last."""
        if event.text == "refused":
            raise ValueError("with a value in it")
        return cls(event.text)

    def claims(self):
        """None."""
        return ()


def handler(log, *, builds=None, projections=()) -> TraceStreamHandler:
    """The query on notes."""
    aggregates = [AggregateType("note", Note)]
    return TraceStreamHandler(log, EventRegistry(NOTE_EVENTS), aggregates, builds, projections)


async def test_it_works_for_any_context():
    """By the class of its aggregates; without one there is no state."""
    log = new_log()
    for text in ("a", "b"):
        await append(log, "n1", NoteWritten(text))
    stream = (await log.read(after=0, limit=1))[0].stream_id
    found = await handler(log)(InspectStream(stream), NO_CONTEXT)
    assert (found.aggregate, found.version, found.documents) == ("Note", 2, None)
    assert [(each.state, each.changed) for each in found.steps] == [
        ({"text": "a"}, ["text"]),
        ({"text": "b"}, ["text"]),
    ]
    hidden = await handler(log)(TraceStream(stream), NO_CONTEXT)
    assert [(each.state, each.event.data) for each in hidden.steps] == [(None, None)] * 2
    assert [each.changed for each in hidden.steps] == [["text"], ["text"]]


async def test_a_fold_that_refuses_an_event_is_said_without_a_value():
    """The events after it have no state."""
    log = new_log()
    for text in ("a", "refused", "b"):
        await append(log, "n1", NoteWritten(text))
    stream = (await log.read(after=0, limit=1))[0].stream_id
    found = await handler(log)(InspectStream(stream), NO_CONTEXT)
    errors = [each.error for each in found.steps]
    assert errors[0] is None
    assert errors[1] == errors[2] == "ValueError: the event cannot be applied to the state"


async def test_of_a_long_stream_a_part_is_shown():
    """The last events, or those up to a version; the first that is shown marks nothing."""
    log = new_log()
    for each in range(STEPS + 50):
        await append(log, "n1", NoteWritten(str(each)))
    stream = (await log.read(after=0, limit=1))[0].stream_id
    last = await handler(log)(InspectStream(stream), NO_CONTEXT)
    assert (last.version, len(last.steps)) == (STEPS + 50, STEPS)
    [first, second, *_] = shown_steps(last.steps)
    assert [each.differs for each in first.rows] == [False]
    assert [each.differs for each in second.rows] == [True]
    early = await handler(log)(InspectStream(stream, until=10), NO_CONTEXT)
    assert [each.event.version for each in early.steps] == list(range(1, 11))
    assert [each.differs for each in shown_steps(early.steps)[0].rows] == [True]
