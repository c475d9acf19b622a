"""Which requests are worked on, and which are refused."""

import asyncio
from typing import Any

from app.framework.http.middleware import Places
from tests.unit.api.edges import HTTP_1_0, edge


class Call:
    """One request to an ASGI application, which a test sends bit by bit."""

    def __init__(self, app, path: str = "/users", *headers: tuple[bytes, bytes]) -> None:
        scope = {**HTTP_1_0, "path": path, "headers": headers}
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answers: list[dict[str, Any]] = []
        self.task = asyncio.create_task(app(scope, self.sent.get, self._note))

    async def _note(self, message) -> None:
        self.answers.append(message)

    @property
    def status(self) -> int | None:
        """That of the answer, once there is one."""
        return self.answers[0]["status"] if self.answers else None


class Worker:
    """An ASGI application that begins and ends its answers when it is let."""

    def __init__(self) -> None:
        self.begin = asyncio.Event()
        self.end = asyncio.Event()
        self.bodies: list[bytes] = []

    async def __call__(self, scope, receive, send) -> None:
        """Work on one request."""
        self.bodies.append((await receive())["body"] if scope["headers"] else b"")
        if scope["path"] == "/broken":
            raise ValueError
        if not scope["path"].startswith("/health"):
            await self.begin.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()
        await send({"type": "http.response.body", "body": b""})


async def turns() -> None:
    """Let everything go as far as it comes."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_requests_beyond_the_bound_are_refused_at_once_and_health_is_not():
    """With 503 `overloaded` and Retry-After, before anything is done for them."""
    worker, places = Worker(), Places(2)
    app = edge(worker, places=places)
    calls = [Call(app, path) for path in ("/a", "/b", "/c", "/health/live", "/problems")]
    await turns()
    assert [each.status for each in calls] == [None, None, 503, 200, None]
    headers = dict(calls[2].answers[0]["headers"])
    assert headers[b"retry-after"] == b"1"
    assert b'"overloaded"' in calls[2].answers[1]["body"]
    assert len(worker.bodies) == 4
    worker.begin.set()
    worker.end.set()
    await asyncio.gather(*(each.task for each in calls))
    assert places.taken == 0


async def test_an_answer_that_goes_on_for_ever_keeps_no_place():
    """Streams have a bound of their own."""
    worker, places = Worker(), Places(1)
    app = edge(worker, places=places)
    worker.begin.set()
    first, second = Call(app), Call(app)
    await turns()
    assert (first.status, second.status) == (200, 200)
    worker.end.set()
    await asyncio.gather(first.task, second.task)
    assert places.taken == 0


async def test_a_request_that_fails_gives_its_place_back():
    """And so does one that is cancelled."""
    places = Places(1)
    app = edge(Worker(), places=places)
    broken = Call(app, "/broken")
    await broken.task
    assert (broken.status, places.taken) == (500, 0)
    cancelled = Call(app)
    await turns()
    assert places.taken == 1
    cancelled.task.cancel()
    await asyncio.wait([cancelled.task])
    assert places.taken == 0


async def test_a_body_on_its_way_keeps_no_place():
    """The request takes one when it is whole, if there is one then."""
    worker, places = Worker(), Places(1)
    app = edge(worker, places=places, body_limit=10)
    length = (b"content-length", b"6")
    slow = Call(app, "/slow", length)
    slow.sent.put_nowait({"type": "http.request", "body": b"abc", "more_body": True})
    await turns()
    assert places.taken == 0
    quick = Call(app, "/quick")
    await turns()
    slow.sent.put_nowait({"type": "http.request", "body": b"def", "more_body": False})
    await slow.task
    assert slow.status == 503
    again = Call(app, "/slow", length)
    worker.begin.set()
    worker.end.set()
    await quick.task
    again.sent.put_nowait({"type": "http.request", "body": b"abc", "more_body": True})
    again.sent.put_nowait({"type": "http.request", "body": b"def", "more_body": False})
    await again.task
    assert (again.status, worker.bodies) == (200, [b"", b"abcdef"])


async def test_a_request_whose_client_is_gone_is_dropped_before_it_begins():
    """Whether it has sent some of the body or all of it."""
    worker = Worker()
    app = edge(worker, body_limit=10)
    some: list[list[dict[str, Any]]] = [
        [],
        [{"type": "http.request", "body": b"abc", "more_body": True}],
    ]
    for sent in some:
        call = Call(app, "/users", (b"content-length", b"6"))
        for each in (*sent, {"type": "http.disconnect"}):
            call.sent.put_nowait(each)
        await call.task
        assert call.answers == []
    assert worker.bodies == []
