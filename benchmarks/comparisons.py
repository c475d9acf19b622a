"""The service against the plain ones, request by request."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from urllib.request import urlopen

from benchmarks.effort import Effort
from benchmarks.figures import Figure, at_least, figure
from benchmarks.world import ASYNCPG, CEILING, MOTOR, SERVICE_NAME, Contender
from benchmarks.wrk import Load, Measured, WrongAnswer, run_wrk


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario of `load.lua`, and what the service should reach against each plain one.

    targets: by the plain service, then by the number of connections.
    """

    what: str
    scenario: str
    targets: Mapping[str, Mapping[int, float]]
    writes: bool = False


COMPARISONS = (
    Comparison(
        "GET /users/{id}",
        "get_user",
        {
            ASYNCPG: {32: 1.3, 128: 1.3},
            MOTOR: {1: 1, 32: 4, 128: 4},
            CEILING: {32: 0.8, 128: 0.8},
        },
    ),
    Comparison(
        "GET /users/{id}, of 100 that many ask for",
        "get_user_again",
        {ASYNCPG: {}, MOTOR: {}, CEILING: {1: 0.85, 32: 0.85, 128: 0.9}},
    ),
    Comparison("GET /users", "list_users", {MOTOR: {32: 3}}),
    Comparison("GET /users, pages that differ", "list_users_apart", {MOTOR: {}}),
    Comparison("PUT /users/{id}", "update_user", {ASYNCPG: {1: 0.8, 32: 1.5, 128: 2}}, writes=True),
    Comparison("POST /users", "register_user", {ASYNCPG: {32: 1.2, 128: 1.5}}, writes=True),
)

COMPARED_BY_PROCESSOR_TIME = 32
"""At how many connections."""

WARMING_UP = 32
"""Connections over which each user is changed before changes are measured."""

FIRST_REGISTERED = 100_000
"""The first number of a user that is registered under load."""

ASKED_FOR_AGAIN = 100
"""How many users many ask for: a warm-up is long enough for all of them to be kept in memory."""

REGISTERED_A_TURN = 200_000
"""No turn registers so many."""


@dataclass(slots=True)
class Turns:
    """What came of the turns of several services, by their names; one entry a round."""

    scenario: str
    connections: int
    by_name: dict[str, list[Measured]] = field(default_factory=dict)

    def ratios(self, name: str, against: str) -> list[float]:
        """The throughput of one against that of another, round by round."""
        pairs = zip(self.by_name[name], self.by_name[against], strict=True)
        return [one.rate / other.rate for one, other in pairs]

    def processor_ratios(self, name: str, against: str) -> list[float]:
        """How many answers of one its processes give in the time of one of another."""
        pairs = zip(self.by_name[name], self.by_name[against], strict=True)
        return [other.processor / one.processor for one, other in pairs]

    def processor(self, name: str) -> float:
        """The median processor time of an answer of one, in microseconds."""
        return statistics.median(each.processor for each in self.by_name[name])

    def rate(self, name: str) -> float:
        """The median throughput of one."""
        return statistics.median(each.rate for each in self.by_name[name])

    def latency(self, name: str) -> tuple[float, float]:
        """The medians of its 50th and 99th percentiles, in milliseconds."""
        of = self.by_name[name]
        return statistics.median(x.p50 for x in of), statistics.median(x.p99 for x in of)


class Loads:
    """The loads of successive turns; no two are the same."""

    def __init__(self, folder: Path, users: int) -> None:
        self._folder = folder
        self._users = users
        self._seeds = count(1)

    def next(self, scenario: str, contender: Contender) -> Load:
        """The load of the next turn of `contender`."""
        seed = next(self._seeds)
        if scenario == "register_user":
            return Load(scenario, FIRST_REGISTERED + seed * REGISTERED_A_TURN, seed=seed)
        if scenario == "get_user_again":
            return Load("get_user", 0, ASKED_FOR_AGAIN, seed)
        if scenario == "list_users":
            return Load(scenario, seed=seed, expected=self._expected(contender))
        return Load(scenario, 0, self._users, seed)

    def update_each(self, contender: Contender) -> None:
        """Change each user at least once, as in a process that has been in use for a while.

        The service keeps the state of users that it changed, and loads none of them again.
        """
        changed = 0
        while changed < self._users:
            # Those that were under way when the last run ended may not have been changed.
            first = max(0, changed - WARMING_UP)
            load = Load("update_each_user", first, self._users - first, next(self._seeds))
            done = run_wrk(contender.server.url, load, connections=WARMING_UP, seconds=1)
            changed = first + done.answers
        contender.settled()

    def _expected(self, contender: Contender) -> Path:
        file = self._folder / f"list-{contender.server.pid}.json"
        with urlopen(f"{contender.server.url}/users") as answer:
            body = answer.read()
        if body.count(b'"id":"user-') != 20:
            raise WrongAnswer(f"{contender.server.name} lists {body[:300]!r}")
        file.write_bytes(body)
        return file


