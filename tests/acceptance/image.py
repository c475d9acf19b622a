"""Builds the image where there is no Docker, and tries it out as a container would run it.

    python -m tests.acceptance.image [--base FOLDER] [--requirements LOCK_FILE]

debootstrap makes a bare root of the distribution that the Dockerfile's base is made of; in it the
instructions are carried out. Then `diptych` runs as the first process of a namespace of its own,
under the image's account, with a root that cannot be written.
"""

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

import httpx

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import embedded_servers
from tests.acceptance.dockerfiles import PATH, Build, Image, copy_context
from tests.acceptance.services import ROOT, await_that
from tests.relays import Relay

DISTRIBUTION = "trixie"
PACKAGES = ("ca-certificates", "python3-pip", "python3-venv")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}
SCOPES = "users:admin users:read:any users:list projections:read metrics:read"
STOP_SECONDS = 15
UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")

# The first process of its namespaces, in a root that cannot be written but for /tmp and /dev/shm,
# which every container has.
_CONTAINER = """
set -e
mount --bind "$ROOT" "$ROOT"
mount -o remount,ro,bind "$ROOT"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t tmpfs -o size=64m tmpfs "$ROOT/dev/shm"
mount -t proc proc "$ROOT/proc"
exec chroot --userspec="$ACCOUNT" "$ROOT" /bin/sh -c 'cd "$0" && exec "$@"' "$FOLDER" "$@"
"""


