"""Sends requests as fast as they are answered, from a line of its input to the end of it.

It counts the answers by status.

A process of its own, so that it takes nothing of the process that measures the others.
"""

import asyncio
import json
import sys
from collections import Counter
from urllib.parse import urlsplit

CONNECTIONS = 64


async def flood(url: str, request: str, *, reconnecting: bool) -> Counter[str]:
    """The answers by their status; "lost" for connections that broke.

    A `request` may have `%d`, for a number that is another each time.
    """
    address = urlsplit(url)
    answers: Counter[str] = Counter()
    numbers = iter(range(10**9))

    async def send_on() -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                while True:
                    number = next(numbers)
                    writer.write(request.replace("%d", str(number)).encode())
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                    await reader.readexactly(length)
                    answers[head[9:12].decode()] += 1
                    if reconnecting or b"connection: close" in head:
                        break
                writer.close()
            except (OSError, EOFError):
                answers["lost"] += 1

    await asyncio.to_thread(sys.stdin.readline)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(send_on()) for _ in range(CONNECTIONS)]
        await asyncio.to_thread(sys.stdin.read)
        for each in tasks:
            each.cancel()
    return answers


if __name__ == "__main__":
    _, target, sent, again = sys.argv
    print(json.dumps(asyncio.run(flood(target, sent, reconnecting=again == "reconnecting"))))  # noqa: T201
