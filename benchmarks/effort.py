"""How much is measured: all of it, or what fits into two minutes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a run.

    connections: at how many the services are compared, one after the other.
    warm_ups: how many rounds come before those that count.
    rounds: how often each service takes its turn; the ratio of each round counts once.
    seconds: how long a turn takes.
    users: how many there are when services are compared; each has one event.
    caught_up: over how many events a projector catches up, and how often.
    grown: events in the small and in the large log; None leaves growth out.
    lag_writes: how many writes the lag at low load is taken from.
    saturated_seconds: how long writes come in as fast as they can.
    long_stream: how many events a long stream has.
    stream_rounds: how often it and a short one are loaded.
    memory_minutes: after how many minutes of load memory is compared with that after one.
    workers: how many workers are compared with one; none leaves them out.
    """

    connections: tuple[int, ...]
    warm_ups: int
    rounds: int
    seconds: float
    users: int
    caught_up: tuple[tuple[int, int], ...]
    grown: tuple[int, int] | None
    lag_writes: int
    saturated_seconds: float
    long_stream: int
    stream_rounds: int
    memory_minutes: int | None
    workers: tuple[int, ...]


FULL = Effort(
    connections=(1, 32, 128),
    warm_ups=1,
    rounds=5,
    seconds=5,
    users=10_000,
    caught_up=((100_000, 3), (1_000_000, 1)),
    grown=(10_000, 1_000_000),
    lag_writes=400,
    saturated_seconds=20,
    long_stream=10_000,
    stream_rounds=25,
    memory_minutes=10,
    workers=(2, 4, 8),
)

QUICK = Effort(
    connections=(32,),
    warm_ups=0,
    rounds=1,
    seconds=1,
    users=2_000,
    caught_up=((8_000, 1),),
    grown=None,
    lag_writes=40,
    saturated_seconds=3,
    long_stream=1_000,
    stream_rounds=5,
    memory_minutes=None,
    workers=(),
)
