"""What further workers bring: the same load on services with one, two, four and eight."""

import contextlib
from collections.abc import Iterator

from benchmarks.comparisons import Loads, Turns, take_turns
from benchmarks.effort import Effort
from benchmarks.figures import Figure, figure
from benchmarks.world import Databases, service

SCENARIOS = {"get_user_again": False, "update_user": True}
CONNECTIONS = 64


def workers(on: Databases, effort: Effort) -> Iterator[Figure]:
    """Each number of workers against one, by rate, and by the processor time of an answer.

    Rates tell only where there are cores for all of them. The processor time of an answer tells
    whether workers get in each other's way: then it grows with their number. Where they share
    cores it also grows as what each does besides falls upon fewer answers.
    """
    if not effort.workers:
        return
    counts = (1, *effort.workers)
    with contextlib.ExitStack() as stack:
        contenders = {
            _named(number): stack.enter_context(
                service(on, f"workers_{number}", users=effort.users, WORKERS=str(number))
            )
            for number in counts
        }
        for each in contenders.values():
            each.settled()
        loads = Loads(on.folder, effort.users)
        for scenario, writes in SCENARIOS.items():
            turns = take_turns(scenario, contenders, CONNECTIONS, effort, loads, writes)
            for number in effort.workers:
                yield _by_rate(turns, number)
                yield _by_processor_time(turns, number)


def _named(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"


def _by_rate(turns: Turns, number: int) -> Figure:
    many, one = _named(number), _named(1)
    return figure(
        f"{turns.scenario} with {many} against {one}, {turns.connections} connections",
        turns.ratios(many, one),
        absolute=f"{turns.rate(many):,.0f}/s; {turns.rate(one):,.0f}/s",
    )


def _by_processor_time(turns: Turns, number: int) -> Figure:
    many, one = _named(number), _named(1)
    return figure(
        f"{turns.scenario} with {many} against {one}, answers in the same processor time",
        turns.processor_ratios(many, one),
        absolute=f"{turns.processor(many):.0f} us; {turns.processor(one):.0f} us",
    )
