"""What health and `/projections` show: what is wrong, and nothing of the network."""

import asyncio
import contextlib
import json
import socket

import pytest

from app.bootstrap import build
from app.framework.observability.outages import end_outages
from app.framework.projections import Projector
from app.framework.storage import StorageUnavailable
from app.host.settings import Settings

MARKS = ("127.0.0.1", "localhost", "Errno", "diptych_user", "diptych_database", "Connect call")


@pytest.fixture
def nowhere() -> Settings:
    """Settings that name databases where nothing listens."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(2):
            free = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            ports.append(free.getsockname()[1])
    postgres, mongodb = ports
    return Settings.load(
        database_url=f"postgresql://diptych_user@127.0.0.1:{postgres}/diptych_database",
        mongodb_url=f"mongodb://127.0.0.1:{mongodb}/?timeoutMS=300",
    )


async def test_no_host_port_or_driver_error_is_told(nowhere, caplog):
    """Neither by readiness nor by the projections; the log has all of it."""
    end_outages()
    process = build(nowhere)
    assert isinstance(process.projector, Projector)
    projecting = asyncio.create_task(process.projector.run())
    try:
        checks = await process.checks()
        with pytest.raises(StorageUnavailable) as refused:
            await process.projections()
    finally:
        process.projector.stop()
        await projecting
        await process.close()

    told = json.dumps([str(each) for each in (*checks, refused.value.summary)])
    assert [mark for mark in MARKS if mark in told] == []
    assert {each.name: each.detail for each in checks[:2]} == {
        "postgresql": "PostgreSQL is unavailable: it cannot be reached",
        "mongodb": "MongoDB is unavailable: it cannot be reached",
    }
    assert "127.0.0.1" in caplog.text


async def test_what_postgres_says_of_its_users_is_not_told(settings):
    """Nor of its databases: a role that may not log in, say."""
    wrong = settings.database_url.replace("postgres@", "diptych_user@")
    process = build(settings.model_copy(update={"database_url": wrong}))
    try:
        told = [str(each) for each in await process.checks()]
    finally:
        await process.close()
    assert [mark for mark in MARKS if mark in "".join(told)] == []
    assert "DATABASE_URL: PostgreSQL refuses" in told[0]
