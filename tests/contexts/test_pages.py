"""Every page that a query of any context asks for can be served by an index of its projection."""

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from pymongo import MongoClient

from app.adapters.mongo import MongoReadModel
from app.bootstrap import all_projections
from app.framework.projections import Entry, PageRequest
from tests.contexts.api import DOCUMENT, Api, operation_of
from tests.contexts.cases import CASES, Case
from tests.contexts.conftest import client_of
from tests.contexts.declarations import Call
from tests.plans import explained, is_by_index
from tests.unit.api.service import MemoryService
from tests.world import World

QUERIES = [each for each in CASES if not each.is_command]
PROJECTIONS = {each.name: each for each in all_projections()}


class Noted(MongoReadModel):
    """Views that remember the pages that were asked for."""

    def __init__(self, url: str, database: str) -> None:
        super().__init__(url, database, "pymongo")
        self.pages: list[tuple[str, PageRequest]] = []

    async def page(self, view: str, request: PageRequest, *, at_least: int = 0) -> Sequence[Entry]:
        """The page."""
        self.pages.append((view, request))
        return await super().page(view, request, at_least=at_least)


@pytest.fixture
async def views(mongodb_url, mongodb_database) -> AsyncIterator[Noted]:
    """Views in a MongoDB."""
    views = Noted(mongodb_url, mongodb_database)
    yield views
    await views.close()


def variations(call: Call) -> Iterator[dict[str, Any]]:
    """Every combination of what query parameters are documented with, beside those of `call`."""
    choices = [
        (each["name"], [None, *values_of(each["schema"])])
        for each in operation_of(call.operation).get("parameters", ())
        if each["in"] == "query" and each["name"] not in {"limit", "cursor", *call.parameters}
    ]
    for values in itertools.product(*(values for _, values in choices)):
        pairs = zip(choices, values, strict=True)
        yield {name: value for (name, _), value in pairs if value is not None}


def values_of(schema: dict[str, Any]) -> list[Any]:
    """All values that a schema lists, or else its examples."""
    named = schema.get("$ref", "").rpartition("/")[2]
    schema = {**DOCUMENT["components"]["schemas"].get(named, {}), **schema}
    return schema.get("enum") or schema.get("examples") or []


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case.name)
async def test_pages_are_served_by_indexes(views, mongodb_url, mongodb_database, case):
    """With any filter and in any order, on the first page and on the one after it.

    How much of an index is read only a log of some size shows: see `test_mongo_plans`.
    """
    service = MemoryService(World(read_model=views))
    async with client_of(service) as client:
        api = Api(client, service.log.head)
        await api.make(case.example.given)
        await service.project()
        for parameters in variations(case.call):
            await read_two_pages(api, case, parameters)
    assert views.pages or not case.is_page
    with MongoClient[Any](mongodb_url, tz_aware=True) as client:
        for view, request in views.pages:
            plans = explained(client[mongodb_database], PROJECTIONS[view], request)["queryPlanner"]
            considered = [plans["winningPlan"], *plans["rejectedPlans"]]
            assert any(map(is_by_index, considered)), (
                f"{case.name} asks for a page that no index of {view} is for: {request}"
            )


async def read_two_pages(api: Api, case: Case, parameters: dict[str, Any]) -> None:
    """The first page, and the next where there is one."""
    if not case.is_page:
        await api.call(case.call, **parameters)
        return
    page = await api.call(case.call, limit=1, **parameters)
    assert page.status_code == 200, page.text
    if cursor := page.json()["next_cursor"]:
        await api.call(case.call, limit=1, cursor=cursor, **parameters)
