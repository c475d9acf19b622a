"""Swagger UI, in a browser that finds no host but this one."""

import pytest
from playwright.async_api import Error, expect

from tests.acceptance.browser import Observer, chromium

PATIENCE_MS = 30_000

SUMMARIES = """() => [...document.querySelectorAll(".opblock-summary")].map(
    each => each.querySelector(".opblock-summary-method").textContent + " "
        + each.querySelector(".opblock-summary-path").dataset.path)"""


@pytest.fixture
async def page():
    """A page of a browser of the test's own."""
    async with chromium() as browser:
        yield await browser.new_page()


async def test_an_operation_can_be_tried_out(serve, page):
    """All operations are there, and two clicks register a user.

    On the way nothing is asked of another origin, nothing fails, and the browser has nothing to
    complain of. Script or style that is not in a file of the service's is refused.
    """
    service = serve()
    observer = Observer(page)
    await page.goto(f"{service.url}/docs")
    operation = page.locator("#operations-users-register_user")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table .response")
    await expect(answer.locator(".response-col_status")).to_have_text("201", timeout=PATIENCE_MS)
    await expect(answer).to_contain_text('"name": "Alice Smith"')
    with service.client as client:
        assert client.patch("/users/user123", json={"bio": "Was here."}).json()["version"] == 2
        paths = client.get("/openapi.json").json()["paths"]
    operations = [f"{method.upper()} {path}" for path, item in paths.items() for method in item]
    assert sorted(await page.evaluate(SUMMARIES)) == sorted(operations)
    assert observer.errors == []
    assert [each for each in observer.requests if not each.startswith(f"{service.url}/")] == []
    for insert in (page.add_script_tag, page.add_style_tag):
        with pytest.raises(Error, match="Content Security Policy"):
            await insert(content="window.inserted = true")
