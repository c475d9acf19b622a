"""Looks projections and builds up for the handlers."""

import asyncio
from collections.abc import Sequence

from app.framework.administration.errors import BuildNotFound, ProjectionNotFound
from app.framework.eventsourcing import EventLog
from app.framework.projections import BuildRecord, BuildStore, ProjectionRecord
from app.framework.storage import StorageUnavailable


class StoredProjections:
    """The projections of a store.

    Each has the head of the log as it is now, or as its holder last saw it if there is no `log` or
    it does not answer.
    """

    def __init__(self, store: BuildStore, log: EventLog | None) -> None:
        self._store = store
        self._log = log

    async def all(self) -> Sequence[ProjectionRecord]:
        """Every projection, by name."""
        records, head = await asyncio.gather(self._store.projections(), self._head())
        return records if head is None else [each.with_head(head) for each in records]

    async def named(self, name: str) -> ProjectionRecord:
        """The projection of this name.

        Raises:
            ProjectionNotFound: there is none.

        """
        return named(await self.all(), name)

    async def _head(self) -> int | None:
        if self._log is None:
            return None
        try:
            return await self._log.head()
        except StorageUnavailable:
            return None


def named(projections: Sequence[ProjectionRecord], name: str) -> ProjectionRecord:
    """The one of `projections` with this name.

    Raises:
        ProjectionNotFound: there is none.

    """
    for each in projections:
        if each.name == name:
            return each
    raise ProjectionNotFound(name)


def numbered(projection: ProjectionRecord, number: int) -> BuildRecord:
    """The build of `projection` with this number.

    Raises:
        BuildNotFound: there is none.

    """
    build = projection.numbered(number)
    if build is None:
        raise BuildNotFound(projection.name, number)
    return build
