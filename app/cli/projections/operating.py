"""What the commands of operators share: the mediator they send to, and how a build is shown."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer

from app.bootstrap import build
from app.cli.auditing import OperatorMediator
from app.cli.databases import shared_databases
from app.framework.administration import BuildDetails
from app.framework.mediator import Mediator
from app.framework.observability import logs
from app.framework.projections import ProjectionState
from app.host.process import Process
from app.host.settings import Role, Settings

ResultT = TypeVar("ResultT")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the projection.")]
Number = Annotated[int, typer.Argument(metavar="BUILD", min=1, help="The number of the build.")]

_STYLES = {
    ProjectionState.RUNNING: "green",
    ProjectionState.STOPPED: "red",
}
"""Of the other states: yellow."""


def operate(work: Callable[[Mediator], Awaitable[ResultT]]) -> ResultT:
    """The result of `work`, with a mediator on the databases of the settings.

    This process projects nothing; the service may run or not.

    Raises:
        StorageUnavailable, StorageNotReady: one of the databases cannot be used.

    """
    settings = Settings.load()
    roles = {Role.QUERIES} | ({Role.COMMANDS} if settings.needs_postgres else set())
    settings = settings.model_copy(update={"roles": frozenset(roles)})
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
    with shared_databases(settings) as ready:
        return asyncio.run(_operate(build(ready), work))


async def _operate(process: Process, work: Callable[[Mediator], Awaitable[ResultT]]) -> ResultT:
    try:
        await process.check()
        return await work(OperatorMediator(process.mediator, "projections"))
    finally:
        await process.close()


def document(details: Any) -> Any:
    """The members that the API answers."""
    return dataclasses.asdict(details)


def activity(build: BuildDetails) -> str:
    """What is done on a build, and why no more."""
    return f"{build.activity}: {build.last_error}" if build.last_error else str(build.activity)


def style(build: BuildDetails) -> str:
    """The style of its activity on a terminal."""
    return _STYLES.get(build.activity, "yellow")


def differences(build: BuildDetails) -> str:
    """How the build compared, in words."""
    if build.comparison is None:
        return "not compared"
    compared, differing = build.comparison.compared, build.comparison.differing
    return f"{differing:,} of {compared:,} keys differ"


def rate(build: BuildDetails) -> str:
    """Events a second."""
    return "-" if build.rate is None else f"{build.rate:,.0f}/s"


def time_left(build: BuildDetails) -> str:
    """Until it reaches the head."""
    if not build.lag or build.seconds_left is None:
        return "-"
    return str(timedelta(seconds=round(build.seconds_left)))


def time_of(time: datetime | None) -> str:
    """A time, in UTC."""
    return "-" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
