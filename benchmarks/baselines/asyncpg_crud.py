"""FastAPI and asyncpg: one table, a pool, SQL by hand."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Request

from benchmarks.baselines.schemas import UserProfile, UserRegistration, UserUpdate
from benchmarks.baselines.serving import serve

SCHEMA = """
create table users (
    id          text primary key,
    name        text not null,
    email       text not null,
    avatar_url  text,
    bio         text,
    status      text not null default 'active',
    version     integer not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index users_email on users (lower(email));
create index users_name on users (status, name, id);
"""

SELECT = "select * from users where id = $1"

INSERT = """
insert into users (id, name, email, avatar_url, bio) values ($1, $2, $3, $4, $5) returning *
"""

UPDATE = """
update users set
    name = coalesce($2, name),
    email = coalesce($3, email),
    avatar_url = coalesce($4, avatar_url),
    bio = coalesce($5, bio),
    version = version + 1,
    updated_at = now()
where id = $1
returning *
"""


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Keep a pool of connections for as long as the service runs."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"]) as pool:
        api.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


def pool_of(request: Request) -> asyncpg.Pool:
    """The pool, for the routes."""
    pool: asyncpg.Pool = request.app.state.pool
    return pool


Pool = Annotated[asyncpg.Pool, Depends(pool_of)]


@app.get("/users/{user_id}")
async def get_user(user_id: str, pool: Pool) -> UserProfile:
    """Get a user."""
    row = await pool.fetchrow(SELECT, user_id)
    if row is None:
        raise HTTPException(404, "No such user.")
    return UserProfile(**row)


@app.post("/users", status_code=201)
async def register_user(registration: UserRegistration, pool: Pool) -> UserProfile:
    """Create a user."""
    avatar_url = registration.avatar_url
    try:
        row = await pool.fetchrow(
            INSERT,
            str(uuid.uuid4()),
            registration.name,
            registration.email,
            None if avatar_url is None else str(avatar_url),
            registration.bio,
        )
    except asyncpg.UniqueViolationError as error:
        raise HTTPException(409, "The e-mail address is taken.") from error
    assert row is not None  # the statement returns what it inserted
    return UserProfile(**row)


@app.put("/users/{user_id}")
async def update_user(user_id: str, update: UserUpdate, pool: Pool) -> UserProfile:
    """Change parts of a user."""
    avatar_url = update.avatar_url
    try:
        row = await pool.fetchrow(
            UPDATE,
            user_id,
            update.name,
            update.email,
            None if avatar_url is None else str(avatar_url),
            update.bio,
        )
    except asyncpg.UniqueViolationError as error:
        raise HTTPException(409, "The e-mail address is taken.") from error
    if row is None:
        raise HTTPException(404, "No such user.")
    return UserProfile(**row)


if __name__ == "__main__":
    serve(app)
