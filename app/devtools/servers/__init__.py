"""Embedded servers for development and tests, where no URL of a real one is configured.

They keep their files in a data directory that one process at a time owns. They run in sessions
of their own, so that a Ctrl-C reaches the service and not them, and servers that a killed
service left behind are adopted, not started twice.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.devtools.servers.data_dir import owned
from app.devtools.servers.errors import CannotStart, DataDirInUse
from app.devtools.servers.mongod import InitiateReplicaSet, Mongod
from app.devtools.servers.postgres import Postgres

__all__ = [
    "CannotStart",
    "DataDirInUse",
    "InitiateReplicaSet",
    "Urls",
    "embedded_servers",
    "running_servers",
]


@dataclass(frozen=True, slots=True)
class Urls:
    """The URLs of the servers; None for a server that is not needed."""

    postgres: str | None
    mongodb: str | None


@contextlib.contextmanager
def embedded_servers(
    data_dir: Path, initiate: InitiateReplicaSet, *, postgres: bool = True, mongodb: bool = True
) -> Iterator[Urls]:
    """Own `data_dir` and run the requested servers during a `with` block.

    They accept connections and writes within the block, and are stopped after it.

    Raises:
        DataDirInUse: another process owns the directory.
        CannotStart: the directory cannot be written, or a server does not come up.

    """
    with owned(data_dir) as path, contextlib.ExitStack() as stack:
        urls: list[str | None] = [None, None]
        if postgres:
            cluster = Postgres(path / "postgres")
            stack.callback(cluster.stop)
            urls[0] = cluster.start()
        if mongodb:
            server = Mongod(path / "mongodb", initiate)
            stack.callback(server.stop)
            urls[1] = server.start()
        yield Urls(*urls)


def running_servers(data_dir: Path, *, postgres: bool = True, mongodb: bool = True) -> Urls:
    """The servers that another process runs in `data_dir`.

    Raises:
        CannotStart: a requested server does not accept connections.

    """
    path = data_dir.resolve()
    urls = Urls(
        Postgres(path / "postgres").url if postgres else None,
        Mongod(path / "mongodb", _never).url if mongodb else None,
    )
    if (postgres and not urls.postgres) or (mongodb and not urls.mongodb):
        raise CannotStart(
            f"DATA_DIR: another process owns {path}, but its servers do not answer (yet); try again"
        )
    return urls


def _never(address: str, name: str) -> None:
    raise AssertionError(f"{name} at {address} is its owner's to initiate")
