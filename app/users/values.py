"""The values of a profile: each function gives the value in its one accepted form.

All of them raise ValueError, in words for whoever sent the value.
"""

import re
import unicodedata
from enum import Enum

NAME_MAX = 200
EMAIL_MAX = 254
URL_MAX = 2048
BIO_MAX = 1000
USER_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

_IN_URL = r"([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
AVATAR_URL_PATTERN = (
    rf"^https://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{{1,5}})?([/?]{_IN_URL})?(#{_IN_URL})?$"
)
"""What a URL is made of (RFC 3986), with a host name and without a user's name and password."""

_USER_ID = re.compile(USER_ID_PATTERN)
_AVATAR_URL = re.compile(AVATAR_URL_PATTERN)
# Unicode's control characters, and halves of surrogate pairs, which no encoding can carry.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Unchanged(Enum):
    """The type of UNCHANGED: a field that an update leaves as it is."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


def user_id(text: str) -> str:
    """1 to 64 of the letters A to Z and a to z, digits, `_` and `-`."""
    if not _USER_ID.fullmatch(text):
        raise ValueError("An id is 1 to 64 letters (A-Z, a-z), digits, hyphens and underscores.")
    return text


def name(text: str) -> str:
    """1 to 200 characters after NFC and trimming, none of them a control character."""
    normal = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(normal) <= NAME_MAX:
        raise ValueError(f"A name is 1 to {NAME_MAX} characters, blanks around it aside.")
    _refuse_control_characters(normal, allowed="")
    return normal


def email(text: str) -> str:
    """One `@` with something on both sides, no blanks, at most 254 characters.

    The grammar of addresses is for the edge to check; this is what the domain relies on.
    """
    normal = unicodedata.normalize("NFC", text)
    local, at, domain = normal.rpartition("@")
    if not (local and at and domain) or "@" in local or any(map(str.isspace, normal)):
        raise ValueError("An e-mail address has the form name@domain.")
    if len(normal) > EMAIL_MAX:
        raise ValueError(f"An e-mail address has at most {EMAIL_MAX} characters.")
    _refuse_control_characters(normal, allowed="")
    return normal


def avatar_url(text: str) -> str:
    """An https URL of at most 2,048 characters; it is never fetched."""
    if len(text) > URL_MAX:
        raise ValueError(f"An avatar URL has at most {URL_MAX} characters.")
    if not _AVATAR_URL.fullmatch(text):
        raise ValueError(
            "An avatar URL starts with https:// and the name of a host; percent-encode what a URL "
            "cannot hold."
        )
    return text


def bio(text: str) -> str:
    """At most 1,000 characters after NFC, line breaks and tabs allowed."""
    normal = unicodedata.normalize("NFC", text)
    if len(normal) > BIO_MAX:
        raise ValueError(f"A bio has at most {BIO_MAX} characters.")
    _refuse_control_characters(normal, allowed="\t\n\r")
    return normal


def email_key(address: str) -> str:
    """What two addresses that differ in the case of their letters have in common."""
    return unicodedata.normalize("NFC", address.casefold())


def _refuse_control_characters(text: str, *, allowed: str) -> None:
    for character in _CONTROLS.findall(text):
        if character not in allowed:
            raise ValueError(f"The control character U+{ord(character):04X} is not allowed.")
