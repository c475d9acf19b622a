"""How the projector in its own process learns of appends."""

import asyncio
import multiprocessing
from contextlib import closing

import pytest

from app.framework.eventsourcing.signal import LogSignal
from app.host.workers.growth import GrowthLine


@pytest.fixture
def line():
    """An open line."""
    with closing(GrowthLine()) as line:
        yield line


async def reached(signal: LogSignal, position: int) -> None:
    """The log has grown to `position`, long before any poll would find it."""
    async with asyncio.timeout(20):
        await signal.wait(after=position - 1, seconds=3600)


@pytest.mark.parametrize("method", ["fork", "spawn"])
async def test_a_position_from_another_process_is_forwarded(line, method):
    """Whether that process is a fork or a fresh interpreter."""
    signal = LogSignal()
    sender = multiprocessing.get_context(method).Process(target=line.send, args=(7,))
    sender.start()
    with line.forwarding(signal):
        await reached(signal, 7)
    await asyncio.to_thread(sender.join)
    assert sender.exitcode == 0


async def test_a_position_is_reported_once():
    """A signal reports no position that it knows."""
    reported: list[int] = []
    signal = LogSignal(reported.append)
    for position in (3, 2, 3, 9):
        signal.grown_to(position)
    assert reported == [3, 9]


async def test_a_successor_receives_what_waits(line):
    """Positions sent before a projector takes the place of one that ended."""
    for position in (1, 2, 3):
        line.send(position)
    signal = LogSignal()
    with line.forwarding(signal):
        await reached(signal, 3)


async def test_a_sender_never_waits(line):
    """Positions that find no room are dropped, and later ones arrive."""
    for position in range(1, 100_000):
        line.send(position)
    signal = LogSignal()
    with line.forwarding(signal):
        await reached(signal, 1)
        line.send(200_000)
        await reached(signal, 200_000)


async def test_a_closed_line_drops_positions():
    """A write succeeds though the projector learns of it later."""
    line = GrowthLine()
    line.close()
    line.send(1)
