"""Repairs documents that differ from what the log leads to, while their build may be followed."""

import asyncio
from collections.abc import Mapping

from app.framework.projections.looking import Look, Looked
from app.framework.projections.verified_build import VerifiedBuild, batches

REPAIR_SECONDS = 15.0
"""How long documents are repaired together, until all of them hold."""

POLL_SECONDS = 0.05


async def repair(build: VerifiedBuild, look: Look, unequal: Mapping[str, Looked]) -> set[str]:
    """Replace documents by what the log leads to; the keys of those that hold.

    A follower may have loaded a document before it was replaced, and write what it makes of it
    afterwards. So all are looked at again once every batch that was under way has ended, until none
    differs.
    """
    tried = {key for key, each in unequal.items() if each.refused is None}
    left = {key: unequal[key] for key in tried}
    until = asyncio.get_running_loop().time() + REPAIR_SECONDS
    while tried and asyncio.get_running_loop().time() < until:
        if left:
            await _replace(build, left)
            left = await look.once(tried)
            await asyncio.sleep(POLL_SECONDS if left else 0)
            continue
        if not await _passed(build):
            return set()
        left = await look.once(tried)
        if not left:
            return tried
    return tried - (await look.once(tried)).keys() if await _passed(build) else set()


async def _replace(build: VerifiedBuild, unequal: Mapping[str, Looked]) -> None:
    for some in batches(unequal):
        seen = {key: unequal[key].seen for key in some}
        await build.replace(seen, {key: unequal[key].due for key in some})


async def _passed(build: VerifiedBuild) -> bool:
    """Wait until no batch or replay is under way that was before; False if it takes too long."""
    until = asyncio.get_running_loop().time() + REPAIR_SECONDS
    head = await build.head()
    while asyncio.get_running_loop().time() < until:
        record = await build.record()
        # A batch ends at most at the head, and a build that is free has none under way.
        if record.is_free or (record.position >= head and not record.replay):
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False
