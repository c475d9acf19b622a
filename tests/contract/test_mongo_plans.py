"""MongoDB answers every page that queries on users ask for from an index that is in its order."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from app.adapters.mongo import MongoReadModel
from app.bootstrap import register_queries
from app.contexts.users.domain.events import (
    USER_EVENTS,
    UserBioChanged,
    UserDeactivated,
    UserRegistered,
)
from app.contexts.users.projections import USER_HISTORY, USER_PROJECTIONS, USER_SUMMARIES
from app.contexts.users.queries.follow_users import FollowUsers
from app.contexts.users.queries.get_past_user_profile import GetPastUserProfile
from app.contexts.users.queries.get_user_history import GetUserHistory
from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.framework.contexts import ReadSide
from app.framework.eventsourcing import Event, EventRegistry, Metadata, RecordedEvent
from app.framework.mediator import Mediator
from app.framework.projections import Entry, PageRequest, fold
from app.framework.projections.changes import READ_AT_ONCE
from tests.following import prepare
from tests.people import person
from tests.plans import explained, is_by_index
from tests.world import FROM_ANYONE

DATABASE = f"test_{uuid4().hex}"
USERS = 2000
BUSY_EVENTS = 700
LIMIT = 20
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
REGISTRY = EventRegistry(USER_EVENTS)


class Recording:
    """Views that remember the pages that were asked for."""

    def __init__(self, views: MongoReadModel) -> None:
        self._views = views
        self.requests: list[PageRequest] = []

    async def page(self, view: str, request: PageRequest, **_: int) -> Sequence[Entry]:
        """The page, from the views behind; no projector has said how far they are."""
        self.requests.append(request)
        return await self._views.page(view, request)

    async def get(self, view: str, key: str, **_: int) -> Entry | None:
        """The document, from the views behind."""
        return await self._views.get(view, key)

    async def positions(self) -> Mapping[str, int]:
        """All of the log."""
        return dict.fromkeys((each.name for each in USER_PROJECTIONS), USERS + BUSY_EVENTS)


def _log() -> Iterator[RecordedEvent]:
    """Many users, many of them at the same time, every tenth deactivated, and a busy one."""
    position = 0
    for number in range(USERS):
        who = person(number)
        events: list[Event] = [UserRegistered(who.id, who.name, who.email, who.avatar_url)]
        if number == 0:
            events += [UserBioChanged(f"{each}") for each in range(BUSY_EVENTS)]
        if number % 10 == 1:
            events.append(UserDeactivated())
        for version, event in enumerate(events, 1):
            position += 1
            at = BEGIN + timedelta(seconds=number // 50)
            yield RecordedEvent(position, f"user-{who.id}", version, event, Metadata(), at)


@pytest.fixture(scope="module")
async def views(mongodb_url) -> AsyncIterator[Recording]:
    """The views of users on a log of some size."""
    read_model = MongoReadModel(mongodb_url, DATABASE, "pymongo")
    log = list(_log())
    for projection in USER_PROJECTIONS:
        await prepare(read_model, projection)
        documents = list(fold(projection, {}, log).items())
        for start in range(0, len(documents), 500):
            some = dict(documents[start : start + 500])
            await read_model.write(projection.id, some, created=some.keys())
    yield Recording(read_model)
    await read_model.close()
    with MongoClient[Any](mongodb_url) as client:
        client.drop_database(DATABASE)


@pytest.fixture(scope="module")
def send(views):
    """Sends queries to be answered from the views."""
    mediator = Mediator()
    register_queries(mediator, ReadSide(views, REGISTRY, seconds=1))
    return lambda query: mediator.send(query, FROM_ANYONE)


@pytest.fixture(scope="module")
def explain(mongodb_url):
    """What MongoDB did to answer a page."""
    with MongoClient[Any](mongodb_url, tz_aware=True) as client:
        yield lambda *page: explained(client[DATABASE], *page)


def assert_served_by_an_index(answered: Mapping[str, Any], *, examined: int) -> None:
    """An index gave the documents in their order, and few others were looked at."""
    assert is_by_index(answered["queryPlanner"]["winningPlan"])
    assert answered["executionStats"]["totalKeysExamined"] <= examined


@pytest.mark.parametrize("q", [None, "a", "mu", "gon", "gonza", "alice smi", "zzz"])
@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
@pytest.mark.parametrize("status", ["active", "deactivated"])
async def test_lists_of_users(views, send, explain, q, sort, status):
    """In every order, with and without a search, on the first page and on those after it."""
    views.requests.clear()
    cursor = None
    for _ in range(4):
        query = ListUserSummaries(status=status, q=q, sort=sort, limit=LIMIT, cursor=cursor)
        cursor = (await send(query)).next_cursor
        if cursor is None:
            break
    for request in views.requests:
        # A page that begins among users of one time passes by those it has had.
        assert_served_by_an_index(explain(USER_SUMMARIES, request), examined=LIMIT + 55)


async def test_the_history_of_a_user(views, send, explain):
    """On the first page and on those after it."""
    views.requests.clear()
    cursor = None
    for _ in range(3):
        query = GetUserHistory(person(0).id, limit=LIMIT, cursor=cursor)
        cursor = (await send(query)).next_cursor
    assert len(views.requests) == 3
    for request in views.requests:
        assert_served_by_an_index(explain(USER_HISTORY, request), examined=LIMIT + 3)


async def test_what_happens_to_users(views, send, explain):
    """From the beginning on, part after part."""
    views.requests.clear()
    position = 0
    for _ in range(3):
        position = (await send(FollowUsers(position, seconds=5))).position
    assert position == 3 * READ_AT_ONCE
    for request in views.requests:
        assert_served_by_an_index(explain(USER_HISTORY, request), examined=READ_AT_ONCE + 3)


async def test_the_past_of_a_user(views, send, explain):
    """All of the history, page after page."""
    views.requests.clear()
    query = GetPastUserProfile(person(0).id, version=BUSY_EVENTS)
    assert (await send(query)).version == BUSY_EVENTS
    assert len(views.requests) == 2
    for request in views.requests:
        assert_served_by_an_index(explain(USER_HISTORY, request), examined=request.limit + 3)


async def test_tombstones_are_dropped_after_a_while(views, mongodb_url):
    """MongoDB itself does so: a week after a document was deleted."""
    assert views
    with MongoClient[Any](mongodb_url) as client:
        indexes = client[DATABASE][USER_SUMMARIES.id].index_information()
    assert indexes["_deleted_1"]["expireAfterSeconds"] == 7 * 24 * 3600
