"""A service whose PostgreSQL stands behind a PgBouncer."""

import asyncio
import signal

import pytest

from tests.acceptance.fronts import needs
from tests.acceptance.services import await_that
from tests.pgbouncer import pgbouncer


@needs("pgbouncer")
@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_a_service_behind_a_pooler_outlives_a_kill(
    start, unmigrated_postgres_url, mongodb_url, mongodb_database, mode
):
    """It migrates and serves; killed and started anew, it answers a repeat as it did before."""
    with pgbouncer(unmigrated_postgres_url, mode) as url:
        settings = {
            "DATABASE_URL": url,
            "MONGODB_URL": mongodb_url,
            "MONGODB_DATABASE": mongodb_database,
        }
        await asyncio.to_thread(
            _write_kill_and_repeat, lambda: start(first=True, **settings).await_serving()
        )


def _write_kill_and_repeat(serve) -> None:
    alice = {"id": "user123", "name": "Alice", "email": "alice@example.com"}
    key = {"Idempotency-Key": "once"}
    service = serve()
    with service.client as client:
        assert client.post("/users", json=alice).status_code == 201
        for number in range(20):
            update = client.put("/users/user123", json={"name": f"Alice {number}"})
            assert update.json()["version"] == number + 2
        first = client.put("/users/user123", json={"name": "Alice Smith"}, headers=key)
    service.process.send_signal(signal.SIGKILL)
    service.await_end()

    service = serve()
    with service.client as client:
        again = client.put("/users/user123", json={"name": "Alice Smith"}, headers=key)
        token = {"Consistency-Token": again.headers["Consistency-Token"]}
        # The lease of the killed process has to run out first.
        await_that(
            lambda: client.get("/users/user123", headers=token).status_code == 200, "never read"
        )
        read = client.get("/users/user123", headers=token)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json() == read.json()
    assert service.stop() == 0
