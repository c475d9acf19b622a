"""The port to what is stored of builds: which there are, which serve, who works on each."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from app.framework.projections.builds import Build, Lease, ProjectionRecord, TakeOver
from app.framework.projections.parking import Parked
from app.framework.projections.ports import ProjectionStatus, ProjectionStore
from app.framework.projections.projection import Projection


class BuildStore(Protocol):
    """Stores which builds there are, which of them serves, and who works on each.

    Every method raises StorageUnavailable when the storage cannot be reached. Each change is one
    write of one document: a crash leaves it done or not done.
    """

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection that was ever begun, by name."""
        ...

    async def begin(
        self, projection: Projection, *, take_over: TakeOver, known: int, key: str | None = None
    ) -> str | None:
        """Begin a build of `projection`, if there are `known` builds of it; return its id.

        None if another process began one meanwhile. The first build of all serves at once. A repeat
        with the same `key` returns the same id.
        """
        ...

    async def acquire(self, build: Build, holder: str) -> Lease | None:
        """The lease of a build that no process works on, or that `holder` has; None otherwise."""
        ...

    async def renew(self, leases: Collection[Lease]) -> Collection[Lease]:
        """Extend `leases`; return those that are lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease up, so that another process may have the build at once."""
        ...

    async def save(
        self,
        lease: Lease,
        status: ProjectionStatus,
        *,
        after: int = 0,
        rate: float | None = None,
        mark: str | None = None,
        parked: Sequence[Parked] | None = None,
        replayed: Collection[str] = (),
        changed: Collection[str] = (),
    ) -> None:
        """Save the checkpoint, `status.position`, with the rest of `status`, and extend the lease.

        `mark` identifies the event at that position. With `parked` the parked documents are those
        from now on, in the same write; `replayed` are requests to replay that are done, and
        `changed` the keys of the documents that the events up to the position changed.

        Save only positions up to which `write` has returned. The stored position never goes back.
        The store sets `seen_at` to the time of its own clock.

        Raises:
            LeaseLost: another process has the lease, or the stored position is before `after`, the
                one saved last: the read model was restored to an earlier state.

        """
        ...

    async def ask_to_replay(self, build: str, keys: Collection[str]) -> None:
        """Have the holder of a build replay parked documents; EVERYTHING means all of them."""
        ...

    async def note(self, lease: Lease, **changes: Any) -> None:
        """Set `state`, `comparison`, `has_caught_up`, `condemned` or `documents` of a build.

        Raises:
            LeaseLost: another process has the lease.

        """
        ...

    async def switch(
        self,
        name: str,
        *,
        serving: str | None,
        to: str,
        switches: int | None = None,
        yields: bool = False,
    ) -> bool:
        """Let the build `to` serve if `serving` does now; return whether it serves.

        The one before is kept. With `yields` it takes over again when a process follows it. With
        `switches` it must also have been decided so many times before which build serves: a
        process that decides from what it saw overrules no operator.
        """
        ...

    async def pause(self, name: str, *, paused: bool) -> bool:
        """Pause a projection, or resume it; False if there is none of this name."""
        ...

    async def retire(self, name: str, build: str) -> bool:
        """Give up a build for good, unless it serves; return whether it is given up."""
        ...

    async def drop(self, name: str, build: str) -> None:
        """Delete the documents of a retired build of the projection `name`, and record that."""
        ...


class FollowedStore(ProjectionStore, BuildStore, Protocol):
    """Documents and checkpoints in one place."""
