"""A process looks at its parts."""

import asyncio
from dataclasses import replace

import httpx

from app.adapters.identity import Issuer, TokenRules, TokenVerifier, issuers
from app.adapters.memory.read_model import MemoryReadModel
from app.framework.mediator import Mediator
from app.framework.projections import Build, ProjectionState, ProjectionStatus, TakeOver
from app.host.process import Process
from tests.following import until
from tests.notes import NOTES
from tests.unit.identity.issuing import URL, TestIssuer


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


async def test_what_is_wrong_with_the_read_model_is_no_error_of_readiness(caplog):
    """An account may have lost the right to read: that is for the log, and readiness names it."""

    class Forbidding(MemoryReadModel):
        async def projections(self):
            raise PermissionError("mongodb://10.0.0.7 says no")

    process = Process(
        roles=frozenset({"queries"}),
        mediator=Mediator(),
        all_projections=(),
        storages=[],
        log=None,
        read_model=Forbidding(),
        projector=None,
        receipts=None,
    )
    (check,) = await process.checks()
    assert (check.name, check.ok) == ("views", False)
    assert check.detail == "PermissionError: see the log of the process"
    assert "10.0.0.7" in caplog.text


async def test_a_worker_says_how_its_projector_is():
    """The projector is another process, of which MongoDB has records."""
    read_model = MemoryReadModel()
    process = Process(
        roles=frozenset({"projector"}),
        mediator=Mediator(),
        all_projections=[NOTES],
        storages=[],
        log=None,
        read_model=read_model,
        projector=None,
        receipts=None,
    )
    [check] = await process.checks()
    assert (check.name, check.ok, check.detail) == ("projector", True, "Another process.")
    assert check.roles == {"projector"}
    build = await read_model.begin(NOTES, take_over=TakeOver.WHEN_EQUAL, known=0)
    assert build
    lease = await read_model.acquire(Build(NOTES, build), "it")
    assert lease
    stopped = replace(
        ProjectionStatus.at_the_beginning(NOTES), state=ProjectionState.STOPPED, error="No fold"
    )
    await read_model.save(lease, stopped)
    [check] = await process.checks()
    assert (check.ok, check.detail) == (False, f"{NOTES.name} is stopped: No fold")


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


async def test_a_process_that_cannot_verify_tokens_is_not_ready(monkeypatch):
    """Until it has the keys of an issuer, for which it tries without a token: none may come."""
    monkeypatch.setattr(issuers, "RETRY_SECONDS", 0.01)

    def away(_: str) -> httpx.Response:
        raise httpx.ConnectError("no route")

    issuer = TestIssuer()
    issuer.answer = away
    process = Process(
        roles=frozenset({"queries"}),
        mediator=Mediator(),
        all_projections=(),
        storages=[],
        log=None,
        read_model=MemoryReadModel(),
        projector=None,
        receipts=None,
        authenticator=TokenVerifier([Issuer(URL, issuer.client)], TokenRules(audiences=["users"])),
    )
    await process.open()
    _, check = await process.checks()
    assert (check.name, check.ok, check.roles) == ("identity", False, frozenset({"queries"}))
    assert check.detail == "no route"
    issuer.answer = lambda _: None
    authenticator = process.authenticator
    assert authenticator is not None
    await until(lambda: authenticator.trouble is None)
    _, check = await process.checks()
    assert check.ok
    await process.close()
