"""The values of a profile: each function returns the value in its one accepted form.

All of them raise ValueError; its message is for the sender of the value.
"""

import re
import unicodedata
from enum import Enum

NAME_MAX = 200
EMAIL_MAX = 254
URL_MAX = 2048
BIO_MAX = 1000
USER_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

OWN_ID = "me"
"""In a path: the user that the request is from."""

RESERVED_IDS = (OWN_ID,)
"""Ids with another meaning in a path; no new user gets one."""

NFC_SHORTENS = 4
"""How much shorter NFC may make a text: a text longer than the bound times this is too long."""

MARKS_IN_A_ROW = 30
"""The bound of Unicode's stream-safe text (UAX 15): sorting a run takes time that grows with the
square of its length. No language has more than a handful."""

BIDI_CONTROLS = r"\u202a-\u202e\u2066-\u2069"
"""Overrides, embeddings and isolates: they affect the text after them."""

_IN_URL = r"([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
AVATAR_URL_PATTERN = (
    rf"^https://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{{1,5}})?([/?]{_IN_URL})?(#{_IN_URL})?$"
)
"""A URL (RFC 3986) with a host name and without user name and password."""

_USER_ID = re.compile(USER_ID_PATTERN)
_AVATAR_URL = re.compile(AVATAR_URL_PATTERN)
# Unicode's control characters, and halves of surrogate pairs, which no encoding can carry.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"
_NOT_IN_A_LINE = re.compile(f"[{_CONTROLS}{BIDI_CONTROLS}]")
_NOT_IN_A_TEXT = re.compile(f"[{_CONTROLS}]")
# Letters and symbols that show nothing, and what no version of Unicode will make visible.
_BLANK = re.compile(
    "[\u115f\u1160\u2065\u2800\u3164\uffa0\ufff0-\ufff8\ufdd0-\ufdef\U0001d159\U000e0000-\U000e0fff]"
)


_NAME_BOUNDS = f"A name is 1 to {NAME_MAX} characters, blanks around it aside."
_EMAIL_TOO_LONG = f"An e-mail address has at most {EMAIL_MAX} characters."
_BIO_TOO_LONG = f"A bio has at most {BIO_MAX} characters."


class Unchanged(Enum):
    """The type of UNCHANGED: the update does not change this field."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


def is_user_id(text: str) -> bool:
    """Whether a new user may have this id."""
    return _USER_ID.fullmatch(text) is not None and text not in RESERVED_IDS


def user_id(text: str) -> str:
    """The id of a new user: 1 to 64 of the letters A to Z and a to z, digits, `_` and `-`.

    Older users may have one of RESERVED_IDS.
    """
    if not _USER_ID.fullmatch(text):
        raise ValueError("An id is 1 to 64 letters (A-Z, a-z), digits, hyphens and underscores.")
    if text in RESERVED_IDS:
        raise ValueError(f"The id {text} is reserved; choose another.")
    return text


def name(text: str) -> str:
    """1 to 200 characters after NFC and trimming, one of them visible and none a control."""
    normal = _nfc(text, NAME_MAX, _NAME_BOUNDS).strip()
    if not 1 <= len(normal) <= NAME_MAX:
        raise ValueError(_NAME_BOUNDS)
    _refuse_controls(_NOT_IN_A_LINE, normal)
    if not (normal.isascii() or any(map(_is_visible, normal))):
        raise ValueError("A name has a letter, a digit or another character that can be seen.")
    return normal


def email(text: str) -> str:
    """One `@` with something on both sides, no blanks or controls, at most 254 characters.

    The HTTP side checks the full grammar; the domain relies on this much.
    """
    normal = _nfc(text, EMAIL_MAX, _EMAIL_TOO_LONG)
    local, at, domain = normal.rpartition("@")
    if not (local and at and domain) or "@" in local or any(map(str.isspace, normal)):
        raise ValueError("An e-mail address has the form name@domain.")
    if len(normal) > EMAIL_MAX:
        raise ValueError(_EMAIL_TOO_LONG)
    _refuse_controls(_NOT_IN_A_LINE, normal)
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
    normal = _nfc(text, BIO_MAX, _BIO_TOO_LONG)
    if len(normal) > BIO_MAX:
        raise ValueError(_BIO_TOO_LONG)
    _refuse_controls(_NOT_IN_A_TEXT, normal, but="\t\n\r")
    return normal


def email_key(address: str) -> str:
    """The same key for all forms of one address; see decision 24.

    The part before the `@` is compared without case, by Unicode's case folding. Domains are
    one if their A-labels are (IDNA 2008): without case, too, but `ß` is not `ss` there, and a
    final sigma is not another.
    """
    if address.isascii():
        return address.lower()  # what the rest comes to, sooner
    local, at, domain = address.rpartition("@")
    folded = "".join(each if each in _LETTERS_OF_IDNA else each.casefold() for each in domain)
    return unicodedata.normalize("NFC", f"{local.casefold()}{at}{folded}")


_LETTERS_OF_IDNA = frozenset("ßς")
"""All that a domain may hold and case folding changes."""


def _nfc(text: str, longest: int, too_long: str) -> str:
    """`text` in NFC, unless that cannot be as short as `longest`, or would take too long."""
    if len(text) > NFC_SHORTENS * longest:
        raise ValueError(too_long)
    if text.isascii():
        return text
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS_IN_A_ROW:
            raise ValueError(
                f"No more than {MARKS_IN_A_ROW} combining marks may follow each other."
            )
    return unicodedata.normalize("NFC", text)


def _refuse_controls(refused: re.Pattern[str], text: str, *, but: str = "") -> None:
    if text.isprintable():
        return  # so it holds no controls of any kind
    for character in refused.findall(text):
        if character not in but:
            raise ValueError(f"The control character U+{ord(character):04X} is not allowed.")


def _is_visible(character: str) -> bool:
    # Characters that are not assigned may be letters of a later version of Unicode; the last
    # two of each plane will never be.
    category = unicodedata.category(character)
    seen = category[0] in "LNPS" or category in {"Co", "Cn"}
    return seen and not _BLANK.match(character) and ord(character) & 0xFFFE != 0xFFFE  # noqa: PLR2004
