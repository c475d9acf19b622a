"""Many readers of /changes, as a process of their own: what they take is not what is measured.

    python tests/acceptance/followers.py URL READERS AFTER

It says `open` when all streams are, and for each position that it reads from its input `reached`
once all readers have come to it; it ends with its input. It imports the standard library only.
"""

import asyncio
import re
import sys
from urllib.parse import urlsplit

_IDS = re.compile(rb"^id: (\d+)\n", re.MULTILINE)

AT_ONCE = 50
"""How many readers connect at the same moment."""

RETRY_SECONDS = 1.0


class Follower:
    """A reader with an address of its own, which remembers the last id only."""

    def __init__(self, url: str, number: int, after: int) -> None:
        self._url = urlsplit(url)
        self._address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.last_id = after
        self.is_open = False

    async def follow(self) -> None:
        """Read on; one that is refused, or cut off, comes back."""
        while True:
            reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
            writer.write(
                f"GET /changes HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {self.last_id}\r\n"
                f"X-Forwarded-For: {self._address}\r\n\r\n".encode()
            )
            try:
                await self._read(reader)
            finally:
                self.is_open = False
                writer.close()
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        self.is_open = b" 200 " in (await reader.readuntil(b"\r\n\r\n"))[:20]
        text = b""
        while self.is_open and (piece := await reader.read(65536)):
            whole, end, rest = (text + piece).rpartition(b"\n\n")
            if ids := _IDS.findall(whole + end):
                self.last_id = int(ids[-1])
            text = rest


async def follow(url: str, readers: int, after: int) -> None:
    """Follow, and say how far all are."""
    followers = [Follower(url, each, after) for each in range(readers)]
    following = []
    for number, each in enumerate(followers):
        following.append(asyncio.create_task(each.follow()))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0.02)
    while not all(each.is_open for each in followers):  # noqa: ASYNC110 - of many readers
        await asyncio.sleep(0.02)
    print("open", flush=True)  # noqa: T201 - it is what this process is for
    while line := await asyncio.to_thread(sys.stdin.readline):
        while min(each.last_id for each in followers) < int(line):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        print("reached", flush=True)  # noqa: T201 - as above
    for task in following:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
