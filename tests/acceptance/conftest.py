import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance import clusters
from tests.acceptance.services import Service


@pytest.fixture(scope="session", autouse=True)
def hang_ups() -> None:
    """Services hear hang-ups as from a shell, though the tests may run under nohup.

    What is ignored is inherited; what is handled is not.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every account can reach, which pytest's own is not."""
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def used_data() -> Iterator[Path]:
    """A data directory that a service has used before."""
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    service = Service(path / "data")
    try:
        assert service.await_serving().stop() == 0
        yield path / "data"
    finally:
        service.clean_up()
        shutil.rmtree(path)


@pytest.fixture
def start(folder: Path, request) -> Iterator[Callable[..., Service]]:
    """Starts a service; all of them have ended when the test has.

    Its data directory was used before, which saves the time of a first start, unless that
    is what it is told to be: `start(first=True)`.
    """
    services: list[Service] = []

    def start_one(*arguments, first=False, **settings) -> Service:
        if not first and not (folder / "data").exists():
            # With owners and all: PostgreSQL may run under an account of its own.
            used = request.getfixturevalue("used_data")
            subprocess.run(["cp", "-a", used, folder / "data"], check=True)
        services.append(Service(folder / "data", *arguments, **settings))
        return services[-1]

    yield start_one
    for each in services:
        each.clean_up()


@pytest.fixture
def urls(postgres_url, mongodb_url, mongodb_database) -> dict[str, str]:
    """Settings for a service on the servers of the tests, with databases of the test's own."""
    return {
        "DATABASE_URL": postgres_url,
        "MONGODB_URL": mongodb_url,
        "MONGODB_DATABASE": mongodb_database,
    }


@pytest.fixture
def serve(urls, start) -> Callable[..., Service]:
    """Starts a service on the servers of the tests, and waits until it serves.

    For tests of what is served: to start and stop servers for each takes seconds.
    """
    return lambda **settings: start(first=True, **urls, **settings).await_serving()


@pytest.fixture
def shared_servers(urls, monkeypatch) -> None:
    """Has `cluster` use the servers of the tests."""
    monkeypatch.setattr(clusters, "given", urls)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that is bound, but that nothing listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
