"""A mongod to be ill-treated, and read models on it."""

import contextlib
import gc
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from uuid import uuid4

from app.adapters.mongo import MongoReadModel
from app.adapters.mongo.client import Driver
from app.adapters.mongo.replica_set import initiate
from app.devtools.servers.mongod import Mongod
from app.framework.projections import PageRequest, ProjectionState, ProjectionStatus, Versioned
from tests.notes import BEGIN

NOTE = Versioned({"shelf": "a", "texts": ["x"], "written_at": BEGIN}, 1)
PAGE = PageRequest({"shelf": "a"}, "written_at", 10)
STATUS = ProjectionStatus("notes", 1, 1, 1, ProjectionState.RUNNING, seen_at=BEGIN)


class Server:
    """A mongod to be ill-treated."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._mongod = Mongod(home, initiate)
        self.url = ""

    def start(self) -> None:
        """Start it, at the same address as before."""
        self._mongod = Mongod(self._home, initiate)
        self.url = self._mongod.start()

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self._mongod.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        os.kill(int((self._home / "data" / "mongod.lock").read_text()), number)


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """One that runs when the block is entered."""
    home = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    server = Server(home)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.asynccontextmanager
async def opened(
    url: str, driver: Driver, database: str | None = None
) -> AsyncIterator[MongoReadModel]:
    """A read model in a database of its own, unless it is given one."""
    read_model = MongoReadModel(url, database or f"test_{uuid4().hex}", driver)
    try:
        yield read_model
    finally:
        await read_model.close()
        # PyMongo leaves it to the garbage collector to close the socket on which it was just
        # connecting to watch the server (PYTHON-5867 in its tracker).
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()


async def timed(call: Awaitable[object]) -> tuple[object, float]:
    """What a call raised or returned, and after how many seconds."""
    began = time.monotonic()
    try:
        outcome = await call
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        outcome = error
    return outcome, time.monotonic() - began
