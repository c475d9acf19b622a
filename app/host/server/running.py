"""Runs the server of a process, from the start of its application to its end."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection

import uvicorn
from fastapi import FastAPI

from app.host.server.bounded import BoundedProtocol
from app.host.server.server import Server
from app.host.server.sharing import Share
from app.host.server.stopping import StopRequest
from app.host.settings import Settings
from app.host.tuning import CLOSE_SECONDS, DRAIN_SECONDS, tune


def serve(
    app: FastAPI,
    bound: socket.socket,
    stop: StopRequest,
    settings: Settings,
    *,
    on_start: Callable[[], None],
    share: Share | None = None,
    lifeline: Connection | None = None,
) -> None:
    """Serve `app` until a stop is requested.

    Args:
        app: the application.
        bound: the socket to listen on.
        stop: the signals that stop it.
        settings: those of the server.
        on_start: called when connections are accepted.
        share: which of the connections are for this process; all, if it is None.
        lifeline: becomes readable when the supervisor has ended: then the server stops.

    """
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
    server = Server(config, app, settings.stop_delay, on_start, share)
    stop.hand_to(server)
    tune()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_run(app, server, bound, lifeline))


async def _run(
    app: FastAPI, server: Server, bound: socket.socket, lifeline: Connection | None
) -> None:
    if lifeline is not None:
        _watch(lifeline, server)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        await server.serve(sockets=[bound])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await stack.aclose()


def _watch(lifeline: Connection, server: Server) -> None:
    loop = asyncio.get_running_loop()

    def abandon() -> None:
        loop.remove_reader(lifeline)
        server.abandon()

    loop.add_reader(lifeline, abandon)
