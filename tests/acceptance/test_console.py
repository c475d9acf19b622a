"""The console, in a browser that finds no host but this one."""

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from playwright.async_api import Error, Page, expect
from pymongo import MongoClient

from app.adapters.postgres import PostgresEventStore
from app.bootstrap import event_registry
from app.console.log import SENT, SENT_OF_MANY
from app.contexts.users.domain.events import UserBioChanged
from app.framework.eventsourcing import Append
from tests.acceptance.browser import Observer, chromium
from tests.acceptance.services import ROOT
from tests.unit.api.conftest import ALICE

PATIENCE_MS = 30_000
STREAM = f"user-{ALICE['id']}"
PROFILES = "/console/projections/user_profiles"

PACKAGES = ROOT / "tests/clients"
AXE = PACKAGES / "node_modules/axe-core/axe.min.js"
ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: Sequence[tuple[Literal["light", "dark"], Sequence[str]]] = (
    ("light", ALL_RULES),
    ("dark", ["color-contrast"]),
)
FIND = """async (rules) => {
    const found = await axe.run(document, {resultTypes: ["violations"], runOnly: rules});
    return found.violations.map(it => [it.id, it.nodes.map(each => each.html)]);
}"""


@pytest.fixture
async def page():
    """A page of a browser of the test's own."""
    async with chromium() as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page


@pytest.fixture
def service(serve):
    """A service that makes its own tokens, with a user."""
    service = serve(AUTH="")
    with service.client as client:
        origin = {"Origin": service.url}
        token = client.post("/docs/token", headers=origin).json()["token"]
    service.authorization = {"Authorization": f"Bearer {token}"}
    change(service, "POST", "/users", ALICE)
    change(service, "PATCH", f"/users/{ALICE['id']}", {"bio": "<img src=x onerror=alert(1)>"})
    return service


def change(service: Any, method: str, path: str, body: Any) -> None:
    """Write over HTTP, as the administrator."""
    with service.client as client:
        answer = client.request(method, path, json=body, headers=service.authorization)
    assert answer.is_success, answer.text


async def check(page: Page) -> None:
    """See that a program finds nothing that keeps people from using the page, in either scheme."""
    await page.evaluate(AXE.read_text("utf-8"))
    for scheme, rules in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate(FIND, rules) == [], f"{page.url} {scheme}"


async def act(page: Page, name: str, button: str) -> None:
    """Choose an action, and answer its question; by the keyboard alone."""
    await page.get_by_role("link", name=name).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("?")
    await page.get_by_role("button", name=button).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_be_visible()


async def test_an_operator_goes_through_every_page_and_every_action(
    service, page, urls, postgres_url
):
    """All of it without another origin, and without anything for the browser to complain of."""
    observer = Observer(page)
    await page.goto(f"{service.url}/console")
    await expect(page.get_by_role("heading", name="All is well")).to_be_visible()
    await expect(page.locator("#connection")).to_have_text("live")
    await check(page)
    await follow_the_log(page, service)
    await look_at_a_stream(page, service)
    await pause_and_resume(page)
    await rebuild(page, service, urls)
    await replay(page, service, postgres_url)
    await replay_to_the_end(page, service, urls)

    # A stream of a page that is left does not end in order.
    assert [each for each in observer.errors if "/console/live/" not in each] == []
    for insert in (page.add_script_tag, page.add_style_tag):
        with pytest.raises(Error, match="Content Security Policy"):
            await insert(content="window.inserted = true")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("status")).to_have_text("You are signed out.")
    await check(page)
    assert {each.split("/console")[0] for each in observer.requests} == {service.url}


async def follow_the_log(page: Page, service: Any) -> None:
    """Events come by themselves; payloads when they are asked for."""
    await page.get_by_role("link", name="Log", exact=True).click()
    rows = page.locator("#events tr")
    await expect(rows).to_have_count(2)
    await expect(page.locator("#connection")).to_have_text("live")
    change(service, "PATCH", f"/users/{ALICE['id']}", {"name": "Alice Wonderland"})
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("UserNameChanged")
    await page.get_by_role("button", name="Hold").click()
    await expect(page.locator("#connection")).to_have_text("held")
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_label("Type").fill("UserBioChanged")
    await page.get_by_label("With payloads").check()
    await page.get_by_role("button", name="Show").click()
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("<img src=x")
    await check(page)


async def look_at_a_stream(page: Page, service: Any) -> None:
    """The slider goes through time by the arrow keys."""
    await page.get_by_role("link", name=STREAM).click()
    await page.get_by_role("link", name="Show values").click()
    slider = page.get_by_role("slider", name="Version")
    await expect(slider).to_have_attribute("aria-valuetext", "2 of 3: UserBioChanged")
    await slider.press("ArrowRight")
    await expect(page.locator(".step:visible del")).to_contain_text("Alice Smith")
    await expect(page.locator(".step:visible ins")).to_contain_text("Alice Wonderland")
    await page.get_by_role("link", name="UserRegistered").click()
    await expect(slider).to_have_value("1")
    await page.locator("#documents summary").first.click()
    await expect(page.locator("#documents pre").first).to_contain_text("Alice Wonderland")
    await check(page)
    change(service, "PATCH", f"/users/{ALICE['id']}", {"bio": None})
    await expect(page.locator("#newer")).to_contain_text("1 newer event happened.")
    await page.get_by_role("link", name="Streams").first.click()
    await check(page)
    await page.get_by_label("The id of a stream").fill(STREAM)
    await page.keyboard.press("Enter")
    await expect(page.locator("#documents .state.well")).to_have_count(6)


