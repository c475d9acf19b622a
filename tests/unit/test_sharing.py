"""Workers at one socket have about as many connections each."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from app.framework.http.middleware import Places
from app.host.server.accepting import Acceptor
from app.host.server.connections import Connections
from app.host.server.sharing import NO_WORKER, Share, shares

SOON = 10.0


class Counted(asyncio.Protocol):
    """A connection that is counted, as those of the server are."""

    def __init__(self, connections: Connections) -> None:
        connections.open += 1


@pytest.mark.parametrize(
    ("counts", "is_ahead", "a_turn"),
    [
        ([0, 0], False, 1),
        ([1, 0], True, 1),
        ([0, 5], False, 6),
        ([8, 8], False, 2),
        ([9, 8], False, 1),
        ([10, 8], True, 1),
        ([800, 800, 800], False, 101),
        ([5], False, 1),
        ([8, NO_WORKER], False, 2),
        ([10, NO_WORKER, 8], True, 1),
    ],
)
def test_who_has_more_than_another_leaves_new_ones_to_it(counts, is_ahead, a_turn):
    """In proportion to what it has, so that many are accepted in a turn when many come."""
    share = Share(counts, 0)
    assert (share.is_ahead, share.a_turn) == (is_ahead, a_turn)


async def test_those_who_wake_together_take_about_the_same_number(listening):
    """Though the first to wake could have all."""
    parts = shares(2)
    async with accepting(listening, parts[0]) as here, accepting(listening, parts[1]) as there:
        with connected(listening, 20):
            await all_accepted(20, here, there)
            assert 9 <= here.open <= 11


async def test_what_another_does_not_take_is_taken(listening):
    """A worker that is ahead of one that hangs, or has just died, waits for a moment only."""
    async with accepting(listening, shares(2)[0]) as connections:
        with connected(listening, 20):
            await all_accepted(20, connections)


@contextlib.asynccontextmanager
async def accepting(listening: socket.socket, share: Share) -> AsyncIterator[Connections]:
    """The connections of a worker that accepts its share."""
    connections = Connections(Places(1), bound=100)
    acceptor = Acceptor(listening.dup(), connections, lambda: Counted(connections), share)
    acceptor.start()
    try:
        yield connections
    finally:
        acceptor.close()
        await acceptor.wait_closed()


@contextlib.contextmanager
def connected(listening: socket.socket, number: int) -> Iterator[None]:
    """So many clients."""
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            client = socket.create_connection(listening.getsockname())
            stack.enter_context(contextlib.closing(client))
        yield


async def all_accepted(number: int, *connections: Connections) -> None:
    """Return once there are so many connections together."""
    async with asyncio.timeout(SOON):
        while sum(each.open for each in connections) < number:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.001)


@pytest.fixture
def listening():
    """A socket on loopback that does not listen yet."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound
