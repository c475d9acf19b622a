"""The stream of changes of a real process."""

import contextlib
import json
import time

import httpx

from tests.acceptance.following import blocks_of

BIO = "One line\u2028that some libraries\u2029take for three."


async def test_a_stream_ends_when_the_service_stops(serve, tmp_path):
    """Its reader sees the end of it, and the service does not wait for the reader to leave."""
    service = serve(LOG_LEVEL="error", AUDIT_LOG=str(tmp_path / "audit.log"))
    async with (
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20) as client,
        client.stream("GET", "/changes") as answer,
    ):
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        blocks = blocks_of(answer)
        begin = await anext(blocks)
        body = {"id": "late", "name": "Late", "email": "late@example.com", "bio": BIO}
        written = await client.post("/users", json=body)
        told = await anext(blocks)
        assert [len(each.splitlines()) for each in told.split("\n")] == [1, 1]
        fields = dict(each.split(": ", 1) for each in told.split("\n"))
        change = json.loads(fields["data"])
        assert (change["type"], change["data"]["bio"]) == ("UserRegistered", BIO)
        # What was told can be read, and the next reader can go on from where this one is.
        assert (await client.get("/users/late")).json() == written.json()
        service.process.terminate()
        began = time.monotonic()
        assert [each async for each in blocks] == []
        assert time.monotonic() - began < 3
    assert service.await_end() == 0
    assert service.log.read_text() == ""
    assert begin.startswith("retry: 1000\nid: ")


async def test_one_client_leaves_room_for_others(serve):
    """It has 100 streams at most. A proxy here is believed whose clients they are."""
    service = serve(LOG_LEVEL="error")
    async with (
        httpx.AsyncClient(
            base_url=service.url, trust_env=False, limits=httpx.Limits(max_connections=200)
        ) as client,
        contextlib.AsyncExitStack() as streams,
    ):

        async def follow(address: str) -> httpx.Response:
            headers = {"X-Forwarded-For": address}
            return await streams.enter_async_context(
                client.stream("GET", "/changes", headers=headers)
            )

        statuses = [(await follow("192.0.2.1")).status_code for _ in range(100)]
        refused = await follow("192.0.2.1")
        assert [*set(statuses), refused.status_code] == [200, 429]
        assert json.loads(await refused.aread())["code"] == "too-many-streams"
        assert (await follow("192.0.2.2")).status_code == 200
