"""`serve`: the service, with embedded databases where none are configured."""

import asyncio
import contextlib
import gc
import logging
import os
import shlex
import socket
import sys
from functools import partial
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from app.adapters.postgres import migrate
from app.cli.databases import owned_databases
from app.framework.observability import logs
from app.host.server.bounded import BoundedProtocol
from app.host.server.descriptors import raise_limit
from app.host.server.listening import bind
from app.host.server.server import Server
from app.host.server.stopping import StopRequest
from app.host.settings import Settings
from app.main import create_app

DRAIN_SECONDS = 10
"""How long requests under way may take to finish when the service stops."""

_CLOSE_SECONDS = 10.0

_COLLECTED_EVERY = (50_000, 10, 10)
"""For `gc.set_threshold`. With Python's defaults a busy process spends a third of its time in
collections (docs/performance.md)."""

_THREADS_WAIT_SECONDS = 0.0005
"""For `sys.setswitchinterval`. Python's default, 5 ms, is long for an answer of MongoDB, which a
thread of the driver receives (docs/performance.md)."""

_logger = logging.getLogger(__name__)


def run(
    *,
    migrate_first: Annotated[
        bool, typer.Option("--migrate", help="Bring the schema up to date first.")
    ] = False,
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Overrides HOST.")
    ] = None,
    port: Annotated[
        str | None, typer.Option("--port", metavar="PORT", help="Overrides PORT.")
    ] = None,
) -> int:
    """Serve the API, and project if ROLES says so, until a signal asks for a stop.

    Where neither DATABASE_URL nor MONGODB_URL is set, embedded servers run under DATA_DIR.
    """
    options = {"host": host, "port": port}
    given = {name: value for name, value in options.items() if value is not None}
    settings = Settings.load(**given)
    logs.configure(settings.log_level, settings.log_format, settings.audit_log)
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
        if not stop.requested:
            _serve(create_app(ready), bound, stop, settings)
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


def _serve(app: FastAPI, bound: socket.socket, stop: StopRequest, settings: Settings) -> None:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="off",  # _run drives it, and so gets its errors
        log_config=None,
        access_log=False,
        server_header=False,
        root_path=settings.root_path,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    hint = partial(call_with_token, settings) if settings.has_own_issuer else None
    server = Server(config, app, settings.stop_delay, hint)
    stop.hand_to(server)
    _spare_the_collector()
    sys.setswitchinterval(_THREADS_WAIT_SECONDS)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_run(app, server, bound, settings))


def _spare_the_collector() -> None:
    """Let Python collect garbage of requests only, and less often.

    Everything that exists by now lives as long as the process. Later objects are hardly ever in
    cycles, and others are freed at once in any case.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_EVERY)


async def _run(
    app: FastAPI, server: uvicorn.Server, bound: socket.socket, settings: Settings
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        # Not sooner: a start that fails says why, and nothing else.
        warn_of_any_host(settings)
        warn_of_any_client(settings)
        await server.serve(sockets=[bound])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await stack.aclose()
