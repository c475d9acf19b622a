"""`append_events_v2` against `append_events_v1`: the same promises, kept by sets."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import pytest

from app.adapters.postgres.sessions import _SESSION

Item = dict[str, Any]

APPEND = "select * from append_events_v{}($1::jsonb)"
APPEND_SET = "select * from append_set_v2($1::jsonb, (select position from log_head), now())"

LEAST_SET = 10
"""From how many items on a batch is a set."""

TABLES = {
    "events": "position, stream_id, version, type, schema_version, data, metadata",
    "streams": "stream_id, type, version",
    "claims": "scope, key, stream_id",
    "receipts": "key, fingerprint, stream_id, version",
    "snapshots": "stream_id, version, position, edition, data",
    "log_head": "position",
}
"""What is compared: all but the times, which differ with each call."""


def item(stream: str, version: int = 0, *texts: str, **more: Any) -> Item:
    """What the service sends for an append of these texts."""
    events = [{"type": "Noted", "schema_version": 1, "data": {"text": each}} for each in texts]
    whole = {"stream_id": f"note-{stream}", "expected_version": version, "events": events}
    return whole | {"metadata": {"actor": "a"}} | more


def claims(*keys: str) -> list[dict[str, str]]:
    """Claims of one scope, to take or to release."""
    return [{"scope": "title", "key": each} for each in keys]


def key(value: str) -> dict[str, str]:
    """An idempotency key."""
    return {"value": value, "fingerprint": f"print of {value}"}


@pytest.fixture
async def connect(postgres_url) -> AsyncIterator[Callable[[], Any]]:
    """Opens connections as the event store has them."""
    opened: list[asyncpg.Connection] = []

    async def open_one() -> asyncpg.Connection:
        opened.append(await asyncpg.connect(postgres_url, server_settings=_SESSION))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
async def connection(connect) -> asyncpg.Connection:
    """One of them."""
    return await connect()


async def append(
    connection: asyncpg.Connection, items: Sequence[Item], version: int = 2
) -> list[asyncpg.Record]:
    """The outcomes of a batch."""
    return await connection.fetch(APPEND.format(version), json.dumps(items))


async def contents(connection: asyncpg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored, without the times."""
    return {
        table: sorted(map(tuple, await connection.fetch(f"select {columns} from {table}")))
        for table, columns in TABLES.items()
    }


async def found(connection: asyncpg.Connection, statement: str) -> dict[str, Any]:
    """The rows of two columns as a mapping."""
    return {name: value for name, value in await connection.fetch(statement)}  # noqa: C416 - typed


