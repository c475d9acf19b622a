"""TLS to both databases, as their URLs ask for it: PgBouncer answers for PostgreSQL."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from app.adapters.mongo import MongoReadModel
from app.adapters.postgres import PostgresEventStore, migrate
from app.framework.storage import StorageUnavailable
from app.host.settings import Settings
from tests.acceptance.fronts import needs
from tests.contract.encrypted import HOST, Authority, encrypted_mongod
from tests.contract.noted import REGISTRY
from tests.pgbouncer import pgbouncer

OTHER = "127.0.0.1"
"""Another name of the same machine, which the certificates do not have."""


@pytest.fixture(scope="module")
def trusted(tmp_path_factory) -> Authority:
    """The authority of the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("trusted"), "trusted")


@pytest.fixture(scope="module")
def unrelated(tmp_path_factory) -> Authority:
    """Another authority."""
    return Authority(tmp_path_factory.mktemp("unrelated"), "unrelated")


@pytest.fixture(scope="module")
def mongod_port(trusted) -> Iterator[int]:
    """The port of a mongod that takes TLS only."""
    with encrypted_mongod(trusted) as port:
        yield port


async def use_postgres(url: str) -> None:
    """Use PostgreSQL as the service does at a start.

    Raises:
        StorageUnavailable: it cannot be reached, or not trusted.

    """
    dsn = Settings.load(database_url=url).database_url
    assert dsn
    await asyncio.to_thread(migrate, dsn)
    store = PostgresEventStore(dsn, REGISTRY)
    try:
        await store.check()
    finally:
        await store.close()


async def use_mongodb(url: str, driver: str = "motor") -> None:
    """Use MongoDB as the service does at a start.

    Raises:
        StorageUnavailable: it cannot be reached, or not trusted.

    """
    settings = Settings.load(mongodb_url=url, mongodb_driver=driver)
    read_model = MongoReadModel(url, f"test_{uuid4().hex}", settings.mongodb_driver)
    try:
        await read_model.check()
    finally:
        await read_model.close()


@needs("pgbouncer")
async def test_postgresql_is_used_over_tls_if_it_can_be_trusted(postgres_url, trusted, unrelated):
    """Not one that another authority vouches for, nor under another name, nor in the clear."""
    with pgbouncer(postgres_url, "session", trusted.issue()) as plain:
        port, database = urlsplit(plain).port, urlsplit(plain).path

        def url(host: str, mode: str, authority: Authority) -> str:
            options = f"sslmode={mode}&sslrootcert={authority.file}"
            return f"postgresql://diptych@{host}:{port}{database}?{options}"

        await use_postgres(url(HOST, "verify-full", trusted))
        refused = {
            url(HOST, "verify-full", unrelated): "unable to get local issuer certificate",
            url(OTHER, "verify-full", trusted): "certificate is not valid for '127.0.0.1'",
            url(HOST, "disable", trusted): "SSL required",
        }
        for each, reason in refused.items():
            with pytest.raises(StorageUnavailable, match=reason):
                await use_postgres(each)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_mongodb_is_used_over_tls(mongod_port, trusted, driver):
    """By either driver."""
    await use_mongodb(f"mongodb://{HOST}:{mongod_port}/?tls=true&tlsCAFile={trusted.file}", driver)


async def test_mongodb_is_not_used_if_it_cannot_be_trusted(mongod_port, trusted, unrelated):
    """As with PostgreSQL."""
    refused = {
        f"{HOST}:{mongod_port}/?tls=true&tlsCAFile={unrelated.file}": "certificate verify failed",
        f"{OTHER}:{mongod_port}/?tls=true&tlsCAFile={trusted.file}": "not valid for '127.0.0.1'",
        f"{HOST}:{mongod_port}/?tls=false": "connection closed",
    }
    outcomes = await asyncio.gather(
        *(use_mongodb(f"mongodb://{each}&serverSelectionTimeoutMS=500") for each in refused),
        return_exceptions=True,
    )
    for outcome, reason in zip(outcomes, refused.values(), strict=True):
        assert isinstance(outcome, StorageUnavailable)
        assert reason in str(outcome)
