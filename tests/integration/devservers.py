"""Embedded servers, each alone in a data directory, and what they answer."""

from pathlib import Path

import asyncpg

from app.adapters.mongo.replica_set import initiate
from app.devtools.servers import embedded_servers


def postgres_in(data_dir: Path):
    """A PostgreSQL alone."""
    return embedded_servers(data_dir, initiate, mongodb=False)


def mongod_in(data_dir: Path):
    """A mongod alone."""
    return embedded_servers(data_dir, initiate, postgres=False)


async def fetch(url: str | None, statement: str):
    """What a statement answers."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
