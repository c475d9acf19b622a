"""The stream of changes of a real process."""

import time

import httpx

from tests.acceptance.following import blocks_of


async def test_a_stream_ends_when_the_service_stops(start):
    """Its reader sees the end of it, and the service does not wait for the reader to leave."""
    service = start(LOG_LEVEL="error").await_serving()
    async with (
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20) as client,
        client.stream("GET", "/changes") as answer,
    ):
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        blocks = blocks_of(answer)
        begin = await anext(blocks)
        body = {"id": "late", "name": "Late", "email": "late@example.com"}
        written = await client.post("/users", json=body)
        told = await anext(blocks)
        assert '"type":"UserRegistered"' in told
        # What was told can be read, and the next reader can go on from where this one is.
        assert (await client.get("/users/late")).json() == written.json()
        service.process.terminate()
        began = time.monotonic()
        assert [each async for each in blocks] == []
        assert time.monotonic() - began < 3
    assert service.await_end() == 0
    assert service.log.read_text() == ""
    assert begin.startswith("retry: 1000\nid: ")
