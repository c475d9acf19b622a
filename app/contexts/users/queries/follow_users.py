"""Follow what happens to users."""

from dataclasses import dataclass

from app.contexts.users.read_models import UserChange
from app.framework.contexts import Follow


@dataclass(frozen=True, slots=True)
class FollowUsers(Follow[UserChange]):
    """Follow what happens to all users."""
