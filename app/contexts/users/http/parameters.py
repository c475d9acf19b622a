"""Parameters that routes of users take."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime

from app.contexts.users.domain import values
from app.framework.http.parameters import TIMESTAMP, WHOLE_NUMBER
from app.framework.http.schemas.bases import VERSION_MAX

UserIdPath = Annotated[
    str,
    Path(
        description="The id of the user.",
        pattern=values.USER_ID_PATTERN,
        examples=["user123"],
    ),
]

SearchText = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        description="Users with a word in their name that begins so, whatever the case and "
        "accents.",
        examples=["wonder"],
    ),
]

AsOf = Annotated[
    AwareDatetime | None,
    TIMESTAMP,
    Query(
        description="As the user stood at this time.",
        examples=["2026-03-14T12:00:00Z"],
        json_schema_extra={"maxLength": 64},
    ),
]

AsOfVersion = Annotated[
    int | None,
    Query(
        ge=1,
        le=VERSION_MAX,
        description="As the user stood at this version; with `as_of`, at whichever came first.",
        examples=[1],
    ),
    WHOLE_NUMBER,
]
