"""The server on a socket, in front of any application, and a client that sends plain bytes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from app.host.server.protocol import Protocol

Address = tuple[str, int]

SERVER_WAITS_SECONDS = 5
"""How long a server that stops waits for connections to end by themselves."""


@asynccontextmanager
async def serving(app: Any, protocol: type[Protocol] = Protocol) -> AsyncIterator[uvicorn.Server]:
    """A server of `app` for the length of a `with` block; it stops at once."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=protocol,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=SERVER_WAITS_SECONDS,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server
    finally:
        for listening in server.servers:
            listening.close()
        for each in [*server.server_state.connections]:
            assert isinstance(each, Protocol)
            each.transport.abort()


def address_of(server: uvicorn.Server) -> Address:
    """Where it listens."""
    return server.servers[0].sockets[0].getsockname()


@dataclass
class Echo:
    """An application that keeps what it was sent, and answers that it has."""

    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope, receive, send) -> None:
        """Read the body, then answer: /unread without it, /late when released, /slow never."""
        self.headers = dict(scope["headers"])
        body, more = b"", not scope["path"].startswith("/unread")
        while more:
            self.reading.set()
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected.set()
                return
            body += message["body"]
            more = message["more_body"]
        self.seen.append((scope["method"], scope["path"], body))
        if scope["path"] == "/slow":
            assert (await receive())["type"] == "http.disconnect"
            self.disconnected.set()
            return
        if scope["path"] == "/late":
            await self.release.wait()
        headers = [(b"content-length", b"2"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether it says that it is the last."""
        return self.headers.get("connection") == "close"

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document that it has to be, the last of its connection."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.closes
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        assert self.headers["x-request-id"] == problem["request_id"]
        return problem


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.split("\r\n")[:-2]
    headers = {each.partition(": ")[0]: each.partition(": ")[2] for each in lines}
    assert len(headers) == len(lines), "a header is there twice"
    body = await reader.readexactly(int(headers["content-length"]))
    return Answer(int(status.split()[1]), headers, body)


async def answers_to(address: Address, sent: bytes, *, half_close: bool = False) -> list[Answer]:
    """All answers to what is sent, until the server hangs up."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(sent)
        if half_close:
            writer.write_eof()
        async with asyncio.timeout(5):
            said = await reader.read()
    finally:
        writer.close()
    kept = asyncio.StreamReader()
    kept.feed_data(said)
    kept.feed_eof()
    answers = []
    while not kept.at_eof():
        answers.append(await read_answer(kept))
    return answers


def in_pieces_of(size: int) -> type[Protocol]:
    """The protocol as it is when every so many bytes come in a packet of their own."""

    class InPieces(Protocol):
        def data_received(self, data: bytes) -> None:
            for start in range(0, len(data), size):
                if self.transport.get_protocol() is self:
                    super().data_received(data[start : start + size])

    return InPieces
