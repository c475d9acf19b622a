"""Pages of other origins and a service on loopback, in a real browser."""

import asyncio
import contextlib

import httpx
import pytest

from tests.acceptance.browser import chromium

BOB = {"id": "bob", "name": "Bob Stone", "email": "bob@example.com"}
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<body>"

REGISTER = """async ([url, body]) => {
    const headers = {"Content-Type": "application/json", "Idempotency-Key": "from-a-page"};
    const answer = await fetch(`${url}/users`,
        {method: "POST", headers, body: JSON.stringify(body)});
    const names = ["ETag", "Location", "Consistency-Token", "X-Request-Id"];
    return [answer.status, names.filter(each => answer.headers.has(each))];
}"""
READ = """async ([url]) => {
    try { return (await fetch(`${url}/users/bob`)).status; } catch (error) { return error.name; }
}"""
SUBMIT = """([url]) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = `${url}/users/bob/deactivate`;
    document.body.append(form);
    form.submit();
}"""


async def serve_page(reader, writer):
    """Answer whatever is asked for with an empty page."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(PAGE)
    writer.close()


@pytest.fixture
async def origins():
    """Two origins besides the service's."""
    async with contextlib.AsyncExitStack() as stack:
        servers = [await asyncio.start_server(serve_page, "127.0.0.1", 0) for _ in range(2)]
        for each in servers:
            await stack.enter_async_context(each)
        yield [f"http://127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in servers]


async def test_a_form_of_another_page_deactivates_no_user(serve, origins):
    """Nor can its scripts read; pages of an origin in CORS_ORIGINS can do both."""
    service = serve(CORS_ORIGINS=origins[0])
    async with chromium() as browser:
        friend, stranger = [await browser.new_page() for _ in origins]
        await friend.goto(origins[0])
        await stranger.goto(origins[1])
        status, exposed = await friend.evaluate(REGISTER, [service.url, BOB])
        assert (status, exposed) == (201, ["ETag", "Location", "Consistency-Token", "X-Request-Id"])
        assert await stranger.evaluate(READ, [service.url]) == "TypeError"

        async with stranger.expect_response("**/deactivate") as answered:
            await stranger.evaluate(SUBMIT, [service.url])
        answer = await answered.value
        assert (answer.status, (await answer.json())["code"]) == (403, "origin-not-allowed")
        async with friend.expect_response("**/deactivate") as answered:
            await friend.evaluate(SUBMIT, [service.url])
        profile = await (await answered.value).json()
        assert (profile["status"], profile["version"]) == ("deactivated", 2)

    # Nor does a name that a stranger points here reach it: loopback has names of its own.
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        for host, code in (("localhost", 200), ("[::1]:1", 200), ("stranger.example", 421)):
            assert (await client.get("/users", headers={"Host": host})).status_code == code
