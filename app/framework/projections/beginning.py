"""Begins the builds that the code of this process calls for."""

from collections.abc import Mapping, Sequence

from app.framework.projections.build_store import BuildStore
from app.framework.projections.builds import ProjectionRecord, TakeOver
from app.framework.projections.projection import Projection
from app.framework.projections.takeover import needs_build


async def begin_missing(
    store: BuildStore,
    folds: Mapping[str, Mapping[int, Projection]],
    seen: Sequence[ProjectionRecord],
) -> bool:
    """Begin a build of the newest version of each projection that lacks one; whether any was.

    Args:
        store: where builds are begun.
        folds: the versions of each projection that this process has, by name.
        seen: what is stored.

    Raises:
        StorageUnavailable: the store cannot be reached.

    """
    stored = {each.name: each for each in seen}
    any_begun = False
    for name, versions in folds.items():
        projection, known = versions[max(versions)], stored.get(name, ProjectionRecord(name))
        # A paused one has no holder, which is no reason to replace what serves.
        if not known.paused and needs_build(known, projection.version, versions):
            begun = await store.begin(
                projection, take_over=TakeOver.WHEN_CAUGHT_UP, known=len(known.builds)
            )
            any_begun = any_begun or begun is not None
    return any_begun
