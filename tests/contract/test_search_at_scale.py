"""A search costs MongoDB as much among many users as among few, whatever the names are."""

import dataclasses
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, cast

import pytest
from pymongo import MongoClient

from app.adapters.mongo import MongoReadModel
from app.adapters.mongo.documents import stored
from app.adapters.mongo.pages import page_filter, page_sort
from app.contexts.users.domain.events import UserRegistered
from app.contexts.users.domain.names import prefixes_to_find
from app.contexts.users.projections import USER_SUMMARIES
from app.contexts.users.queries.list_user_summaries import (
    ListUserSummaries,
    ListUserSummariesHandler,
    UserOrder,
)
from app.framework.eventsourcing import Metadata, RecordedEvent
from app.framework.projections import ConsistentViews, Entry, PageRequest, Versioned, fold
from app.framework.request import NO_CONTEXT, RequestContext
from tests.following import prepare
from tests.people import person

FEW, MANY = 1000, 10_000
LIMIT = 20
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS: tuple[UserOrder, ...] = ("name", "-name", "created_at", "-created_at")


def name(number: int) -> str:
    """Made-up, numbered, all but alike, and crowded ones in turn."""
    chance = random.Random(number)
    match number % 10:
        case 1 | 2:
            return f"Test User {number:06}"
        case 3 | 4:
            return f"Maria {chance.choice('abcdefgh')}{number}"
        case 5:
            return f"An {'e' * 60}{number}"
        case 6 if number % 100 == 6:
            return " ".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=80))
    return person(number).name


def summaries(count: int) -> Iterator[tuple[str, Versioned]]:
    """As many documents of the view."""
    for number in range(count):
        user = f"user-{number}"
        event = UserRegistered(user, name(number), f"{number}@example.com", None)
        at = BEGIN + timedelta(seconds=number)
        recorded = RecordedEvent(number + 1, user, 1, event, Metadata(), at)
        yield from fold(USER_SUMMARIES, {}, [recorded]).items()


class Searched:
    """Users to search among."""

    def __init__(self, url: str, database: str) -> None:
        self.read_model = MongoReadModel(url, database, "pymongo")
        self._database = MongoClient[Any](url, tz_aware=True)[database]
        self._requests: list[PageRequest] = []

    async def fill(self, count: int) -> None:
        """Put users there."""
        documents = self._database[USER_SUMMARIES.id]
        documents.insert_many([stored(*each) for each in summaries(count)])
        await prepare(self.read_model, USER_SUMMARIES)

    async def page(self, view: str, request: PageRequest, _: RequestContext) -> list[Entry]:
        """The page; it is remembered what was asked for."""
        self._requests.append(request)
        return list(await self.read_model.page(view, request))

    async def search(self, query: ListUserSummaries) -> tuple[list[str], int]:
        """The names on two pages, and how many index entries were read for the dearer one."""
        self._requests.clear()
        found = []
        for _ in range(2):
            page = await ListUserSummariesHandler(cast("ConsistentViews", self))(query, NO_CONTEXT)
            found += [each.name for each in page.items]
            query = dataclasses.replace(query, cursor=page.next_cursor)
            if page.next_cursor is None:
                break
        return found, max(self._examined(each) for each in self._requests)

    def _examined(self, request: PageRequest) -> int:
        find = {
            "find": USER_SUMMARIES.id,
            "filter": page_filter(request),
            "sort": dict(page_sort(request)),
            "limit": request.limit,
        }
        explained = self._database.command({"explain": find, "verbosity": "executionStats"})
        return explained["executionStats"]["totalKeysExamined"]

    async def close(self) -> None:
        """Drop what was put there."""
        await self.read_model.close()
        self._database.client.drop_database(self._database.name)
        self._database.client.close()


@pytest.fixture(scope="module")
async def sizes(mongodb_url) -> AsyncIterator[dict[int, Searched]]:
    """Few users and many."""
    chance = f"test_{random.getrandbits(64):x}"
    by_size = {each: Searched(mongodb_url, f"{chance}_{each}") for each in (FEW, MANY)}
    for size, each in by_size.items():
        await each.fill(size)
    yield by_size
    for each in by_size.values():
        await each.close()


@pytest.mark.parametrize(
    "q",
    [
        *("m", "mar", "maria", "maria b", "maria b37", "marit", "b", "smith", "aaazz1", "zzz"),
        *("test user 00", "test user 0099", "user 009", "00999", "a b c", "an eeeeeeee"),
    ],
)
async def test_a_search_costs_the_same_among_many_users_as_among_few(sizes, q):
    """In every order, on the first page and on the next: index entries read for a page."""
    for sort in ORDERS:
        query = ListUserSummaries(q=q, sort=sort, limit=LIMIT)
        cost = {size: (await each.search(query))[1] for size, each in sizes.items()}
        # A page and a few that both begin so and go on so, and one of each place that is merged.
        assert cost[MANY] <= LIMIT + 4 + len(prefixes_to_find(q)), (sort, cost)


ALL = [each.document | {"id": key} for key, each in summaries(FEW) if each.document]
"""The documents of the few."""


@pytest.mark.parametrize("sort", ORDERS)
async def test_a_search_finds_what_a_look_at_every_name_does(sizes, sort):
    """However it is answered, from names that begin so, later words, or crowded names."""
    chance = random.Random(sort)
    for document in chance.sample(ALL, 25):
        words = document["search_words"]
        start = chance.choice([0, *(i + 1 for i, each in enumerate(words) if each == " ")])
        q = words[start : start + chance.choice([1, 2, 3, 4, 7, 9, 14, 33, 50])].strip()
        found, _ = await sizes[FEW].search(ListUserSummaries(q=q, sort=sort, limit=LIMIT))
        due = [each for each in ALL if f" {q}" in f" {each['search_words']}"]
        field = "sort_name" if sort.endswith("name") else "created_at"
        due.sort(key=itemgetter(field, "id"), reverse=sort.startswith("-"))
        assert found == [each["name"] for each in due[: 2 * LIMIT]], q
