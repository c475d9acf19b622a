"""How workers share the connections that wait at their socket."""

from collections.abc import MutableSequence
from multiprocessing.sharedctypes import RawArray
from typing import Any

NO_WORKER = -1
"""The count of a worker that has ended, until its successor accepts."""

YIELD_SECONDS = 0.002
"""How long a worker with more connections than another leaves new ones to it."""


class Share:
    """The part of one worker: about as many connections as each of the others has.

    Left alone, the worker that wakes first would take all that wait. Nothing is locked: each
    writes its own count, and a count that is a little old costs some balance and no connection.
    """

    def __init__(self, counts: MutableSequence[int], index: int) -> None:
        """`counts` are the connections of all workers, in memory that they share."""
        self._counts = counts
        self._index = index

    def note(self, count: int) -> None:
        """Note how many connections this worker has."""
        self._counts[self._index] = count

    def leave(self) -> None:
        """Have the others leave no connections to this worker: it has ended."""
        self.note(NO_WORKER)

    @property
    def is_ahead(self) -> bool:
        """Whether this worker is to leave new connections to another one."""
        return self._room < 0

    @property
    def a_turn(self) -> int:
        """How many connections it may accept in one turn of the event loop, at least one."""
        return max(1, self._room + 1)

    @property
    def _room(self) -> int:
        # In proportion: a flood of connections is to be accepted by many in a turn.
        own = self._counts[self._index]
        others = [
            count
            for index, count in enumerate(self._counts)
            if index != self._index and count != NO_WORKER
        ]
        return min(others, default=own) + own // 8 - own


def shares(number: int) -> list[Share]:
    """The shares of so many workers, for processes that are started by `multiprocessing`."""
    counts: Any = RawArray("i", number)
    return [Share(counts, index) for index in range(number)]
