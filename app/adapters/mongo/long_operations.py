"""Operations that take MongoDB long: building indexes, counting."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import pymongo

from app.adapters.mongo.client import Client, answering

LONG_OPERATION_TIMEOUT = 3600.0
"""How many seconds an operation may take whose cost grows with the collection."""

WATCH_SECONDS = 2.0
"""How often MongoDB is pinged meanwhile."""

ResultT = TypeVar("ResultT")


async def run_long_operation(
    client: Client, work: Callable[[Client], Awaitable[ResultT]]
) -> ResultT:
    """The result of `work`, which gets a dedicated client; no request may wait for it.

    Raises as `answering` does. A connection that waits for an answer does not notice that the
    server is gone, so MongoDB is pinged before and meanwhile.
    """
    await _ping(client)
    dedicated = client.dedicated_client()
    working = asyncio.ensure_future(_work(work, dedicated))
    watching = asyncio.ensure_future(_watch(client))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        return await (working if working.done() else watching)
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
        await dedicated.close()


async def _work(work: Callable[[Client], Awaitable[ResultT]], client: Client) -> ResultT:
    with pymongo.timeout(LONG_OPERATION_TIMEOUT):
        async with answering(LONG_OPERATION_TIMEOUT + 1):
            return await work(client)


async def _watch(client: Client) -> NoReturn:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await _ping(client)


async def _ping(client: Client) -> None:
    async with answering():
        await client.command("ping")
