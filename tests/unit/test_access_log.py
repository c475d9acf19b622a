"""The access log: its lines are written together, apart from requests, and are bounded."""

import asyncio
import json
import logging
import os
import select
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

import pytest

from app.framework.observability import access_log, logs
from app.framework.observability.access_log import AccessLog
from app.framework.observability.handlers import StandardError
from tests.following import until

ABOUT = '"method":"GET","operation":"get_user","status":200,"principal":"user"'


@pytest.fixture
def written(caplog) -> Callable[[], Sequence[dict[str, Any]]]:
    """Gives the lines so far."""
    caplog.set_level(logging.INFO, access_log.LOGGER)
    return lambda: [
        json.loads(line)
        for each in [*caplog.records]
        if each.name == access_log.LOGGER
        for line in each.getMessage().splitlines()
    ]


async def test_lines_are_written_together_soon(written, monkeypatch):
    """In their order, without an end of the log."""
    monkeypatch.setattr(access_log, "WRITE_SECONDS", 0.01)
    log = AccessLog()
    log.add(ABOUT, 0.0012345, "r1", "r1")
    log.add(ABOUT, 1, 'a"b\\c', "i2")
    assert written() == []
    await until(lambda: bool(written()))
    first, second = written()
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "logger": "app.access",
        "method": "GET",
        "operation": "get_user",
        "status": 200,
        "principal": "user",
        "duration": 0.001234,
        "request_id": "r1",
    }
    assert (second["request_id"], second["internal_request_id"]) == ('a"b\\c', "i2")


async def test_what_is_counted_has_a_line_for_all(written, monkeypatch):
    """And another one later, if it goes on."""
    monkeypatch.setattr(access_log, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(access_log, "COUNT_SECONDS", 0.01)
    log = AccessLog()
    for number in (3, 2):
        for _ in range(number):
            log.count(ABOUT)
        await until(lambda number=number: number in [each["count"] for each in written()])  # type: ignore[misc]
    assert len(written()) == 2
    assert "duration" not in written()[0]


async def test_the_end_writes_all(written):
    """Lines and counts, without waiting for their time."""
    log = AccessLog()
    log.count(ABOUT)
    log.add(ABOUT, 0.1, "r1", "r1")
    await log.close()
    assert len(written()) == 2
    await log.close()
    assert len(written()) == 2


async def test_more_lines_than_may_wait_are_lost(capsys, monkeypatch):
    """And the log says how many."""
    monkeypatch.setattr(access_log, "LINES", 2)
    logs.configure("info", "json")
    log = AccessLog()
    for number in range(5):
        log.add(ABOUT, 0.1, str(number), str(number))
    await log.close()
    found = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert [each["request_id"] for each in found if each["logger"] == "app.access"] == ["0", "1"]
    assert "are lost" in found[0]["message"]
    assert found[-1]["message"] == "3 lines of the access log were lost."


@pytest.fixture
def pipe(monkeypatch) -> Iterator[tuple[int, int]]:
    """The lines go to a pipe; gives its ends, the one to read first."""
    reads, writes = os.pipe()
    with open(writes, "w", buffering=1) as stream:  # noqa: PTH123 - it has no path
        write_to(stream, monkeypatch)
        yield reads, writes
    os.close(reads)


def write_to(stream: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the lines written to `stream` for the time of a test."""
    handler = StandardError()
    handler.setStream(stream)
    log = logging.getLogger(access_log.LOGGER)
    monkeypatch.setattr(log, "handlers", [handler])
    monkeypatch.setattr(log, "propagate", False)
    log.setLevel(logging.INFO)


def available(reads: int) -> bytes:
    """What there is to read."""
    return os.read(reads, 1 << 20) if select.select([reads], [], [], 0)[0] else b""


async def test_requests_do_not_wait_for_standard_error(pipe, monkeypatch):
    """Though it takes no more; every line is whole and in its order once it does again."""
    reads, writes = pipe
    monkeypatch.setattr(access_log, "WRITE_SECONDS", 0.001)
    os.set_blocking(writes, False)
    filled = 0
    while select.select([], [writes], [], 0)[1]:
        filled += os.write(writes, b"x" * select.PIPE_BUF)
    os.set_blocking(writes, True)

    log = AccessLog()
    for number in range(200):
        log.add(ABOUT, 0.1, str(number), str(number))
        await asyncio.sleep(0.0001)
    closing = asyncio.create_task(log.close())
    await asyncio.sleep(0)
    assert not closing.done()

    text = b""
    while not closing.done():
        text += available(reads)
        await asyncio.sleep(0.001)
    text += available(reads)
    lines = [json.loads(each) for each in text[filled:].splitlines()]
    assert [int(each["request_id"]) for each in lines] == list(range(200))


async def test_what_is_written_at_once_is_not_mixed_with_other_processes(monkeypatch):
    """Whole lines, as many as a pipe takes in one piece."""
    reads, writes = socket.socketpair(type=socket.SOCK_DGRAM)  # which keeps each write apart
    with reads, writes, writes.makefile("w", buffering=1) as stream:
        write_to(stream, monkeypatch)
        log, found = AccessLog(), []
        for number in range(100):
            log.add(ABOUT, 0.1, str(number), str(number))
        await log.close()
        while select.select([reads], [], [], 0)[0]:
            found.append(reads.recv(1 << 20))
    assert len(found) > 2
    assert max(map(len, found)) <= select.PIPE_BUF
    assert {each[:1] + each[-2:] for each in found} == {b"{}\n"}
    assert len(b"".join(found).splitlines()) == 100
