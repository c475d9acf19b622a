"""Work that takes MongoDB long: building indexes, counting."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import pymongo

from app.adapters.mongo.client import Client, answering

LEISURE_SECONDS = 3600.0
"""How long it may take over what grows with the collection."""

WATCH_SECONDS = 2.0
"""How often MongoDB is asked meanwhile whether it is still there."""

ResultT = TypeVar("ResultT")


async def at_leisure(client: Client, work: Callable[[Client], Awaitable[ResultT]]) -> ResultT:
    """The result of `work`, which no request may wait for; it is given a client of its own.

    Raises as `answering` does. A connection that waits for its answer does not tell whether the
    other end is still there, so MongoDB is asked before and meanwhile.
    """
    await _ping(client)
    apart = client.apart()
    working = asyncio.ensure_future(_work(work, apart))
    watching = asyncio.ensure_future(_watch(client))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        return await (working if working.done() else watching)
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
        await apart.close()


async def _work(work: Callable[[Client], Awaitable[ResultT]], client: Client) -> ResultT:
    with pymongo.timeout(LEISURE_SECONDS):
        async with answering(LEISURE_SECONDS + 1):
            return await work(client)


async def _watch(client: Client) -> NoReturn:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await _ping(client)


async def _ping(client: Client) -> None:
    async with answering():
        await client.command("ping")
