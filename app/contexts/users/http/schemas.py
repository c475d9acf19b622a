"""Users on the wire."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic.config import JsonDict
from typing_extensions import TypeAliasType

from app.contexts.users.domain import user, values
from app.contexts.users.http.event_fields import Actor, EventData, EventType, VersionAfter
from app.contexts.users.http.fields import AvatarUrl, Bio, Email, Name, UserId
from app.contexts.users.queries import list_user_summaries
from app.framework.http.schemas.bases import (
    EXAMPLE_CURSOR,
    VERSION_MAX,
    NextCursor,
    RequestBody,
    ResponseBody,
    Timestamp,
)

# What clients call their constants for the values of UserOrder, in the same sequence.
_ORDER_NAMES: list[JsonValue] = ["NAME", "NAME_DESCENDING", "CREATED_AT", "CREATED_AT_DESCENDING"]

# An alias of this kind gives the schema its name.
UserStatus = TypeAliasType(
    "UserStatus",
    Annotated[
        user.UserStatus,
        Field(description="Whether a profile is open to changes.", examples=["active"]),
    ],
)

UserOrder = TypeAliasType(
    "UserOrder",
    Annotated[
        list_user_summaries.UserOrder,
        Field(
            description="What a list is sorted by; `-` in front puts the last first.",
            examples=["-created_at"],
            json_schema_extra={"x-enum-varnames": _ORDER_NAMES},
        ),
    ],
)

_ALICE: JsonDict = {
    "id": "user123",
    "name": "Alice Smith",
    "avatar_url": "https://images.example.com/alice.png",
}
_ALICE_IN_FULL: JsonDict = {
    **_ALICE,
    "email": "alice@example.com",
    "bio": "Fell down a rabbit hole and took notes.",
}


def _left_out() -> Any:
    # The default of a member that may be left out but not null: a factory keeps it from the
    # JSON Schema, and `model_fields_set` tells whether it was sent.
    return Field(default_factory=lambda: None)


class UserRegistration(RequestBody):
    """A user to register."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"},
                _ALICE_IN_FULL,
            ]
        }
    )

    id: Annotated[
        UserId,
        Field(
            default_factory=lambda: None,
            description="Letters (A-Z, a-z), digits, `_` and `-`; when left out, the id of your "
            "own profile, or a new UUID if you have none.",
        ),
    ]
    name: Name
    email: Email
    avatar_url: AvatarUrl = None
    bio: Bio = None


class UserUpdate(RequestBody):
    """What is to change: a member left out stays as it is, null clears an optional one."""

    model_config = ConfigDict(
        json_schema_extra={
            "minProperties": 1,
            "examples": [
                {"name": "Alice Wonderland"},
                {"email": "alice@example.org", "bio": "Back."},
            ],
        }
    )

    name: Name = _left_out()
    email: Email = _left_out()
    avatar_url: AvatarUrl = _left_out()
    bio: Bio = _left_out()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"Name at least one of {', '.join(type(self).model_fields)}.")
        return self

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class UserProfile(ResponseBody):
    """All of a user's profile."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_ALICE_IN_FULL,
                    "status": "active",
                    "version": 3,
                    "created_at": "2026-03-14T09:26:53.589793Z",
                    "updated_at": "2026-03-15T16:18:03.398875Z",
                }
            ]
        }
    )

    id: Annotated[str, Field(examples=["user123"], json_schema_extra={"maxLength": 64})]
    name: Annotated[
        str, Field(examples=["Alice Smith"], json_schema_extra={"maxLength": values.NAME_MAX})
    ]
    email: Annotated[
        str, Field(json_schema_extra={"format": "email", "maxLength": values.EMAIL_MAX})
    ]
    avatar_url: Annotated[
        Annotated[str, Field(json_schema_extra={"maxLength": values.URL_MAX})] | None,
        Field(examples=["https://images.example.com/alice.png"]),
    ]
    bio: Annotated[
        Annotated[str, Field(json_schema_extra={"maxLength": values.BIO_MAX})] | None,
        Field(examples=["Fell down a rabbit hole and took notes."]),
    ]
    status: Annotated[
        UserStatus, Field(description="The profile of a deactivated user is closed to changes.")
    ]
    version: Annotated[
        int,
        Field(
            ge=1,
            le=VERSION_MAX,
            description="How many events have happened to the user.",
            examples=[3],
        ),
    ]
    created_at: Timestamp
    updated_at: Timestamp


class UserSummary(ResponseBody):
    """A user in a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ALICE]})

    id: Annotated[str, Field(examples=["user123"], json_schema_extra={"maxLength": 64})]
    name: Annotated[
        str, Field(examples=["Alice Smith"], json_schema_extra={"maxLength": values.NAME_MAX})
    ]
    avatar_url: Annotated[
        Annotated[str, Field(json_schema_extra={"maxLength": values.URL_MAX})] | None,
        Field(examples=["https://images.example.com/alice.png"]),
    ]


class UserSummaryPage(ResponseBody):
    """Some of the users, in order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_ALICE], "next_cursor": EXAMPLE_CURSOR}]}
    )

    items: list[UserSummary]
    next_cursor: NextCursor


_RENAMED: JsonDict = {
    "version": 2,
    "type": "UserNameChanged",
    "occurred_at": "2026-03-15T16:18:03.398875Z",
    "actor": "support-desk",
    "data": {"name": "Alice Wonderland"},
}


class UserHistoryEntry(ResponseBody):
    """One thing that happened to a user."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RENAMED]})

    version: VersionAfter
    type: EventType
    occurred_at: Timestamp
    actor: Actor
    data: EventData


class UserHistoryPage(ResponseBody):
    """Some of what happened to a user, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_RENAMED], "next_cursor": EXAMPLE_CURSOR}]}
    )

    items: list[UserHistoryEntry]
    next_cursor: NextCursor
