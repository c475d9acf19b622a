"""Whether what there is already makes the service slower: long logs, long streams, long runs."""

import asyncio
import contextlib
import dataclasses
import gc
import time
from collections.abc import Iterator

from app.adapters.postgres import PostgresEventStore
from app.bootstrap import event_registry
from app.contexts.users.domain.user import USERS, User
from app.framework.eventsourcing import Decide, Repository
from benchmarks.comparisons import Loads, Turns, take_turns
from benchmarks.effort import Effort
from benchmarks.figures import Figure, at_least, at_most, figure
from benchmarks.people import person
from benchmarks.projecting import EVENTS_A_USER
from benchmarks.seeding import create_database, seed_event_store
from benchmarks.world import Contender, Databases, service
from benchmarks.wrk import run_wrk

SCENARIOS = {"get_user": False, "list_users": False, "update_user": True}
CONNECTIONS = 32
SHORT = 10
AMONG = 1000
MIXED_SECONDS = 5


def long_logs(on: Databases, effort: Effort) -> Iterator[tuple[Turns, list[Figure]]]:
    """The same load on a small and on a large log, in turns.

    Requests for a user have two turns on the large one: for the users that the small one has too,
    which shows what a long log costs, and for all its users, of whom a process has few in memory.
    """
    if effort.grown is None:
        return
    small, large = (events // EVENTS_A_USER for events in effort.grown)
    short, long = (f"{users * EVENTS_A_USER:,} events" for users in (small, large))
    with contextlib.ExitStack() as stack:
        few, many = (
            stack.enter_context(
                service(on, f"grown_{users}", users=users, events_a_user=EVENTS_A_USER)
            )
            for users in (small, large)
        )
        for contender in (few, many):
            contender.settled()
        same = {
            short: (few, Loads(on.folder, small)),
            f"{long}, of the same {small:,} users": (many, Loads(on.folder, small)),
        }
        every = {f"{long}, of all {large:,} users": (many, Loads(on.folder, large))}
        once = dataclasses.replace(effort, rounds=1)
        for scenario, writes in SCENARIOS.items():
            asked = same if scenario == "list_users" else same | every
            turns = Turns(scenario, CONNECTIONS, {name: [] for name in asked})
            for _ in range(effort.rounds):
                for name, (contender, loads) in asked.items():
                    taken = take_turns(
                        scenario, {name: contender}, CONNECTIONS, once, loads, writes
                    )
                    turns.by_name[name] += taken.by_name[name]
            yield (
                turns,
                [
                    figure(
                        f"{scenario} at {name}, against {short}, {CONNECTIONS} connections",
                        turns.ratios(name, short),
                        target=at_least(0.9),
                        absolute=f"{turns.rate(name):,.0f}/s; {turns.rate(short):,.0f}/s",
                    )
                    for name in asked
                    if name != short
                ],
            )


def long_streams(on: Databases, effort: Effort) -> Iterator[Figure]:
    """Loading an aggregate of many events against one of few: unknown yet, and remembered."""
    url = asyncio.run(create_database(on.postgres, "streams"))
    seed_event_store(url, users=AMONG, events_a_user=SHORT)
    times = asyncio.run(_load(url, effort.long_stream, effort.stream_rounds))
    for how, (long, short) in times.items():
        yield figure(
            f"loading a stream of {effort.long_stream:,} events against one of {SHORT}, {how}",
            [one / other for one, other in zip(long, short, strict=True)],
            target=at_most(1.5),
            absolute=f"{min(long) * 1000:.2f} ms; {min(short) * 1000:.2f} ms",
        )


async def _load(url: str, events: int, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    store = PostgresEventStore(url, event_registry())
    long, short = person(AMONG), person(0)
    await _live(_users(store), long.id, events)
    cold: tuple[list[float], list[float]] = ([], [])
    warm: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for who, times in zip((long, short), cold, strict=True):
            times.append(await _time(_users(store), who.id))
    users = _users(store)
    for _ in range(rounds + 1):
        for who, times in zip((long, short), warm, strict=True):
            times.append(await _time(users, who.id))
    await store.close()
    return {
        "by a process that has not loaded it": cold,
        "by a process that has": (warm[0][1:], warm[1][1:]),
    }


def _users(store: PostgresEventStore) -> Repository[User]:
    """Users as a process has them that has just been started."""
    return Repository(store, USERS)


async def _live(users: Repository[User], user_id: str, events: int) -> None:
    """Have so many things happen to a user, a command each, as the service records them."""
    registered = User.register(user_id, "Ada Lovelace", f"{user_id}@example.com")
    await users.transact(user_id, lambda _: registered)
    for number in range(events - 1):
        await users.transact(user_id, _renaming(f"Ada {number}"))


def _renaming(name: str) -> Decide[User]:
    return lambda known: known.update(name=name) if known else ()


async def _time(users: Repository[User], user_id: str) -> float:
    """How long it takes to load a user and to change nothing."""
    gc.collect()  # what was there before is not to be cleared away meanwhile
    began = time.perf_counter()
    await users.transact(user_id, lambda _: [])
    return time.perf_counter() - began


def long_runs(on: Databases, contender: Contender, effort: Effort) -> Iterator[Figure]:
    """The memory of the service after minutes of mixed load against that after one minute."""
    if effort.memory_minutes is None:
        return
    loads = Loads(on.folder, effort.users)
    began, after_one = time.monotonic(), 0
    while time.monotonic() - began < effort.memory_minutes * 60:
        for scenario in ("get_user", "update_user", "list_users", "register_user"):
            load = loads.next(scenario, contender)
            run_wrk(contender.server.url, load, connections=CONNECTIONS, seconds=MIXED_SECONDS)
            contender.settled()
        if not after_one and time.monotonic() - began >= 60:
            after_one = _memory(contender)
    after_all = _memory(contender)
    yield figure(
        f"memory after {effort.memory_minutes} minutes of load against after one",
        [after_all / after_one],
        target=at_most(1.1),
        absolute=f"{after_all / 2**20:.0f} MiB; {after_one / 2**20:.0f} MiB",
    )


def _memory(contender: Contender) -> int:
    """The resident memory of the processes that answer, in bytes."""
    return sum(int(each.memory_info().rss) for each in contender.server.answering())
