"""FastAPI alone: a route that makes a user of its path and answers, and does nothing else."""

from datetime import UTC, datetime

from fastapi import FastAPI

from benchmarks.baselines.schemas import UserProfile
from benchmarks.baselines.serving import serve

NOW = datetime.now(UTC)

app = FastAPI()


@app.get("/users/{user_id}")
async def get_user(user_id: str) -> UserProfile:
    """Make a user up."""
    number = user_id.rpartition("-")[2]
    return UserProfile(
        id=user_id,
        name=f"Ada Lovelace {number}",
        email=f"ada.lovelace.{number}@example.com",
        avatar_url=f"https://avatars.example.com/{number}.png",
        bio=None,
        status="active",
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


if __name__ == "__main__":
    serve(app)