def compare(
    contenders: Mapping[str, Contender], effort: Effort, folder: Path
) -> Iterator[tuple[Turns, Sequence[Figure]]]:
    """Let the services take turns in every scenario.

    Raises:
        WrongAnswer: one of them answered wrongly, or did not store what it said it had.

    """
    loads = Loads(folder, effort.users)
    for contender in contenders.values():
        # Pools of threads and connections are as in a process that has been in use for a while.
        load = loads.next("get_user", contender)
        run_wrk(contender.server.url, load, connections=max(effort.connections), seconds=1)
    for comparison in COMPARISONS:
        taking_part = {name: contenders[name] for name in (SERVICE_NAME, *comparison.targets)}
        if comparison.scenario == "update_user":
            for each in taking_part.values():
                loads.update_each(each)
        for connections in effort.connections:
            turns = take_turns(
                comparison.scenario, taking_part, connections, effort, loads, comparison.writes
            )
            yield turns, _figures(comparison, turns)


def take_turns(
    scenario: str,
    contenders: Mapping[str, Contender],
    connections: int,
    effort: Effort,
    loads: Loads,
    writes: bool,  # noqa: FBT001 - of the scenario
) -> Turns:
    """So many rounds in which each contender has a turn, after those to warm up."""
    turns = Turns(scenario, connections, {name: [] for name in contenders})
    for number in range(-effort.warm_ups, effort.rounds):
        for name, contender in contenders.items():
            before = contender.written() if writes else 0
            seconds = effort.seconds if number >= 0 else 1
            load = loads.next(scenario, contender)
            measured = _measure(contender, load, connections, seconds)
            contender.settled()
            if writes:
                _check_written(contender, contender.written() - before, measured, connections)
            if number >= 0:
                turns.by_name[name].append(measured)
    return turns


def _measure(contender: Contender, load: Load, connections: int, seconds: float) -> Measured:
    server = contender.server
    before = server.processor_seconds()
    measured = run_wrk(server.url, load, connections=connections, seconds=seconds)
    spent = server.processor_seconds() - before
    return replace(measured, processor=spent / measured.answers * 1e6)


def _check_written(
    contender: Contender, written: int, measured: Measured, connections: int
) -> None:
    # What was under way when the turn ended may have been stored and not counted.
    if not measured.answers <= written <= measured.answers + connections:
        raise WrongAnswer(
            f"{contender.server.name} acknowledged {measured.answers} writes and stored {written}"
        )


def _figures(comparison: Comparison, turns: Turns) -> list[Figure]:
    return [*_by_rate(comparison, turns), *_by_processor_time(comparison, turns)]


def _by_rate(comparison: Comparison, turns: Turns) -> list[Figure]:
    return [
        figure(
            f"{comparison.what} against {name}, {_connections(turns.connections)}",
            turns.ratios(SERVICE_NAME, name),
            target=at_least(targets[turns.connections]) if turns.connections in targets else None,
            absolute=f"{_speed(turns, SERVICE_NAME)}; {_speed(turns, name)}",
        )
        for name, targets in comparison.targets.items()
    ]


def _by_processor_time(comparison: Comparison, turns: Turns) -> list[Figure]:
    """What the rates would be if the processes that answer had cores of their own."""
    if turns.connections != COMPARED_BY_PROCESSOR_TIME:
        return []
    return [
        figure(
            f"{comparison.what} against {name}, by processor time",
            turns.processor_ratios(SERVICE_NAME, name),
            absolute=f"{turns.processor(SERVICE_NAME):.0f} us; {turns.processor(name):.0f} us",
        )
        for name in comparison.targets
    ]


def _connections(number: int) -> str:
    return "1 connection" if number == 1 else f"{number} connections"


def _speed(turns: Turns, name: str) -> str:
    p50, p99 = turns.latency(name)
    return f"{turns.rate(name):,.0f}/s, p50 {p50:.2f} ms, p99 {p99:.1f} ms"
