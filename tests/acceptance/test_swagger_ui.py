"""Swagger UI, in a browser that finds no host but this one."""

import pytest
from playwright.async_api import Error, expect

from tests.acceptance.browser import Observer, chromium

PATIENCE_MS = 30_000

REBOUND = "rebound.example"
"""A name that leads to this machine, as an attacker's can."""

ASKED_FOR = """url => fetch(url, {method: "POST"}).then(answer => answer.text(), String)"""

SUMMARIES = """() => [...document.querySelectorAll(".opblock-summary")].map(
    each => each.querySelector(".opblock-summary-method").textContent + " "
        + each.querySelector(".opblock-summary-path").dataset.path)"""


@pytest.fixture
async def page():
    """A page of a browser of the test's own."""
    async with chromium() as browser:
        yield await browser.new_page()


async def test_an_operation_can_be_tried_out(serve, page):
    """All operations are there, and two clicks register a user, in development without a token.

    On the way nothing is asked of another origin, nothing fails, and the browser has nothing to
    complain of. Script or style that is not in a file of the service's is refused.
    """
    service = serve(AUTH="")
    observer = Observer(page)
    await page.goto(f"{service.url}/docs")
    await expect(page.locator(".auth-wrapper .authorize.locked")).to_be_visible(timeout=PATIENCE_MS)
    operation = page.locator("#operations-users-register_user")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table .response")
    await expect(answer.locator(".response-col_status")).to_have_text("201", timeout=PATIENCE_MS)
    await expect(answer).to_contain_text('"name": "Alice Smith"')
    with service.client as client:
        assert client.patch("/users/user123", json={"bio": "Was here."}).status_code == 401
        given = client.post("/docs/token", headers={"Origin": service.url}).json()["token"]
        client.headers["Authorization"] = f"Bearer {given}"
        assert client.patch("/users/user123", json={"bio": "Was here."}).json()["version"] == 2
        paths = client.get("/openapi.json").json()["paths"]
    operations = [f"{method.upper()} {path}" for path, item in paths.items() for method in item]
    assert sorted(await page.evaluate(SUMMARIES)) == sorted(operations)
    assert observer.errors == []
    assert [each for each in observer.requests if not each.startswith(f"{service.url}/")] == []
    for insert in (page.add_script_tag, page.add_style_tag):
        with pytest.raises(Error, match="Content Security Policy"):
            await insert(content="window.inserted = true")

    rebound = await page.goto(f"http://{REBOUND}:{service.port}/docs")
    assert rebound.status == 421
    token = f"{service.url}/docs/token"
    assert await page.evaluate(ASKED_FOR, token) == "TypeError: Failed to fetch"


async def test_elsewhere_the_page_takes_a_token_that_is_pasted(serve, page):
    """It asks for none: a service that trusts an issuer, even one on loopback, makes none."""
    service = serve(AUTH="", AUTH_ISSUERS="http://127.0.0.1:9", AUTH_AUDIENCES="users")
    observer = Observer(page)
    await page.goto(f"{service.url}/docs")
    await page.locator(".auth-wrapper .authorize.unlocked").click()
    dialogue = page.locator(".dialog-ux")
    await dialogue.locator("#auth-bearer-value").fill("a token")
    await dialogue.get_by_role("button", name="Apply credentials").click()
    await expect(page.locator(".auth-wrapper .authorize.locked")).to_be_visible()
    assert [each for each in observer.requests if each.endswith("/docs/token")] == []
    assert observer.errors == []
