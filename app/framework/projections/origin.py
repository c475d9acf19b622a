"""Checks that the read model was built from the connected log."""

from app.framework.eventsourcing import LogSource
from app.framework.projections.build_store import FollowedStore
from app.framework.projections.ports import ProjectionStore
from app.framework.storage import StorageNotReady


class OtherLog(StorageNotReady):
    """The read model was built from another log."""


async def check_origin(log: LogSource, store: ProjectionStore) -> None:
    """Return if `store` has the identity of `log`, or none yet.

    Raises:
        OtherLog: it has another.
        StorageUnavailable: either cannot be reached.

    """
    kept = await store.log_identity()
    if kept is not None:
        _compare(kept, await log.identity())


async def adopt(log: LogSource, store: FollowedStore) -> None:
    """Store the identity of `log` in `store` if it has none yet.

    Read models of older versions have no identity. One that is past the head of `log` was built
    from another log.

    Raises:
        OtherLog: the read model was built from another log.
        StorageUnavailable: either cannot be reached.

    """
    identity = await log.identity()
    if await store.log_identity() is None:
        positions = [build.position for each in await store.projections() for build in each.builds]
        position, head = max(positions, default=0), await log.head()
        if position > head:
            raise _refusal(f"is at position {position}", f"{identity}, which ends at {head}")
    _compare(await store.adopt(identity), identity)


def _compare(kept: str, identity: str) -> None:
    if kept != identity:
        raise _refusal(f"was built from log {kept}", identity)


def _refusal(read_model: str, log: str) -> OtherLog:
    return OtherLog(
        f"MONGODB_URL, MONGODB_DATABASE: the read model {read_model}, but DATABASE_URL points to "
        f"log {log}. Connect databases that belong together, or drop the read model: the "
        "projector then rebuilds it."
    )