def bare_root(path: Path) -> Path:
    """A root with what the base image has: the distribution, and its Python as `python`."""
    if not (path / "usr/local/bin/python").is_symlink():
        include = f"--include={','.join(PACKAGES)}"
        command = ("debootstrap", "--variant=minbase", include, DISTRIBUTION, path)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (path / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for each in path.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        each.unlink()
    for name in ("etc/resolv.conf", "etc/hosts", str(CERTIFICATES).lstrip("/")):
        if Path("/", name).exists():
            shutil.copyfile(Path("/", name), path / name)
    return path


class Container:
    """A process of the image, in namespaces of its own; the network is this machine's."""

    def __init__(self, image: Image, arguments: Sequence[str], **settings: str) -> None:
        self.settings = {**image.variables, **settings}
        where = {"ROOT": str(image.root), "ACCOUNT": image.user, "FOLDER": image.folder}
        self.process = subprocess.Popen(
            [*UNSHARE, "sh", "-c", _CONTAINER, "container", *arguments],
            env={"PATH": PATH, **where, **self.settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, seconds: float = 60) -> tuple[int, str, str]:
        """Wait until it has ended; its exit status and what it printed."""
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output, errors

    @property
    def pid(self) -> int:
        """The first process of the container."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])


@contextmanager
def serving(image: Image, port: int, **settings: str) -> Iterator[Container]:
    """A container that serves at a port; stopped as Docker stops it, it ends in order."""
    command = (*image.entrypoint, *image.command)
    container = Container(image, command, PORT=str(port), **settings)
    try:
        await_that(lambda: has_ended(container) or is_healthy(image, container), "never healthy")
        assert not has_ended(container), container.end()
        yield container
        began = time.monotonic()
        os.kill(container.pid, signal.Signals[image.stop_signal])
        status, _, errors = container.end(STOP_SECONDS)
        assert status == 0, errors
        say(f"{image.stop_signal}: it stopped in order after {time.monotonic() - began:.1f} s.")
    finally:
        container.process.kill()


def has_ended(container: Container) -> bool:
    """Whether its process is no more."""
    return container.process.poll() is not None


def is_healthy(image: Image, container: Container) -> bool:
    """Whether the image's health check says so."""
    return Container(image, image.health, **container.settings).end()[0] == 0


def check_contents(image: Image, requirements: str) -> None:
    """The packages are those of the lock file and the service: no pip, no tool, no test."""
    script = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    _, output, _ = Container(image, ("python", "-I", "-c", script), **image.variables).end()
    lock = (ROOT / requirements).read_text("utf-8")
    wanted = {canonical(each) for each in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    found = {canonical(each) for each in output.split()}
    assert found - {"diptych"} <= wanted, found - wanted
    assert "diptych" in found
    assert ("opentelemetry-sdk" in found) == ("opentelemetry-sdk" in wanted)
    assert not image.path("/src").exists()
    size = subprocess.run(["du", "-sm", image.path("/opt")], capture_output=True, check=True).stdout
    say(f"It holds {len(found)} packages, in {size.split()[0].decode()} MB under /opt.")


def canonical(name: str) -> str:
    """The form in which names of packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_account(image: Image) -> None:
    """It is not root, and can write nothing but /tmp."""
    _, output, _ = Container(image, ("id", "-u")).end()
    assert output.strip() == "10001"
    status, _, errors = Container(image, ("touch", "/var/lib/diptych/x", "/opt/x")).end()
    assert status == 1, errors
    assert errors.count("Read-only file system") == 2, errors
    say("It runs as account 10001, in a root that cannot be written.")


def check_refusal(image: Image, **urls: str) -> None:
    """Without a word on who may call it does not start: containers are reached from outside."""
    status, _, errors = Container(image, (*image.entrypoint, *image.command), **urls).end()
    assert (status, "AUTH_ISSUERS" in errors) == (2, True), errors
    say(f"Without AUTH it does not start: {errors.strip()}")


def try_out(image: Image, **urls: str) -> None:
    """Migrate, make a key, serve each role, write and read, and stop in order."""
    settings = {"AUTH": "keys", "ALLOWED_HOSTS": "127.0.0.1", "HOST": "127.0.0.1", **urls}
    diptych = image.entrypoint
    assert Container(image, (*diptych, "migrate"), **settings).end()[:2] == (
        0,
        "The schema is up to date.\n",
    )
    create = (*diptych, "keys", "create", "--name", "trial", "--scope", SCOPES)
    key = Container(image, create, **settings).end()[1].strip()
    ports = {"commands": 18471, "queries": 18472, "projector": 18473}
    with ExitStack() as stack:
        for role, port in ports.items():
            workers = "2" if role == "commands" else "1"
            stack.enter_context(serving(image, port, ROLES=role, WORKERS=workers, **settings))
        client = stack.enter_context(
            httpx.Client(headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=10)
        )
        written = client.post(f"http://127.0.0.1:{ports['commands']}/users", json=ALICE)
        assert written.status_code == 201, written.text
        token = {"Consistency-Token": written.headers["Consistency-Token"]}
        read = client.get(f"http://127.0.0.1:{ports['queries']}/users/alice", headers=token)
        assert read.json() == written.json(), read.text
        metrics = client.get(f"http://127.0.0.1:{ports['commands']}/metrics")
        assert 'process="worker-2"' in metrics.text, metrics.text
        say("A key was created; a user was written at one role and read at another.")


async def with_databases(image: Image, home: Path) -> None:
    """Try it out on servers of this machine, which it reaches by TCP as a container does."""
    with embedded_servers(home / "servers", initiate) as servers:
        assert servers.postgres
        assert servers.mongodb
        relays = Relay(servers.postgres), Relay(servers.mongodb)
        async with AsyncExitStack() as stack:
            for each in relays:
                await stack.enter_async_context(each.listening())
            postgres, mongodb = (each.address for each in relays)
            urls = {
                "DATABASE_URL": f"postgresql://postgres@{postgres}/diptych",
                "MONGODB_URL": f"mongodb://{mongodb}/?directConnection=true",
            }
            await asyncio.to_thread(check_refusal, image, **urls)
            await asyncio.to_thread(try_out, image, **urls)


def build(home: Path, base: Path, requirements: str) -> Image:
    """Carry the Dockerfile out."""
    context = home / "context"
    copy_context(ROOT, context)
    outside = {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name in {"PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT"}
    }
    outside["PIP_CERT"] = str(CERTIFICATES)
    began = time.monotonic()
    arguments = {"REQUIREMENTS": requirements}
    image, done = Build(context, base, home, outside, arguments).run()
    counts = {each: done.count(each) for each in dict.fromkeys(done)}
    said = ", ".join(f"{name} {count}" for name, count in counts.items())
    say(f"Carried out in {time.monotonic() - began:.0f} s: {said}.")
    return image


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Build, check, try out; an error ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="keep the bare root here, or take it from here")
    parser.add_argument("--requirements", default="requirements.lock", metavar="LOCK_FILE")
    options = parser.parse_args()
    base, requirements = options.base, options.requirements
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("This needs debootstrap, and root to make and enter a root.")
    with tempfile.TemporaryDirectory(prefix="diptych-image-") as name:
        home = Path(name)
        home.chmod(0o755)
        image = build(home, bare_root(base or home / "base"), requirements)
        check_contents(image, requirements)
        check_account(image)
        asyncio.run(with_databases(image, home))


if __name__ == "__main__":
    main()
