"""A process looks at its parts."""

import asyncio

from app.framework.mediator import Mediator
from app.host.process import Process
from tests.following import until


class Slow:
    """A storage whose checks take until the test says so."""

    name = "slow"

    def __init__(self) -> None:
        self.checks = 0
        self.answers = asyncio.Event()

    async def check(self) -> None:
        """Wait."""
        self.checks += 1
        await self.answers.wait()

    async def close(self) -> None:
        """There is nothing to do."""


async def test_looks_at_readiness_are_shared_by_all_who_wait():
    """They are answered at any load, so that many at once must not be many for the databases."""
    storage = Slow()
    process = Process(
        roles=frozenset(),
        mediator=Mediator(),
        all_projections=(),
        storages=[storage],
        log=None,
        read_model=None,
        projector=None,
        receipts=None,
    )
    first, *others = [asyncio.create_task(process.checks()) for _ in range(100)]
    await until(lambda: storage.checks > 0)
    first.cancel()
    storage.answers.set()
    assert all(check.ok for [check] in await asyncio.gather(*others))
    assert storage.checks == 1
    await process.checks()
    assert storage.checks == 2
