"""More than the service can answer, at a size for any machine; `make overload` is the full one."""

import pytest

from tests.acceptance.clusters import cluster
from tests.acceptance.overload import overload, seed


@pytest.mark.usefixtures("shared_servers")
async def test_under_overload_all_are_answered_and_health_checks_pass():
    """Some with what they asked for, the rest with 503; how fast depends on the machine."""
    async with cluster() as processes:
        service = await processes.start("commands,queries,projector")
        await seed(service)
        found = await overload(service, "put", seconds=2, times=5, connections=1000)
    assert found.unanswered == 0, found
    assert found.unhealthy == 0, found
    assert found.other == {}, found
    assert found.refusals, found
    assert found.goodput > found.peak / 10, found
