"""Starting, stopping and starting again, with embedded servers."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from app.bootstrap import all_projections
from tests.acceptance.fronts import needs
from tests.acceptance.services import ROOT, SERVE, await_that, environment, run, running

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}


def is_renamed(client: httpx.Client) -> bool:
    """Whether the read model holds the new name."""
    return client.get("/users/user123").json().get("name") == "Alice Wonderland"


def names(client: httpx.Client) -> list[str]:
    """The names in the list, which is a view of its own."""
    return [each["name"] for each in client.get("/users").json()["items"]]


def test_a_change_travels_from_put_to_get_and_outlives_a_restart(start):
    """What is written is read, is there at the next start, and the stops leave nothing behind."""
    first = start(first=True).await_serving()
    assert "AUTH is none: requests need no token" in first.log.read_text()
    with first.client as client:
        assert client.post("/users", json=ALICE).status_code == 201
        assert client.put("/users/user123", json={"name": "Alice Wonderland"}).status_code == 200
        await_that(lambda: is_renamed(client), "the new name was never read")
        profile = client.get("/users/user123").json()
        assert profile["email"] == "alice@example.com"
        await_that(lambda: names(client) == ["Alice Wonderland"], "the list never had the new name")
        missing = client.get("/users/nobody")
        assert missing.status_code == 404
        assert missing.json()["detail"] == "User with ID nobody not found."
        assert client.get("/docs").status_code == 200
    pids = first.server_pids
    assert first.stop() == 0
    assert not running(*pids)
    second = start().await_serving()
    with second.client as client:
        assert client.get("/users/user123").json() == profile
        assert client.post("/users", json=ALICE).status_code == 409
    pids = second.server_pids
    assert second.stop() == 0
    assert not running(*pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_process_group_stops_everything(start, number):
    """Ctrl-C, a stop or a closed terminal: exit status 0, and no server is left."""
    service = start().await_serving()
    pids = service.server_pids
    assert len(running(*pids)) == 2
    # They do not hear it, or they would be gone before what is under way is finished.
    assert service.process.pid not in map(os.getpgid, pids)
    os.killpg(service.process.pid, number)
    assert service.await_end() == 0
    assert not running(*pids)


def test_an_impatient_ctrl_c_leaves_nothing_behind(start):
    """However often Ctrl-C is pressed while it stops, it stops all of it."""
    service = start().await_serving()
    pids = service.server_pids

    def press_again() -> bool:
        if service.process.poll() is None:
            service.interrupt()
        return service.process.poll() is not None

    await_that(press_again, "it never ended")
    assert service.await_end() == 0
    assert not running(*pids)


def test_ctrl_c_while_it_starts_leaves_nothing_behind(start):
    """Stopped before it ever served, it exits with 0, and the next start finds all in order."""
    service = start(first=True)
    await_that((service.data_dir / "postgres").exists, "it never began to start PostgreSQL")
    service.interrupt()
    assert service.await_end() == 0
    assert not (service.data_dir / "postgres/data/postmaster.pid").exists()
    assert (service.data_dir / "mongodb/data/mongod.lock").read_text() == ""
    assert start().await_serving().stop() == 0


def test_servers_left_behind_by_a_killed_service_are_adopted(start):
    """After SIGKILL the next start takes over the very same servers, and stops them."""
    killed = start().await_serving()
    with killed.client as client:
        assert client.post("/users", json=ALICE).status_code == 201
    pids = killed.server_pids
    killed.process.kill()
    killed.await_end()
    assert running(*pids) == list(pids)
    heir = start().await_serving()
    assert heir.server_pids == pids
    with heir.client as client:
        assert client.post("/users", json=ALICE).status_code == 409
    assert heir.stop() == 0
    assert not running(*pids)


def test_a_start_on_a_busy_port_says_so(start, folder):
    """One line that names the port, exit status 1, and nothing was started."""
    service = start().await_serving()
    second = run("serve", cwd=folder, PORT=service.port, DATA_DIR=str(folder / "other"))
    assert second.returncode == 1
    assert second.stderr == (
        f"PORT: 127.0.0.1:{service.port} is in use; stop what listens there, or set another PORT\n"
    )
    assert not (folder / "other").exists()


def test_a_start_on_a_busy_data_directory_says_so(start, folder):
    """One line that names the directory and its owner, exit status 1; the owner goes on."""
    service = start().await_serving()
    second = run("serve", cwd=folder, DATA_DIR="data")
    assert second.returncode == 1
    assert second.stderr == (
        f"DATA_DIR: {service.data_dir} is in use by process {service.process.pid}; "
        "stop it, or name another directory\n"
    )
    with service.client as client:
        await_that(lambda: client.get("/health/ready").status_code == 200, "never ready")


def test_projections_asks_the_servers_of_a_running_service(start, folder):
    """The table has every projection; the service goes on, with the servers it had."""
    service = start().await_serving()
    with service.client as client:
        assert client.post("/users", json=ALICE).status_code == 201
        await_that(lambda: client.get("/users/user123").status_code == 200, "never projected")
    pids = service.server_pids
    table = run("projections", cwd=folder, DATA_DIR="data")
    assert table.returncode == 0, table.stderr
    heading, *rows = [line.split() for line in table.stdout.splitlines()]
    assert heading == [
        "NAME", "BUILD", "VERSION", "IS", "POSITION", "LAG", "PARKED", "STATE",
    ]  # fmt: skip
    assert {row[0] for row in rows} == {each.name for each in all_projections()}
    assert all(row[3:8] == ["serving", "1", "0", "0", "running"] for row in rows)
    for arguments in (("projections", "list", "--json"), ("projections", "--json")):
        listed = run(*arguments, cwd=folder, DATA_DIR="data")
        assert listed.returncode == 0, listed.stderr
        items = json.loads(listed.stdout)["items"]
        assert [each["name"] for each in items] == [row[0] for row in rows]
        builds = [build for each in items for build in each["builds"]]
        assert all(each["seen_at"].endswith("Z") for each in builds)
    assert service.server_pids == pids
    assert running(*pids) == list(pids)


@pytest.mark.parametrize("interrupt", [True, False])
def test_make_run_is_stopped_by_ctrl_c_and_by_sigterm(start, interrupt):
    """Make hands the signal on to the service, and nothing is left."""
    venv = f"VENV={sys.prefix}"
    command = ("make", "run", venv, "--old-file", f"{sys.prefix}/.embedded")
    service = start(command, cwd=ROOT, DATABASE_URL="", MONGODB_URL="").await_serving()
    pids = (service.pid, *service.server_pids)
    assert running(*pids) == list(pids)
    if interrupt:
        service.interrupt()
    else:
        service.process.terminate()
    service.await_end()
    assert not running(*pids)


@needs("curl")
def test_make_run_shows_a_call_that_works_as_it_is_printed(start, urls, folder):
    """One line, after that with the addresses; another call of make makes its token."""
    make = {"VENV": sys.prefix, "MAKEFLAGS": f"--old-file={sys.prefix}/.embedded"}
    settings = {**urls, "AUTH": ""}
    command = ("make", "run")
    service = start(command, first=True, cwd=ROOT, **settings, **make).await_serving()
    shown = service.process.stdout.readline().decode().strip()
    assert shown == (
        f'curl -H "Authorization: Bearer $(DATA_DIR={folder}/data make -s token)" '
        f"{service.url}/projections"
    )
    make["MAKEFLAGS"] = f"--old-file={sys.prefix}/.runtime"
    entered = subprocess.run(
        ["sh", "-c", shown.replace("curl", "curl -sS", 1)],
        cwd=ROOT,
        env=environment(**settings, **make),
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(entered.stdout)["items"]) == len(all_projections())
    with service.client as client:
        assert client.get("/projections").status_code == 401
    service.stop()  # killed, make would leave it behind


@needs("curl")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_programs_of_other_accounts_get_no_token(serve):
    """They cannot read the key, so the service hands no token to them, either."""
    url = serve(AUTH="").url
    call = ["curl", "-sS", "-X", "POST", "-H", f"Origin: {url}", f"{url}/docs/token"]
    ours = subprocess.check_output(call)
    others = subprocess.check_output(call, user=65534, group=65534, extra_groups=[])
    assert json.loads(ours).keys() == {"token"}
    assert json.loads(others)["status"] == 403


def test_the_service_is_started_as_make_run_starts_it():
    """These tests run what `make run` runs, but for the projector: one process has all roles."""
    makefile = (ROOT / "Makefile").read_text()
    assert f"python {' '.join(SERVE[1:])} --separate-projector\n" in makefile
