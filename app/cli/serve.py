"""`serve`: the service, with embedded databases where none are configured."""

import contextlib
import functools
import logging
import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated

import typer
from fastapi import FastAPI

from app import NAME
from app.adapters.mongo import load_driver
from app.adapters.postgres import migrate
from app.bootstrap import build_projector
from app.cli import status_of
from app.cli.databases import owned_databases
from app.framework.eventsourcing.signal import LogSignal
from app.framework.observability import logs
from app.framework.observability.metrics.slots import Slot, Slots, use
from app.host.server.descriptors import raise_limit
from app.host.server.listening import base_url, bind
from app.host.server.running import serve
from app.host.server.sharing import Share, shares
from app.host.server.stopping import StopRequest
from app.host.settings import Role, Settings
from app.host.telemetry import traced
from app.host.tuning import CLOSE_SECONDS, DRAIN_SECONDS
from app.host.workers.child import Link
from app.host.workers.growth import GrowthLine
from app.host.workers.projecting import project
from app.host.workers.supervised import Job
from app.host.workers.supervisor import Supervisor
from app.main import create_app

_logger = logging.getLogger(__name__)


def run(
    *,
    migrate_first: Annotated[
        bool, typer.Option("--migrate", help="Bring the schema up to date first.")
    ] = False,
    separate_projector: Annotated[
        bool,
        typer.Option(
            "--separate-projector",
            help="Give the projector a process of its own, also beside one worker.",
        ),
    ] = False,
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Overrides HOST.")
    ] = None,
    port: Annotated[
        str | None, typer.Option("--port", metavar="PORT", help="Overrides PORT.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option("--workers", metavar="NUMBER", help="Overrides WORKERS.")
    ] = None,
) -> int:
    """Serve the API, and project if ROLES says so, until a signal asks for a stop.

    Where neither DATABASE_URL nor MONGODB_URL is set, embedded servers run under DATA_DIR.
    """
    options = {"host": host, "port": port, "workers": workers}
    given = {name: value for name, value in options.items() if value is not None}
    settings = Settings.load(**given)
    _prepare(settings)
    raise_limit()
    with (
        StopRequest() as stop,
        contextlib.closing(bind(settings.host, settings.port)) as bound,
        owned_databases(settings) as ready,
    ):
        # An embedded one was migrated when it was started.
        if migrate_first and settings.database_url and settings.needs_postgres:
            with stop.interruptible():
                if not stop.requested:
                    migrate(settings.database_url)
        announce = partial(_announce, settings, bound)
        if stop.requested:
            pass
        elif _has_workers(ready, separate_projector=separate_projector):
            with contextlib.closing(GrowthLine()) as line:
                # For forks, and to refuse what cannot be used before them.
                _application(ready, line)
                load_driver(ready.mongodb_driver)
                _supervise(_jobs(ready, bound, line), bound, stop, settings, announce)
        else:
            app = create_app(ready)
            with traced("main"):
                serve(app, bound, stop, settings, on_start=announce)
        _logger.info("Stopping.")
    return 0


def warn_of_any_host(settings: Settings) -> None:
    """Warn that requests for any host are answered, unless ALLOWED_HOSTS is set."""
    if settings.hosts is None and not settings.allowed_hosts:
        _logger.warning(
            "ALLOWED_HOSTS is not set, and HOST (%s) is not loopback: the service answers "
            "requests for any host. List its hosts, or set * for any.",
            settings.host,
        )


def warn_of_any_client(settings: Settings) -> None:
    """Warn that requests need no token where AUTH says so."""
    if settings.auth in {"none", "none-anywhere"}:
        reach = "every program on this machine" if settings.is_local else "every client"
        _logger.warning(
            "AUTH is %s: requests need no token, and %s can read and change everything.",
            settings.auth,
            reach,
        )


def call_with_token(settings: Settings, url: str) -> str:
    """A command that calls the service at `url` with a token of development, for any shell."""
    makes = (
        "make -s token"
        if "MAKELEVEL" in os.environ
        else f"{shlex.quote(sys.executable)} -m app token"
    )
    if settings.data_dir != Settings.model_fields["data_dir"].default:
        makes = f"DATA_DIR={shlex.quote(str(settings.data_dir.absolute()))} {makes}"
    return f'curl -H "Authorization: Bearer $({makes})" {url}/projections'


def _prepare(settings: Settings) -> None:
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)


def _announce(settings: Settings, bound: socket.socket) -> None:
    """Say where the service is; a start that fails says why, and nothing else."""
    warn_of_any_host(settings)
    warn_of_any_client(settings)
    url = base_url(bound)
    sys.stdout.write(f"{NAME} serves at {url}, Swagger UI is at {url}/docs\n")
    if settings.has_own_issuer:
        sys.stdout.write(f"{call_with_token(settings, url)}\n")
    sys.stdout.flush()


def _has_workers(settings: Settings, *, separate_projector: bool) -> bool:
    """Whether there are processes for it; else this one does all."""
    if settings.roles == {Role.PROJECTOR}:
        return False
    return settings.workers > 1 or (separate_projector and Role.PROJECTOR in settings.roles)


def _jobs(settings: Settings, bound: socket.socket, line: GrowthLine) -> list[Job]:
    """What there is to do in processes of their own."""
    projects = Role.PROJECTOR in settings.roles
    names = [f"worker-{number}" for number in range(1, settings.workers + 1)]
    slots = Slots([*names, *(["projector"] if projects else [])])
    jobs = [
        Job(
            f"Worker {number}",
            partial(_work, settings, bound, each, slots.of(name), line),
            accepts=True,
            on_end=each.leave,
        )
        for number, (name, each) in enumerate(zip(names, shares(settings.workers), strict=True), 1)
    ]
    if projects:
        work = partial(_project, settings, slots.of("projector"), line)
        jobs.append(Job("The projector", work, accepts=False))
    return jobs


def _supervise(
    jobs: list[Job],
    bound: socket.socket,
    stop: StopRequest,
    settings: Settings,
    announce: Callable[[], None],
) -> None:
    stop_seconds = settings.stop_delay + DRAIN_SECONDS + 2 * CLOSE_SECONDS
    supervisor = Supervisor(jobs, bound, announce, stop_seconds=stop_seconds)
    stop.hand_to(supervisor)
    supervisor.run()


@functools.cache
def _application(settings: Settings, line: GrowthLine) -> FastAPI:
    """The application of a worker, connected to nothing: a fork finds the one of its supervisor."""
    report = line.send if Role.PROJECTOR in settings.roles else None
    return create_app(settings, projects=False, signal=LogSignal(report))


def _work(
    settings: Settings,
    bound: socket.socket,
    share: Share,
    slot: Slot,
    line: GrowthLine,
    link: Link,
    stop: StopRequest,
) -> None:
    """Answer requests, in a process of its own."""
    _prepare(settings)
    use(slot)
    with _reporting(link), traced(slot.process):
        app, lifeline = _application(settings, line), link.lifeline
        serve(app, bound, stop, settings, on_start=link.serves, share=share, lifeline=lifeline)


def _project(
    settings: Settings, slot: Slot, line: GrowthLine, link: Link, stop: StopRequest
) -> None:
    """Project, in a process of its own."""
    _prepare(settings)
    use(slot)
    with _reporting(link), traced(slot.process):
        signal = LogSignal()
        project(build_projector(settings, signal=signal), signal, line, link, stop)


@contextlib.contextmanager
def _reporting(link: Link) -> Iterator[None]:
    """Leave it to the supervisor to say what went wrong: several processes may say the same."""
    try:
        yield
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        link.fails(str(error))
        raise SystemExit(status) from error