async def pause_and_resume(page: Page) -> None:
    """The overview says so at once, and leads there."""
    await page.get_by_role("link", name="Projections", exact=True).click()
    await check(page)
    await page.get_by_role("link", name="user_profiles").click()
    await page.get_by_role("link", name="Rebuild …").click()
    await check(page)
    await page.get_by_role("link", name="Cancel").click()
    await act(page, "Pause …", "Pause it")
    await expect(page.locator("#state")).to_contain_text("paused")
    await page.get_by_role("link", name="Overview").click()
    await expect(page.get_by_role("heading", name="One thing needs attention")).to_be_visible()
    await expect(page).to_have_title(re.compile("^One thing needs attention"))
    await check(page)
    await page.get_by_role("link", name="user_profiles is paused").click()
    await act(page, "Resume …", "Resume it")


async def rebuild(page: Page, service: Any, urls: dict[str, str]) -> None:
    """A document was changed by hand: it is found and shown. Going over and back loses nothing."""
    with MongoClient[Any](urls["MONGODB_URL"]) as client:
        documents = client[urls["MONGODB_DATABASE"]]["user_profiles_v1"]
        assert documents.update_one(
            {"_id": ALICE["id"]}, {"$set": {"bio": "by hand"}}
        ).matched_count
    await page.goto(f"{service.url}{PROFILES}")
    await act(page, "Compare with the log …", "Compare it")
    await expect(page.locator("#result")).to_contain_text("Documents differ from the log.")
    await expect(page.get_by_role("link", name="have them replaced")).to_be_visible()
    await check(page)
    await page.goto(f"{service.url}{PROFILES}")
    await act(page, "Rebuild …", "Rebuild it")
    await page.get_by_role("link", name="1 differ: look").click()
    await page.get_by_role("link", name=ALICE["id"]).click()
    await expect(page.locator(".differs")).to_have_count(1)
    await expect(page.locator(".differs")).to_contain_text("by hand")
    await check(page)
    await page.goto(f"{service.url}{PROFILES}")
    await act(page, "Take over …", "Let it serve")
    await act(page, "Go back to it …", "Let it serve")
    await act(page, "Retire …", "Retire it")
    await expect(page.locator(".build")).to_have_count(1)


async def replay(page: Page, service: Any, postgres_url: str) -> None:
    """An event of a user who was never registered is refused by the folds of two views."""
    store = PostgresEventStore(postgres_url, event_registry())
    await store.append(Append("user-ghost", 0, [UserBioChanged("Boo")]))
    await store.close()
    await page.goto(f"{service.url}{PROFILES}")
    parked = page.locator("#parked")
    await expect(parked).to_contain_text("UserBioChanged at position")
    await check(page)
    await act(page, "Replay ghost", "Replay")
    await expect(parked).to_contain_text("ghost")
    await page.goto(f"{service.url}/console/streams/user-ghost")
    await expect(page.locator("#documents")).to_contain_text("parked at event")


async def replay_to_the_end(page: Page, service: Any, urls: dict[str, str]) -> None:
    """A lost document parks at its next event; it is level once it is back and replayed."""
    with MongoClient[Any](urls["MONGODB_URL"]) as client:
        documents = client[urls["MONGODB_DATABASE"]]["user_profiles_v1"]
        lost = documents.find_one_and_delete({"_id": ALICE["id"]})
        change(service, "PATCH", f"/users/{ALICE['id']}", {"bio": "after"})
        await page.goto(f"{service.url}{PROFILES}")
        alice = page.get_by_role("link", name=f"Replay {ALICE['id']}")
        await expect(alice).to_be_visible()
        documents.insert_one(lost)
    await act(page, f"Replay {ALICE['id']}", "Replay")
    await expect(alice).to_have_count(0)
    await page.get_by_role("link", name="Overview").click()
    await expect(page.get_by_role("link", name="user_profiles has parked")).to_be_visible()
    with service.client as reads:
        profile = reads.get(f"/users/{ALICE['id']}", headers=service.authorization)
    assert profile.json()["bio"] == "after"


async def test_a_page_of_the_log_keeps_nothing_from_before_a_gap(service, page, postgres_url):
    """So that it stays small in a flood of writes; what comes after the flood joins the last."""
    await page.goto(f"{service.url}/console/log")
    rows = page.locator("#events tr")
    await expect(rows).to_have_count(2)
    await expect(page.locator("#connection")).to_have_text("live")
    store = PostgresEventStore(postgres_url, event_registry())
    many = [UserBioChanged(f"Take {each}.") for each in range(3 * SENT)]
    await store.append(Append(STREAM, 2, many))
    await store.close()
    await expect(page.locator("#skipped")).to_be_visible()
    await expect(rows).to_have_count(SENT_OF_MANY)
    change(service, "PATCH", f"/users/{ALICE['id']}", {"name": "Alice Wonderland"})
    await expect(rows).to_have_count(SENT_OF_MANY + 1)
    await expect(rows.first).to_contain_text("UserNameChanged")
    await expect(page.locator("#skipped")).to_be_hidden()


def test_axe_is_the_one_that_is_locked():
    """What finds nothing has to be the program that looks."""
    lock = json.loads((PACKAGES / "package-lock.json").read_text("utf-8"))
    package = json.loads((AXE.parent / "package.json").read_text("utf-8"))
    assert lock["packages"]["node_modules/axe-core"]["version"] == package["version"]