class Batches:
    """Random batches over few streams, claims and keys, so that items get in each other's way."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._texts = map(str, itertools.count(seed * 1_000_000))

    async def next(self, connection: asyncpg.Connection) -> list[Item]:
        """One of items that depend on each other or, as often, of some that do not."""
        versions = await found(connection, "select stream_id, version from streams")
        held = await found(connection, "select stream_id, max(key) from claims group by 1")
        size = self._chance.choice([1, 3, LEAST_SET - 1, LEAST_SET, 14])
        streams, taken = self._some(20, size), self._some(50, 2 * size)
        keys = self._some(90, size)
        return [
            self._item(
                stream,
                versions.get(f"note-{stream}", 0),
                claims(*taken[2 * place : 2 * place + 2]),
                claims(*{held.get(f"note-{stream}", taken[0])}.difference(taken)),
                key(keys[place]),
            )
            for place, stream in enumerate(streams)
        ]

    def _some(self, below: int, count: int) -> list[str]:
        pick = self._chance.sample if self._one_in(1.3) else self._chance.choices
        return [*map(str, pick(range(below), k=count))]

    def _one_in(self, number: float) -> bool:
        return self._chance.random() < 1 / number

    def _item(self, stream: str, version: int, *more: Any) -> Item:
        snapshot = {"edition": 1, "data": {"text": next(self._texts)}}
        names = ("claims", "releases", "idempotency_key", "snapshot")
        members = {
            name: each
            for name, each in zip(names, (*more, snapshot), strict=True)
            if each and self._one_in(3)
        }
        least = 0 if "idempotency_key" in members else 1
        texts = itertools.islice(self._texts, self._chance.randint(least, 3))
        return item(stream, version + self._one_in(6), *texts, **members)


@pytest.mark.parametrize("seed", range(3))
async def test_both_functions_do_the_same(connection, seed):
    """Each batch is appended by one, taken back, and appended by the other."""
    batches, by_sets, one_by_one = Batches(seed), set[str](), set[str]()
    for _ in range(60):
        batch = await batches.next(connection)
        before = await contents(connection)
        taken_back = connection.transaction()
        await taken_back.start()
        rows = await append(connection, batch, version=1)
        expected = await contents(connection)
        await taken_back.rollback()
        assert await contents(connection) == before

        again = await append(connection, batch)

        assert [comparable(each) for each in again] == [comparable(each) for each in rows], batch
        assert await contents(connection) == expected, batch
        is_set = len(batch) >= LEAST_SET and not depend(batch)
        (by_sets if is_set else one_by_one).update(each["outcome"] for each in again)
    assert by_sets == one_by_one == {"appended", "conflict", "claim-taken", "duplicate"}


def comparable(row: asyncpg.Record) -> dict[str, Any]:
    """An outcome without its time."""
    return {**row, "at_time": row["at_time"] is not None}


def depend(batch: Sequence[Item]) -> bool:
    """Whether two items have something in common."""
    named = [
        [each["stream_id"] for each in batch],
        [each["idempotency_key"]["value"] for each in batch if "idempotency_key" in each],
        [
            (claim["scope"], claim["key"])
            for each in batch
            for claim in (*each.get("claims", ()), *each.get("releases", ()))
        ],
    ]
    return any(len({*each}) < len(each) for each in named)


SET = [item(f"{number}", 0, "a") for number in range(LEAST_SET)]


@pytest.mark.parametrize(
    "others",
    [
        [item("0", 1, "b")],
        [item("x", 0, "b", claims=claims("c")), item("y", 0, "b", claims=claims("d", "c"))],
        [item("x", 0, "b", claims=claims("c")), item("y", 0, "b", releases=claims("c"))],
        [item("x", 0, "b", idempotency_key=key("k")), item("y", 0, idempotency_key=key("k"))],
    ],
    ids=["stream", "claim", "release", "key"],
)
async def test_items_that_depend_on_each_other_are_no_set(connection, others):
    """Nothing is done for them; the others are one."""
    before = await contents(connection)
    assert await connection.fetch(APPEND_SET, json.dumps([*SET, *others])) == []
    assert await contents(connection) == before
    rows = await connection.fetch(APPEND_SET, json.dumps([*SET, others[-1] | {"stream_id": "z"}]))
    assert [each["at_position"] for each in rows][:LEAST_SET] == list(range(1, LEAST_SET + 1))


async def test_refused_items_leave_the_set_alone(connection):
    """What is appended has positions without a hole, and releases nothing of others."""
    await append(connection, [item("0", 0, "a", idempotency_key=key("k"), claims=claims("c", "d"))])
    refused = [
        item("1", 0, "b", idempotency_key=key("k")),
        item("2", 3, "b"),
        item("3", 0, "b", claims=claims("free", "c")),
    ]
    batch = [
        *refused,
        item("4", 0, "b", "c", releases=claims("d")),
        *(item(f"{number}", 0, "b", "c") for number in range(5, 11)),
    ]
    rows = await append(connection, batch)
    assert [each["outcome"] for each in rows[:3]] == ["duplicate", "conflict", "claim-taken"]
    assert rows[2]["claim_key"] == "c"
    assert [each["at_position"] for each in rows] == [None, None, None, 3, 5, 7, 9, 11, 13, 15]
    positions = await connection.fetch("select position from events order by position")
    assert [each for (each,) in positions] == list(range(1, 16))
    assert len(await connection.fetch("select from claims")) == 2
    at = await connection.fetchval("select recorded_at from log_head")
    times = await connection.fetch("select distinct recorded_at from events where position > 1")
    assert [*times, at] == [(at,), *({each["at_time"] for each in rows} - {None})]


async def test_old_and_new_processes_append_at_once(connect):
    """Of streams, claims and keys that all share: nothing lost, doubled or out of order."""
    writers = [(await connect(), 1 + number % 2) for number in range(6)]
    appended: list[tuple[Item, asyncpg.Record]] = []

    async def write(number: int, connection: asyncpg.Connection, version: int) -> None:
        batches = Batches(number)
        for _ in range(25):
            batch = await batches.next(connection)
            rows = await append(connection, batch, version)
            pairs = zip(batch, rows, strict=True)
            appended.extend(pair for pair in pairs if pair[1]["outcome"] == "appended")

    async with asyncio.timeout(30):
        await asyncio.gather(*(write(number, *each) for number, each in enumerate(writers)))

    stored = await contents(writers[0][0])
    acknowledged = [
        (row["at_position"] + back, each["stream_id"], row["at_version"] + back, event["data"])
        for each, row in appended
        for back, event in enumerate(each["events"], 1 - len(each["events"]))
    ]
    assert sorted(acknowledged) == [
        (position, stream, version, json.loads(data))
        for position, stream, version, _, _, data, _ in stored["events"]
    ]
    assert [each[0] for each in stored["events"]] == list(range(1, len(acknowledged) + 1))
    assert stored["log_head"] == [(len(acknowledged),)]
    last = {stream: version for _, stream, version, _ in sorted(acknowledged)}
    assert {stream: version for stream, _, version in stored["streams"]} == last
    keys = [each["idempotency_key"]["value"] for each, _ in appended if "idempotency_key" in each]
    assert sorted(keys) == [each[0] for each in stored["receipts"]]


async def test_a_batch_reads_no_more_rows_than_it_needs(connection):
    """Also where all plans were made while the tables were empty."""

    def batch(number: int) -> list[Item]:
        return [
            item(
                f"{place}",
                number,
                "a",
                claims=claims(f"{place}-{number}"),
                releases=claims(f"{place}-{number - 1}"),
                idempotency_key=key(f"{place}-{number}"),
                snapshot={"edition": 1, "data": {}},
            )
            for place in range(16)
        ]

    await append(connection, batch(0))
    many = [item(f"many-{each}", 0, "a", claims=claims(f"{each}")) for each in range(5000)]
    await append(connection, many)
    async with connection.transaction():
        rows = await append(connection, batch(1))
        read = await connection.fetch(
            "select relname, seq_tup_read, idx_tup_fetch from pg_stat_xact_user_tables"
            " where relname = any($1::text[])",
            [*TABLES],
        )
    assert {each["outcome"] for each in rows} == {"appended"}
    for name, in_sequence, by_index in read:
        assert name == "log_head" or not in_sequence, name
        assert by_index is None or by_index <= 3 * 16, name
    assert len(read) == len(TABLES)
