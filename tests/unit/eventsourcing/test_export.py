"""Exports: complete files, whatever was in the way of earlier ones."""

import json
import os
import random
import resource
from pathlib import Path
from uuid import UUID

import pytest

from app.adapters.memory.stored_log import MemoryStoredLog
from app.framework.eventsourcing.archive import CannotExport, LogFile
from tests.unit.eventsourcing.archives import (
    Dying,
    Killed,
    Steps,
    export_to,
    exported,
    filled,
)
from tests.unit.eventsourcing.shelf import label, process, put


@pytest.fixture
async def store():
    """A store with 120 events."""
    return await filled()


@pytest.fixture
def log(store):
    """Its log in its stored form."""
    return MemoryStoredLog(store)


@pytest.fixture
def path(tmp_path):
    """Where to export to."""
    return tmp_path / "log.jsonl"


async def test_a_file_has_a_header_and_an_event_a_line(path, log, store):
    """In JSON, with all that is stored of it; only its owner can read the file."""
    await export_to(path, log)

    header, first, *others = map(json.loads, path.read_text("utf-8").splitlines())
    assert header == {
        "format": "event-log",
        "format_version": 1,
        "log": await store.identity(),
        "position": 120,
    }
    UUID(header["log"])
    assert len(others) == 119
    [event] = await store.read(after=0, limit=1)
    assert first == {
        "position": 1,
        "stream_id": "shelf-0",
        "version": 1,
        "type": "Labelled",
        "schema_version": 1,
        "data": {"label": "label 0"},
        "metadata": event.metadata.as_data(),
        "recorded_at": f"{event.recorded_at:%Y-%m-%dT%H:%M:%S.%f}Z",
    }
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == await exported(store)


@pytest.mark.parametrize("seed", range(20))
async def test_an_export_goes_on_after_the_last_whole_line(path, log, store, seed):
    """At any byte that an earlier one has come to, while the log grows."""
    await export_to(path, log)
    whole = path.read_bytes()
    path.write_bytes(whole[: random.Random(seed).randrange(len(whole))])
    await process(store).transact("new", label("new"))
    await export_to(path, log)
    assert path.read_bytes() == await exported(store)


async def test_an_export_goes_on_once_there_is_room(path, log, store):
    """What the disk had no room for is written later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            await export_to(path, log)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.stat().st_size == 10_000
    await export_to(path, log)
    assert path.read_bytes() == await exported(store)


async def test_half_an_event_that_the_log_has_lost_is_cut_off(path, log, store):
    """It was appended after the backup that the log was restored from."""
    await export_to(path, log)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:101]) + lines[101][:50])
    restored = await filled(0)
    restored.fill(await store.identity(), store.rows(0, 100), {})
    await export_to(path, MemoryStoredLog(restored))
    assert path.read_bytes() == await exported(restored)


async def test_an_export_that_was_killed_goes_on(tmp_path, store, monkeypatch):
    """Between any two of its calls."""
    monkeypatch.setattr("app.framework.eventsourcing.archive.exporting.AT_ONCE", 50)
    whole = await exported(store)
    for call in range(9):
        path = tmp_path / str(call)
        for again in range(call, 9):
            try:
                await export_to(path, Dying(MemoryStoredLog(store), again, after=False))
            except Killed:
                continue
            break
        await export_to(path, MemoryStoredLog(store))
        assert path.read_bytes() == whole


async def test_what_was_exported_is_not_read_again(path, log, store):
    """A second export writes what came since."""
    await export_to(path, log)
    await process(store).transact("0", put("more"))
    await export_to(path, log, steps := Steps())
    assert steps.shown == {"Exporting events, of 121": [120, 121]}
    assert path.read_bytes() == await exported(store)


async def test_an_empty_log_is_a_header(path):
    """It can be imported, too."""
    store = await filled(0)
    await export_to(path, MemoryStoredLog(store))
    assert path.read_bytes() == await exported(store)


async def test_the_file_of_another_log_is_not_touched(path, log):
    """Both are named."""
    await export_to(path, other := MemoryStoredLog(await filled(3)))
    before = path.read_bytes()
    with pytest.raises(CannotExport) as caught:
        await export_to(path, log)
    assert await log.identity() in str(caught.value)
    assert await other.identity() in str(caught.value)
    assert path.read_bytes() == before


async def test_a_file_ahead_of_the_log_is_not_touched(path, log, store):
    """As after the log was restored from a backup; nor one of the same length of another future."""
    restored = await filled(0)
    restored.fill(await store.identity(), store.rows(0, 100), {})
    await export_to(path, log)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(CannotExport, match="position 120 is not in the log"):
            await export_to(path, MemoryStoredLog(restored))
        for number in range(25):
            await process(restored).transact(f"other {number}", put("a thing"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"my diary\n", "It is no exported log. Name another file."),
        (b"my diary", "It is no exported log. Name another file."),
        (b'{"format": "event-log"}\n', "Its format version is None, not 1. Name another file."),
        (b'{"format": "event-log", "format_version": 2}\n', "Its format version is 2, not 1. Name"),
        (b"[]\n" * 100, "It is no exported log. Name another file."),
        (b"\xff" * 200 + b"\n", "It is no exported log. Name another file."),
    ],
)
async def test_a_file_of_anything_else_is_not_touched(path, log, content, why):
    """A name that was mistyped costs nothing."""
    path.write_bytes(content)
    with pytest.raises(CannotExport) as caught:
        await export_to(path, log)
    assert str(caught.value).startswith(f"{path}: {why}")
    assert path.read_bytes() == content


async def test_a_file_whose_last_event_is_damaged_is_not_touched(path, log):
    """It is not what an export leaves behind."""
    await export_to(path, log)
    damaged = path.read_bytes() + b"{}\n"
    path.write_bytes(damaged)
    with pytest.raises(CannotExport, match="Its members are not position, "):
        await export_to(path, log)
    assert path.read_bytes() == damaged


async def test_two_exports_do_not_write_to_one_file(path, log):
    """The second is refused; once the first has ended it goes on."""
    first = LogFile(path)
    with pytest.raises(CannotExport, match="Another export writes to it"):
        LogFile(path)
    first.close()
    await export_to(path, log)


@pytest.mark.parametrize("name", ["", "nowhere/log.jsonl"])
async def test_what_cannot_be_written_is_named(tmp_path, name):
    """A directory, or a file in one that is not there."""
    with pytest.raises(CannotExport, match=rf"^{tmp_path}.*: (Is a|No such file or) directory\.$"):
        LogFile(tmp_path / name)


def test_only_a_regular_file_is_written(tmp_path):
    """Others cannot be gone on with; for them there is the standard output."""
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/null"), tmp_path / "pipe"):
        with pytest.raises(CannotExport, match=f"^{path}: It is not a regular file"):
            LogFile(path)
