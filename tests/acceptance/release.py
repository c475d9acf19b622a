"""Builds what is released into `dist`, and tries it out as its users will.

    python -m tests.acceptance.release

The wheel is made from the sdist, so that both are complete. It is installed into an environment
that holds what `requirements.lock` lists and nothing else, and used there on servers that this
checkout starts.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from app import __version__
from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import embedded_servers
from tests.acceptance.services import ROOT, Service, await_that, environment

DIST = ROOT / "dist"
NAME = f"diptych-{__version__}"
WHEEL = f"{NAME}-py3-none-any.whl"
OF_THE_FORMAT = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}


def call(*command: object, cwd: Path, **settings: str) -> str:
    """Run a program to its end, without this checkout on its path; what it printed."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=environment(PYTHONPATH="", **settings),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def build(target: str, into: Path) -> Path:
    """Build the `wheel` or the `sdist` from this checkout."""
    call(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", into, cwd=ROOT)
    return into / (f"{NAME}.tar.gz" if target == "sdist" else WHEEL)


def files_of(wheel: Path) -> set[str]:
    """What a wheel holds."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_wanted() -> set[str]:
    """What it has to hold: all of `app`, the migrations within it, and what the format asks for."""
    of_app = {each.relative_to(ROOT) for each in (ROOT / "app").rglob("*")}
    of_alembic = {each.relative_to(ROOT) for each in (ROOT / "alembic").rglob("*")}
    code = of_app | {Path("app") / each for each in of_alembic}
    return {
        *(str(each) for each in code if each.suffix not in {"", ".pyc"}),
        "app/alembic.ini",
        *(f"{NAME}.dist-info/{each}" for each in OF_THE_FORMAT),
    }


def try_out(programs: Path, folder: Path, **settings: str) -> None:
    """Use the `diptych` in `programs`, in an empty folder and on databases that hold nothing."""
    diptych = programs / "diptych"
    assert call(diptych, "--help", cwd=folder).startswith("Usage: diptych ")
    assert call(diptych, "migrate", cwd=folder, **settings) == "The schema is up to date.\n"
    assert call(diptych, "openapi", cwd=folder) == (ROOT / "openapi.json").read_text("utf-8")
    service = Service(folder / "data", (str(diptych), "serve"), folder, PYTHONPATH="", **settings)
    try:
        with service.await_serving().client as client:
            assert client.post("/users", json=ALICE).status_code == 201
            await_that(lambda: client.get("/users/alice").is_success, "the user was never read")
        assert service.stop() == 0
    finally:
        service.clean_up()


def build_all() -> Path:
    """Build the sdist, and from it the wheel, into an empty `dist`; the wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    sdist = build("sdist", DIST)
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", DIST, sdist, cwd=ROOT)
    return DIST / WHEEL


def pip(python: object, *arguments: object, cwd: Path) -> None:
    """Have pip work on the environment of an interpreter."""
    call(python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, cwd=cwd)


def install(wheel: Path, home: Path) -> Path:
    """Make an environment of `requirements.lock` and the wheel alone; where its programs are."""
    venv.create(home / "venv", with_pip=True)
    python = home / "venv/bin/python"
    locked = ("--require-hashes", "-r", ROOT / "requirements.lock")
    pip(python, "install", "--no-deps", *locked, cwd=home)
    pip(python, "install", "--no-deps", "--no-index", wheel, cwd=home)
    pip(python, "check", cwd=home)
    return python.parent


def main() -> None:
    """Build, check, try out; an error ends it."""
    wheel = build_all()
    assert files_of(wheel) == files_wanted(), files_of(wheel) ^ files_wanted()
    say(f"dist holds {NAME}.tar.gz and {wheel.name}; they are complete.")

    with tempfile.TemporaryDirectory(prefix="diptych-release-") as name:
        home = Path(name)
        home.chmod(0o755)  # the accounts of the servers pass through it
        programs = install(wheel, home)
        say("The wheel installs beside what requirements.lock lists, and nothing is missing.")
        empty = home / "empty"
        empty.mkdir()
        with embedded_servers(home / "servers", initiate) as urls:
            assert urls.postgres
            assert urls.mongodb
            try_out(programs, empty, DATABASE_URL=urls.postgres, MONGODB_URL=urls.mongodb)
        say("There diptych migrates, writes the OpenAPI document and serves.")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
