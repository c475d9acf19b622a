"""Projector processes share their work, and take over from one that dies; see `projectors.py`."""

import asyncio

import pytest

from tests.acceptance.clusters import client_of
from tests.acceptance.projectors import trial


@pytest.mark.usefixtures("shared_servers")
async def test_processes_take_over_from_one_another():
    """Frozen, killed, stopped: others go on, nothing moves otherwise, and nothing is lost."""
    async with trial(1) as found:
        [first] = found.holders
        await found.add(2)
        assert found.holders == [first]
        async with client_of(found.living[-1]) as client:
            checks = (await client.get("/health/ready")).json()["checks"]
        assert checks[-1] == {
            "name": "projector",
            "ok": True,
            "detail": "It stands by.",
            "roles": ["projector"],
        }
        await found.freeze(first)
        await asyncio.gather(found.wake(first, 5), found.kill(found.holders[0]))
        await found.stop(found.holders[0])
        assert await found.differences() == []
    assert found.worst.keys() == {"freeze", "kill", "stop"}
