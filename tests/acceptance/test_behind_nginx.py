"""The service behind an nginx that strips a prefix: what it answers leads back through nginx."""

import httpx
from playwright.async_api import expect

from tests.acceptance.browser import Observer, chromium
from tests.acceptance.fronts import needs, nginx, under_prefix

pytestmark = needs("nginx")

PATIENCE_MS = 30_000
BOB = {"id": "bob", "name": "Bob Stone", "email": "bob@example.com"}


NO_DEACTIVATION = """
    if ($request_uri ~ /deactivate) { return 403; }
    location / { proxy_pass URL; }
"""


async def test_what_answers_name_can_be_followed_behind_a_prefix(serve):
    """Location, the type and instance of problems, and the servers of the document.

    And in Swagger UI, in a real browser, Execute reaches the service. What nginx refuses by path
    is not carried out by another form of that path.
    """
    service = serve(ROOT_PATH="/api")
    with nginx(under_prefix(service.url)) as front:
        await follow_answers(front)
        await execute_in_swagger_ui(front)
    with nginx(NO_DEACTIVATION.replace("URL", service.url)) as front:
        await deactivate_past_the_rule(front)


async def follow_answers(front):
    """Register a user, and ask for what the answers lead to."""
    async with httpx.AsyncClient(base_url=front, timeout=10, trust_env=False) as client:
        registered = await client.post("/api/users", json=BOB)
        assert (registered.status_code, registered.headers["Location"]) == (201, "/api/users/bob")
        token = {"Consistency-Token": registered.headers["Consistency-Token"]}
        read = await client.get(registered.headers["Location"], headers=token)
        assert (read.json(), read.headers["Content-Encoding"]) == (registered.json(), "gzip")

        for path in ("/api/users/nobody", "/api/nowhere"):
            problem = (await client.get(path)).json()
            assert problem["instance"] == path
            assert (await client.get(problem["type"])).json()["type"] == problem["type"]
        listed = (await client.get("/api/problems")).json()["items"]
        assert (await client.get(listed[0]["type"])).json() == listed[0]

        [server] = (await client.get("/api/openapi.json")).json()["servers"]
        assert server["url"] == "/api"


async def execute_in_swagger_ui(front):
    """Register another, as one does who tries the service out."""
    async with chromium() as browser:
        page = await browser.new_page()
        observer = Observer(page)
        await page.goto(f"{front}/api/docs")
        operation = page.locator("#operations-users-register_user")
        await operation.locator(".opblock-summary-control").click()
        await operation.get_by_role("button", name="Execute").click()
        status = operation.locator(".live-responses-table .response .response-col_status")
        await expect(status).to_have_text("201", timeout=PATIENCE_MS)
        assert observer.errors == []
        assert [each for each in observer.requests if not each.startswith(f"{front}/api/")] == []


async def deactivate_past_the_rule(front):
    """An encoded slash hides the path from nginx, which compares what was sent."""
    async with httpx.AsyncClient(base_url=front, timeout=10, trust_env=False) as client:
        assert (await client.post("/users/bob/deactivate")).status_code == 403
        hidden = await client.post("/users/bob%2Fdeactivate")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not-found")
