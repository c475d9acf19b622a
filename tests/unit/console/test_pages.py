"""What holds for every page."""

import re
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute

from app.framework.administration import of_streams
from app.framework.eventsourcing import EventRegistry
from app.framework.http.service import Check
from app.framework.mediator import Mediator
from app.framework.storage import StorageUnavailable
from app.main import NO_AUTHENTICATION
from tests.unit.api.service import MemoryService, application
from tests.unit.console.conftest import ORIGIN, client_of, park

PAGES = ["/console", "/console/projections", "/console/projections/user_profiles"]
HOSTILE = "<script>alert(1)</script>\"'&"


def console_routes(api) -> list[APIRoute]:
    """Every route of the console."""
    return [
        each
        for each in api.routes
        if isinstance(each, APIRoute) and each.path.startswith("/console")
    ]


def address_of(route: APIRoute) -> str:
    """An address that the route answers."""
    return re.sub(r"\{\w+(:\w+)?\}", "1", route.path)


async def test_no_route_serves_without_the_scope_of_the_console(api, browser, signed_in):
    """Neither without a token nor with one for everything else; but for signing in and files."""
    lesser = signed_in("projections:read", "projections:admin", "log:read")
    tried = 0
    for each in console_routes(api):
        if "/static/" in each.path or each.path == "/console/sign-in":
            continue
        (method,) = each.methods or {"GET"}
        headers = {"Origin": ORIGIN}
        address = address_of(each)
        assert (await browser.request(method, address, headers=headers)).status_code == 303, address
        assert (await lesser.request(method, address, headers=headers)).status_code == 403, address
        tried += 1
    assert tried > 5


def test_no_route_is_in_the_document(api):
    """Clients have the API."""
    assert not any(each.include_in_schema for each in console_routes(api))


@pytest.mark.parametrize("path", [*PAGES, "/console/sign-in?left=1", "/console/nowhere"])
async def test_a_page_loads_and_runs_only_what_is_the_services_own(signed_in, browser, path):
    """No script and no style stands in it, and no cache keeps it."""
    reader = browser if "sign-in" in path else signed_in()
    page = await reader.get(path)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", page.text)
    assert set(re.findall(r'(?:src|href)="(https?:)?//', page.text)) == set()


async def test_files_may_be_kept_for_ever(signed_in):
    """Their address changes with their content."""
    reader = signed_in()
    page = await reader.get("/console")
    for address in re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page.text):
        file = await reader.get(address)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
    assert (await reader.get("/console/static/0/console.css")).status_code == 404


async def test_what_a_page_shows_takes_the_scope_of_the_api_too(signed_in):
    """The console opens, and says what is missing."""
    answer = await signed_in("console:read").get("/console/projections")
    assert answer.status_code == 403
    assert "This takes the scope projections:read. Your token does not have it." in answer.text


@pytest.mark.parametrize("path", ["/console/projections/none", "/console/nowhere/at/all"])
async def test_what_is_not_there_has_a_page(signed_in, path):
    """With the way back."""
    answer = await signed_in().get(path)
    assert answer.status_code == 404
    assert "To the overview" in answer.text


async def test_hostile_values_are_text(signed_in, service):
    """Wherever they come from: the name in an address, and what a fold has raised."""
    reader = signed_in()
    await park(service, "user_profiles", key=HOSTILE, error=HOSTILE)
    pages = [
        await reader.get("/console"),
        await reader.get("/console/projections/user_profiles"),
        await reader.get(f"/console/projections/{quote(HOSTILE, safe='')}"),
        await reader.get(f"/console?x={quote(HOSTILE)}"),
    ]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[1].text
    for each in pages:
        assert "<script>" not in each.text
        assert "alert(1)</script" not in each.text


@pytest.mark.parametrize("path", PAGES[:2])
async def test_parked_documents_are_marked(signed_in, service, path):
    """In the lists as well, where all else may be green."""
    await service.project()
    marked = '<span class="state attention">'
    assert marked not in (await signed_in().get(path)).text
    await park(service, "user_profiles", key="alice", error="no")
    assert marked in (await signed_in().get(path)).text


async def test_while_mongodb_is_away_the_overview_says_so(signed_in, service, monkeypatch):
    """It is the page that operators open then."""

    async def away() -> None:
        raise StorageUnavailable("MongoDB", "no primary")

    service.found = [Check("mongodb", ok=False, detail="no primary", roles=frozenset({"queries"}))]
    monkeypatch.setattr(service.views, "projections", away)
    answer = await signed_in().get("/console")
    assert answer.status_code == 200
    assert "Something is wrong" in answer.text
    assert "MongoDB: not ready" in answer.text
    answer = await signed_in().get("/console/projections")
    assert answer.status_code == 503
    assert "MongoDB cannot be reached. The overview shows when it is back." in answer.text


async def test_a_process_without_a_database_says_so():
    """One with the role commands alone knows the log, and nothing of projections."""
    service = MemoryService()
    mediator = Mediator()
    for each in of_streams(service.log, EventRegistry([]), [], None, []):
        mediator.register(each)
    service.mediator, service.roles = mediator, frozenset({"commands"})
    api = application(service, access=NO_AUTHENTICATION, administered=True)
    async with client_of(api) as browser:
        overview = await browser.get("/console")
        assert overview.status_code == 200
        assert "This process cannot read them" in overview.text
        assert (await browser.get("/console/log")).status_code == 200
        answer = await browser.get("/console/projections")
        assert answer.status_code == 421
        assert "Use the console of one that does." in answer.text
