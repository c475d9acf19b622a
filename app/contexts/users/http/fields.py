"""The fields of a profile on the wire.

The rules are those of `domain.values`. The JSON Schema beside each says as much of them as a
schema can, so that what fits the schema is accepted; the other way round it may be
stricter: a name with blanks around it is accepted, for one. And three things no schema says:
that a name needs more than marks other than the usual accents, that they may not follow each
other without end, and that NFC makes a few texts longer.
"""

import re
from functools import lru_cache
from typing import Annotated

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, WithJsonSchema

from app.contexts.users.domain import values

# Of these characters the library takes any local part as it is (RFC 5322, 3.2.3: dot-atom).
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}$)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
_PARENTHESES = re.compile(r" \(.*\)", re.DOTALL)
_RESERVED = "|".join(
    "".join(f"[{letter.upper()}{letter}]" for letter in name) for name in SPECIAL_USE_DOMAIN_NAMES
)
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_NOT_IN_A_LINE = rf"{_CONTROLS}{values.BIDI_CONTROLS}"
_UNSEEN = (
    r"\xad\u0300-\u036f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
)
_CONTROLS_BUT_BREAKS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"


def _address(text: str) -> str:
    # The first call keeps text of any length from the grammar's regular expressions.
    bounded = values.email(text)
    local, _, domain = bounded.rpartition("@")
    try:
        if domain.isascii() and _PLAIN_LOCAL_PART.fullmatch(local):
            return values.email(f"{local}@{_normalized_domain(domain)}")
        address = validate_email(bounded, check_deliverability=False)
    except EmailNotValidError as error:
        # What stands in parentheses may quote the address, which no answer repeats.
        raise ValueError(_PARENTHESES.sub("", str(error))) from error
    return values.email(address.normalized)


@lru_cache(1024)
def _normalized_domain(name: str) -> str:
    # Most of the check is of the domain, which many addresses share.
    return validate_email(f"a@{name}", check_deliverability=False).domain


UserId = Annotated[
    str,
    AfterValidator(values.user_id),
    Field(
        json_schema_extra={
            "pattern": values.USER_ID_PATTERN,
            "minLength": 1,
            "maxLength": 64,
            "not": {"enum": list(values.RESERVED_IDS)},
        },
        examples=["user123"],
    ),
]

Name = Annotated[
    str,
    AfterValidator(values.name),
    Field(
        json_schema_extra={
            "minLength": 1,
            "maxLength": values.NAME_MAX,
            "pattern": rf"^[^{_NOT_IN_A_LINE}]*[^\s{_NOT_IN_A_LINE}{_UNSEEN}][^{_NOT_IN_A_LINE}]*$",
        },
        description="Blanks around it are taken off, and it is brought into Unicode's form NFC. "
        "Something of it can be seen, and it holds no control characters, those for the direction "
        "of text included.",
        examples=["Alice Smith"],
    ),
]

Email = Annotated[
    str,
    AfterValidator(_address),
    Field(
        json_schema_extra={
            "format": "email",
            "minLength": 3,
            "maxLength": values.EMAIL_MAX,
            "not": {"pattern": rf"[@.]({_RESERVED})$"},
        },
        description="No two users have the same address, whatever the case of its letters. "
        "Only its form is checked; names that are reserved, such as `.test`, are no domains.",
        examples=["alice@example.com"],
    ),
]

AvatarUrl = Annotated[
    Annotated[
        str,
        AfterValidator(values.avatar_url),
        WithJsonSchema(
            {
                "type": "string",
                "format": "uri",
                "maxLength": values.URL_MAX,
                "pattern": values.AVATAR_URL_PATTERN,
            }
        ),
    ]
    | None,
    Field(
        description="Stored as it is and never fetched; null for none.",
        examples=["https://images.example.com/alice.png"],
    ),
]

Bio = Annotated[
    Annotated[
        str,
        AfterValidator(values.bio),
        WithJsonSchema(
            {
                "type": "string",
                "maxLength": values.BIO_MAX,
                "pattern": rf"^[^{_CONTROLS_BUT_BREAKS}]*$",
            }
        ),
    ]
    | None,
    Field(
        description="Line breaks and tabs are the only control characters; null for none.",
        examples=["Fell down a rabbit hole and took notes."],
    ),
]
