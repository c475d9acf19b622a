"""What PostgreSQL refuses for now: tried again where it did nothing, else unavailable."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.adapters.postgres import PostgresEventStore, connection
from app.adapters.postgres.connection import ATTEMPTS
from app.adapters.postgres.errors import is_transient
from app.framework.storage import StorageUnavailable
from tests.contract.noted import REGISTRY, note
from tests.locks import log_head_locked

PROMISED_SECONDS = 5.0

TRANSIENT = [
    "08000",
    "08001",
    "08003",
    "08004",
    "08006",
    "08007",
    "08P01",
    "25006",
    "25P03",
    "25P04",
    "28000",
    "28P01",
    "3D000",
    "40000",
    "40001",
    "40002",
    "40003",
    "40P01",
    "53000",
    "53100",
    "53200",
    "53300",
    "53400",
    "55000",
    "55006",
    "55P03",
    "57000",
    "57014",
    "57P01",
    "57P02",
    "57P03",
    "57P04",
    "57P05",
    "57P99",
    "58000",
    "58030",
    "58P01",
]

LASTING = [
    "22003",
    "22P05",
    "23505",
    "25P02",
    "42501",
    "42601",
    "42883",
    "42P01",
    "54000",
    "P0001",
    "XX000",
    "XX001",
]

TRIGGER = """
create sequence refusals;
create function refuse() returns trigger language plpgsql as $$
begin
    if nextval('refusals') <= {times} then
        raise exception 'not now' using errcode = '{code}';
    end if;
    return new;
end $$;
create trigger refuse before insert on events for each row execute function refuse();
"""


@pytest.fixture
async def administrator(postgres_url) -> AsyncIterator[asyncpg.Connection]:
    """Another session in the test's database."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresEventStore]:
    """An event store."""
    store = PostgresEventStore(url, REGISTRY)
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.parametrize("code", [*TRANSIENT, *LASTING])
def test_which_refusals_are_transient(code):
    """By SQLSTATE: what the server's state causes is, what the statement causes is not."""
    error = asyncpg.PostgresError.new({"S": "ERROR", "C": code, "M": "m"})
    assert is_transient(error) == (code in TRANSIENT)


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_appends_do_not_depend_on_the_isolation_that_the_database_sets(
    postgres_url, administrator, isolation, monkeypatch
):
    """Several processes append at once; none is refused, not even to be tried again."""
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    database = await administrator.fetchval("select quote_ident(current_database())")
    await administrator.execute(
        f"alter database {database} set default_transaction_isolation to '{isolation}'"
    )
    async with contextlib.AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(postgres_url)) for _ in range(3)]
        for version in range(30):
            await asyncio.gather(
                *(each.append(note(f"note-{n}", version, "a")) for n, each in enumerate(stores))
            )
        assert await stores[0].head() == 90


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "55006", "57014"])
async def test_an_append_that_did_nothing_is_tried_again(postgres_url, administrator, code):
    """So a deadlock, or a lock that was not to be had, costs time and nothing else."""
    await administrator.execute(TRIGGER.format(times=ATTEMPTS - 1, code=code))
    async with opened(postgres_url) as store:
        appended = await store.append(note("note-1", 0, "a"))
        assert (appended.version, await store.head()) == (1, 1)


@pytest.mark.parametrize("code", ["40001", "53100", "53200", "55P03", "57014", "58030"])
async def test_what_goes_on_to_be_refused_is_unavailable(postgres_url, administrator, code):
    """For all that wait, and without an end of the store: it goes on when it is over."""
    await administrator.execute(TRIGGER.format(times=10_000, code=code))
    async with opened(postgres_url) as store:
        outcomes = await asyncio.gather(
            *(store.append(note(f"note-{each}", 0, "a")) for each in range(3)),
            return_exceptions=True,
        )
        assert {type(each) for each in outcomes} == {StorageUnavailable}
        await administrator.execute("drop trigger refuse on events")
        assert (await store.append(note("note-1", 0, "a"))).position == 1


async def test_an_append_that_waited_for_a_lock_in_vain_is_never_carried_out(
    postgres_url, administrator
):
    """It is refused in time, by PostgreSQL itself, and no session of ours goes on to wait."""
    waiting = "select count(*) from pg_locks where not granted"
    async with opened(postgres_url) as store:
        async with log_head_locked(administrator):
            began = time.monotonic()
            with pytest.raises(StorageUnavailable, match="another session holds a lock"):
                await store.append(note("note-1", 0, "a"))
            assert time.monotonic() - began < PROMISED_SECONDS
            assert await administrator.fetchval(waiting) == 0
        assert await store.head() == 0
        assert (await store.append(note("note-1", 0, "b"))).position == 1


async def test_an_append_that_an_administrator_cancels_is_carried_out(postgres_url, administrator):
    """It did nothing, so it is tried again while there is time."""
    cancel = "select pg_cancel_backend(pid) from pg_locks where not granted"
    async with opened(postgres_url) as store:
        async with log_head_locked(administrator), asyncio.timeout(PROMISED_SECONDS):
            appending = asyncio.ensure_future(store.append(note("note-1", 0, "a")))
            while not await administrator.fetch(cancel):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
        assert (await appending).position == 1


async def test_a_database_that_is_read_only_is_unavailable(postgres_url, administrator):
    """As a standby is, until it is promoted."""
    database = await administrator.fetchval("select quote_ident(current_database())")
    await administrator.execute(
        f"alter database {database} set default_transaction_read_only to on"
    )
    async with opened(postgres_url) as store:
        with pytest.raises(StorageUnavailable, match="it is read-only"):
            await store.append(note("note-1", 0, "a"))
