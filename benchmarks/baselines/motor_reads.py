"""FastAPI and motor: one collection, read by key and as a sorted list."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from benchmarks.baselines.schemas import UserProfile, UserSummary
from benchmarks.baselines.serving import serve

DATABASE, COLLECTION = "baseline", "users"
INDEX = [("status", 1), ("name", 1), ("_id", 1)]


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Keep a client, which is a pool, for as long as the service runs."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        os.environ["MONGODB_URL"], tz_aware=True, w="majority"
    )
    api.state.users = client[DATABASE][COLLECTION]
    yield
    client.close()


app = FastAPI(lifespan=lifespan)


def users_of(request: Request) -> AsyncIOMotorCollection[dict[str, Any]]:
    """The collection, for the routes."""
    users: AsyncIOMotorCollection[dict[str, Any]] = request.app.state.users
    return users


Users = Annotated[AsyncIOMotorCollection[dict[str, Any]], Depends(users_of)]


@app.get("/users")
async def list_users(users: Users, status: str = "active", limit: int = 20) -> list[UserSummary]:
    """List users by name."""
    found = users.find({"status": status}, {"name": 1, "avatar_url": 1})
    documents = await found.sort([("name", 1), ("_id", 1)]).limit(limit).to_list(limit)
    return [UserSummary(id=each.pop("_id"), **each) for each in documents]


@app.get("/users/{user_id}")
async def get_user(user_id: str, users: Users) -> UserProfile:
    """Get a user."""
    document = await users.find_one({"_id": user_id})
    if document is None:
        raise HTTPException(404, "No such user.")
    return UserProfile(id=document.pop("_id"), **document)


if __name__ == "__main__":
    serve(app)
