"""Compares two builds that are both followed, while they change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Protocol

from app.framework.projections.build_store import BuildStore
from app.framework.projections.builds import (
    BuildState,
    Comparison,
    Lease,
    LeaseLost,
)
from app.framework.projections.ports import ProjectionStore
from app.framework.projections.projection import Versioned
from app.framework.storage import StorageUnavailable

BATCH = 1000
KEYS_NAMED = 100
POLL_SECONDS = 0.1
LOOKS = 50
"""How often documents that differ are looked at again, until both builds have the same events."""

_GONE = Versioned(None, 0)

_logger = logging.getLogger(__name__)


class ComparedStore(ProjectionStore, BuildStore, Protocol):
    """Documents and checkpoints in one place."""


async def compare(store: ComparedStore, one: str, other: str) -> Comparison:
    """Compare the documents of the builds `one` and `other` of a projection, in the order of keys.

    Both may be followed meanwhile: a document that differs is looked at again until either build
    has applied what the other has. A deleted document equals one that is absent. In memory are
    1,000 documents of either at a time.

    Raises:
        StorageUnavailable: the store cannot be reached.

    """
    compared = differing = 0
    named: list[str] = []
    async for left, right in _side_by_side(store, one, other):
        keys = sorted(left.keys() | right.keys())
        compared += len(keys)
        unequal = [key for key in keys if not _are_equal(left.get(key), right.get(key))]
        if unequal:
            unequal = await _still_unequal(store, one, other, unequal)
            differing += len(unequal)
            named += unequal[: KEYS_NAMED - len(named)]
    return Comparison(compared, differing, named)


async def compare_noting(store: ComparedStore, serving: str, lease: Lease) -> None:
    """Compare the build of `lease` with the one that serves, and note what was found.

    If another one serves by then, nothing is noted: what serves is to be compared.

    Raises nothing: a comparison that fails is repeated while its build is noted as comparing.
    """
    try:
        await store.note(lease, state=BuildState.COMPARING)
        found = await compare(store, serving, lease.build)
        if any(each.serving == serving for each in await store.projections()):
            await store.note(lease, state=BuildState.READY, comparison=found)
    except (StorageUnavailable, LeaseLost) as error:
        _logger.info("The comparison of %s will be repeated: %s", lease.build, error)
    except Exception:
        _logger.exception("The comparison of %s failed; it will be repeated.", lease.build)


_Documents = Mapping[str, Versioned]


async def _side_by_side(
    store: ProjectionStore, one: str, other: str
) -> AsyncIterator[tuple[_Documents, _Documents]]:
    """The documents of both builds, each time those of one range of keys."""
    after = ""
    while True:
        left, right = await asyncio.gather(
            store.scan(one, after=after, limit=BATCH), store.scan(other, after=after, limit=BATCH)
        )
        # The range ends where the shorter of two full batches does.
        ends = [max(each) for each in (left, right) if len(each) == BATCH]
        if not ends:
            yield left, right
            return
        after = min(ends)
        yield _up_to(left, after), _up_to(right, after)


def _up_to(documents: _Documents, end: str) -> _Documents:
    return {key: each for key, each in documents.items() if key <= end}


def _are_equal(one: Versioned | None, other: Versioned | None) -> bool:
    left, right = one or _GONE, other or _GONE
    if left.document is None or right.document is None:
        return left.document is right.document
    return left == right


async def _still_unequal(
    store: ComparedStore, one: str, other: str, keys: Collection[str]
) -> list[str]:
    """Those of `keys` whose documents differ though both builds have applied the same events."""
    settled: list[str] = []
    waiting = list(keys)
    for _ in range(LOOKS):
        # The positions first: what is read afterwards has at least these events.
        reached = await _positions(store, one, other)
        left, right = await asyncio.gather(store.load(one, waiting), store.load(other, waiting))
        later: list[str] = []
        for key in waiting:
            mine, its = left.get(key), right.get(key)
            if _are_equal(mine, its):
                continue
            at = max((mine or _GONE).position, (its or _GONE).position)
            same = (mine or _GONE).position == (its or _GONE).position
            (settled if same or at <= reached else later).append(key)
        waiting = later
        if not waiting:
            break
        await asyncio.sleep(POLL_SECONDS)
    return sorted([*settled, *waiting])


async def _positions(store: BuildStore, one: str, other: str) -> int:
    """The position that both builds have reached."""
    found = {
        each.id: each.position
        for projection in await store.projections()
        for each in projection.builds
    }
    return min(found.get(one, 0), found.get(other, 0))
