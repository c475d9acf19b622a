"""The bodies that the plain services take and answer with: those of the service, as is usual."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, EmailStr, HttpUrl, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Bio = Annotated[str, StringConstraints(max_length=1000)]


class UserRegistration(BaseModel):
    """A user to create."""

    name: Name
    email: EmailStr
    avatar_url: HttpUrl | None = None
    bio: Bio | None = None


class UserUpdate(BaseModel):
    """What is to change; what is left out stays."""

    name: Name | None = None
    email: EmailStr | None = None
    avatar_url: HttpUrl | None = None
    bio: Bio | None = None


class UserProfile(BaseModel):
    """All of a user."""

    id: str
    name: str
    email: str
    avatar_url: str | None
    bio: str | None
    status: str
    version: int
    created_at: datetime
    updated_at: datetime


class UserSummary(BaseModel):
    """A user in a list."""

    id: str
    name: str
    avatar_url: str | None
