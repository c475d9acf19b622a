"""An HTTP client that costs a tenth of what a full one does, for loads on a small machine.

It knows what the service answers with, and no more: HTTP/1.1, Content-Length, keep-alive.
"""

import asyncio
import json
from typing import Any

Answer = tuple[int, dict[str, Any]]
"""A status and a body of JSON."""


class Connection:
    """One connection, opened when needed and again after it broke; one request at a time."""

    def __init__(self, host: str, port: int, headers: str = "") -> None:
        """`headers` are lines for each request."""
        self._host = host
        self._port = port
        self._headers = headers
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, body: object = None) -> Answer:
        """The answer to a request.

        Raises:
            OSError, EOFError: the connection broke; whether the request was handled is unknown.

        """
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(self._host, self._port)
            reader, writer = self._streams
            writer.write(_written(method, path, self._host, self._headers, body))
            head = await reader.readuntil(b"\r\n\r\n")
            answer = int(head[9:12]), json.loads(await reader.readexactly(_length(head)))
        except (OSError, EOFError):
            self.close()
            raise
        if b"\r\nconnection: close\r\n" in head.lower():
            self.close()
        return answer

    def close(self) -> None:
        """Hang up."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()


def _written(method: str, path: str, host: str, headers: str, body: object) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError(f"an answer without a Content-Length: {head!r}")
