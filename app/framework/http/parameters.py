"""Query and header parameters that routes of any context take."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticKnownError

from app.framework.http.consistency import LAST_POSITION, encode_position
from app.framework.http.entity_tags import ENTITY_TAG_OR_ANY
from app.framework.http.schemas.bases import CURSOR_MAX, EXAMPLE_CURSOR, PAGE_MAX

_TAGS_MAX = 16 * 1024  # half of the head of a request
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _checked_timestamp(value: Any) -> Any:
    # Pydantic would accept a number as seconds since 1970, and a date as midnight.
    if value is not None and not (isinstance(value, str) and _TIMESTAMP.fullmatch(value)):
        raise ValueError("A time has the form 2026-03-14T09:26:53Z, with Z or an offset.")
    return value


def _in_milliseconds(value: datetime) -> datetime:
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise ValueError("A time has a year of 1 to 9999, also in UTC.") from None
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _checked_whole_number(value: Any) -> Any:
    # Pydantic would accept Python's notation of numbers, `1_0` for 10, and `1.0` for 1.
    if isinstance(value, str) and not _WHOLE_NUMBER.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


def _checked_integer(value: Any) -> Any:
    # Pydantic would accept "5" for 5, and true for 1. In JSON Schema 5.0 is an integer.
    if isinstance(value, str | bool):
        raise PydanticKnownError("int_type")
    return value


TIMESTAMP = BeforeValidator(_checked_timestamp)
"""For times in parameters: RFC 3339, nothing less."""

SentTime = Annotated[
    AwareDatetime,
    Field(json_schema_extra={"maxLength": 64}),
    AfterValidator(_in_milliseconds),
    TIMESTAMP,
]
"""A time in a body, by RFC 3339; in UTC, and to the millisecond, as documents keep it."""

WHOLE_NUMBER = BeforeValidator(_checked_whole_number)
"""For integers in parameters: digits alone. It stands last, or the document loses the bounds."""

INTEGER = BeforeValidator(_checked_integer)
"""For integers in bodies: numbers alone. It stands last, too."""

Limit = Annotated[
    int,
    Query(ge=1, le=PAGE_MAX, description="How many items a page may have.", examples=[20]),
    WHOLE_NUMBER,
]

Cursor = Annotated[
    str | None,
    Query(
        max_length=CURSOR_MAX,
        # For the documentation: what does not fit is no cursor of this service's, hence a 400.
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
        description="The `next_cursor` of the page before; filters and order must be the same.",
        examples=[EXAMPLE_CURSOR],
    ),
]

ConsistencyToken = Annotated[
    str | None,
    Header(
        alias="Consistency-Token",
        json_schema_extra={"maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},  # as for a cursor
        description="Of a write: the answer then holds it, and everything before it. If the "
        "views have not come so far within 2 s, the answer is 503 `read-model-behind`.",
        examples=[encode_position(1)],
    ),
]

IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=_TAGS_MAX,
        description="The ETag of what the client has; if that is still right, the answer is "
        "304 without a body.",
        examples=['"3"'],
    ),
]


def if_match(thing: str) -> Any:
    """The type of If-Match for changes of `thing`."""
    return Annotated[
        str | None,
        Header(
            alias="If-Match",
            pattern=ENTITY_TAG_OR_ANY,
            max_length=_TAGS_MAX,
            description="The ETag of the version that the change is made for; if the "
            f"{thing} is at another by now, nothing is changed. `*` stands for any.",
            examples=['"3"'],
        ),
    ]


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="Chosen by the client for this one write, a UUID say. The same request sent "
        "again under it within 24 hours is answered as the first that was carried out, and "
        "nothing is done twice.",
        examples=["01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11"],
    ),
]

LastEventId = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=LAST_POSITION,
        description="The `id` of the last event that was received, to go on after it; 0 for all "
        "there ever was. Left out: whatever happens from now on.",
        examples=[1047],
    ),
    WHOLE_NUMBER,
]
