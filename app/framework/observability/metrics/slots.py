"""How processes of one service know the numbers of each other: by memory that they share."""

import json
import os
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.sharedctypes import RawArray
from typing import Any
from zlib import crc32

from app.framework.observability.metrics.declarations import Reach, declared

REPORT_SECONDS = 2.0
"""How often a process reports."""

LIVE_SECONDS = 10.0
"""A process that has not reported for so long is gone, or hangs."""

_HALF = 256 * 1024
"""How many bytes a report may have: several times what it has, with every operation and message."""

_HEAD = struct.Struct("<II")  # the length and the checksum of a report

State = Sequence[tuple[Sequence[str], Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """The numbers of a process; `at` is when, in seconds since the epoch."""

    process: str
    pid: int
    at: float
    states: Mapping[str, State]

    @property
    def is_live(self) -> bool:
        return time.time() < self.at + LIVE_SECONDS


class Slots:
    """A slot for the report of each process, which outlives the process.

    A process that takes the place of one that ended continues its counters: their sum must not go
    back.
    """

    def __init__(self, processes: Sequence[str]) -> None:
        self.processes = processes
        # Two halves and the number of the one that is valid: the other one is written.
        self._memory: Sequence[Any] = [
            RawArray("c", 1 + 2 * (_HEAD.size + _HALF)) for _ in processes
        ]

    def of(self, process: str) -> "Slot":
        """The slot of a process."""
        return Slot(self, process)

    def write(self, process: str, report: bytes) -> None:
        """Replace the report of a process.

        Raises:
            ValueError: it is too long.

        """
        if len(report) > _HALF:
            raise ValueError(f"The metrics of {process} take {len(report)} bytes, over {_HALF}.")
        memory = self._memory[self.processes.index(process)]
        half = 1 - memory[0][0]
        at = self._place(half)
        memory[at : at + _HEAD.size + len(report)] = _HEAD.pack(len(report), crc32(report)) + report
        memory[0] = half

    def read(self, process: str) -> bytes | None:
        """The last report of a process; None if it never made one."""
        memory = self._memory[self.processes.index(process)]
        for _ in range(3):
            at = self._place(memory[0][0])
            length, checksum = _HEAD.unpack(memory[at : at + _HEAD.size])
            report: bytes = memory[at + _HEAD.size : at + _HEAD.size + min(length, _HALF)]
            if length and crc32(report) == checksum:
                return report
        return None

    def _place(self, half: int) -> int:
        return 1 + half * (_HEAD.size + _HALF)


@dataclass(frozen=True, slots=True)
class Slot:
    """The slot of a process among those of the service."""

    slots: Slots
    process: str


_own: Slot | None = None


def use(slot: Slot) -> None:
    """Report in this slot from now on, and continue the counters of the process before."""
    global _own  # noqa: PLW0603 - of the process, as its metrics are
    _own = slot
    for metric in declared().values():
        if metric.kind != "gauge":
            for each in metric.cells.values():
                each.reset()  # a fork has those of its supervisor
    before = slot.slots.read(slot.process)
    if before is not None:
        _continue(_parsed(before))


def report() -> Report:
    """The numbers of this process, which the other processes know from now on.

    Raises:
        ValueError: they are too many for the slot.

    """
    states = {
        name: [(values, cell.state) for values, cell in metric.cells.items()]
        for name, metric in declared().items()
        if metric.reach is not Reach.SERVICE
    }
    if _own is None:
        return Report("main", os.getpid(), time.time(), states)
    own = Report(_own.process, os.getpid(), time.time(), states)
    text = json.dumps([own.process, own.pid, own.at, own.states], separators=(",", ":"))
    _own.slots.write(own.process, text.encode())
    return own


def all_reports() -> Sequence[Report]:
    """The numbers of this process, as they are, and what the others have reported last.

    What is shown is reported, or it would go back when this process is killed.
    """
    own = report()
    if _own is None:
        return [own]
    slots = _own.slots
    found = [slots.read(each) for each in slots.processes if each != _own.process]
    return [own, *(_parsed(each) for each in found if each is not None)]


def _parsed(text: bytes) -> Report:
    return Report(*json.loads(text))


def _continue(before: Report) -> None:
    for name, states in before.states.items():
        metric = declared().get(name)
        if metric is not None and metric.kind != "gauge":
            for values, state in states:
                metric.of(*values).state = state
