"""The user: the aggregate and its decisions."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from app.contexts.users.domain import values
from app.contexts.users.domain.errors import EmailTaken, UserIsDeactivated, UserNotFound
from app.contexts.users.domain.events import (
    STREAM_TYPE,
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserReactivated,
    UserRegistered,
)
from app.contexts.users.domain.values import UNCHANGED, Unchanged, email_key
from app.framework.eventsourcing import AggregateType, Claim, Event, Snapshots

UserStatus = Literal["active", "deactivated"]

EMAIL_SCOPE = "email"


@dataclass(frozen=True, slots=True)
class User:
    """A user, as a fold of its events; each method decides on the events of a command."""

    id: str
    name: str
    email: str
    avatar_url: str | None = None
    bio: str | None = None
    status: UserStatus = "active"

    @staticmethod
    def register(
        user_id: str,
        name: str,
        email: str,
        avatar_url: str | None = None,
        bio: str | None = None,
    ) -> Sequence[Event]:
        """The event that registers a user.

        Raises:
            ValueError: a value is not one that `values` accepts.

        """
        return [
            UserRegistered(
                values.user_id(user_id),
                values.name(name),
                values.email(email),
                None if avatar_url is None else values.avatar_url(avatar_url),
                None if bio is None else values.bio(bio),
            )
        ]

    def update(
        self,
        *,
        name: str | Unchanged = UNCHANGED,
        email: str | Unchanged = UNCHANGED,
        avatar_url: str | Unchanged | None = UNCHANGED,
        bio: str | Unchanged | None = UNCHANGED,
    ) -> Sequence[Event]:
        """An event for each field that changes; none if all stay as they are.

        Raises:
            UserIsDeactivated: a deactivated profile is closed to changes.
            ValueError: a value is not one that `values` accepts.

        """
        if self.status == "deactivated":
            raise UserIsDeactivated(self.id)
        events: list[Event] = []
        if name is not UNCHANGED and (name := values.name(name)) != self.name:
            events.append(UserNameChanged(name))
        if email is not UNCHANGED and (email := values.email(email)) != self.email:
            events.append(UserEmailChanged(email))
        if avatar_url is not UNCHANGED:
            avatar_url = None if avatar_url is None else values.avatar_url(avatar_url)
            if avatar_url != self.avatar_url:
                events.append(UserAvatarChanged(avatar_url))
        if bio is not UNCHANGED:
            bio = None if bio is None else values.bio(bio)
            if bio != self.bio:
                events.append(UserBioChanged(bio))
        return events

    def deactivate(self) -> Sequence[Event]:
        """The event that closes the profile; none if it is closed already."""
        return [UserDeactivated()] if self.status == "active" else []

    def reactivate(self) -> Sequence[Event]:
        """The event that opens the profile again; none if it is open."""
        return [UserReactivated()] if self.status == "deactivated" else []

    def claims(self) -> Collection[Claim]:
        """The e-mail address belongs to one user at a time; `email_key` says when two are one."""
        return (Claim(EMAIL_SCOPE, email_key(self.email)),)

    @classmethod
    def evolve(cls, state: "User | None", event: Event) -> "User":
        match event, state:
            case UserRegistered(user_id, name, email, avatar_url, bio), None:
                return cls(user_id, name, email, avatar_url, bio)
            case UserNameChanged(name), User():
                return replace(state, name=name)
            case UserEmailChanged(email), User():
                return replace(state, email=email)
            case UserAvatarChanged(avatar_url), User():
                return replace(state, avatar_url=avatar_url)
            case UserBioChanged(bio), User():
                return replace(state, bio=bio)
            case UserDeactivated(), User():
                return replace(state, status="deactivated")
            case UserReactivated(), User():
                return replace(state, status="active")
        raise TypeError(f"{event!r} cannot happen to {state!r}.")


def existing(user: User | None, user_id: str) -> User:
    """`user`, who must exist.

    Raises:
        UserNotFound: there is none.

    """
    if user is None:
        raise UserNotFound(user_id)
    return user


USER_SNAPSHOTS: Snapshots[User] = Snapshots(
    version=1, encode=asdict, decode=lambda data: User(**data)
)
"""Raise the version whenever the fields of `User` or its `evolve` change."""

USERS: AggregateType[User] = AggregateType(
    STREAM_TYPE, User, USER_SNAPSHOTS, claim_scopes={EMAIL_SCOPE: EmailTaken}
)
