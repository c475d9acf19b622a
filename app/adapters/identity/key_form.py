"""The form of API keys: the name of the service, `_<id>_<secret>` and a checksum.

The prefix lets scanners for secrets find a key that was published. The checksum is made as in
GitHub's tokens, the CRC-32 of what comes before it, so that they and the service tell a key from a
typing error without a look-up.
"""

import hashlib
import re
import secrets
import string
import zlib

from app import IDENTIFIER
from app.framework.security import InvalidToken

PREFIX = f"{IDENTIFIER}_"

ID_FORM = "[0-9a-z]{10}"

KEY_FORM = rf"\b{PREFIX}{ID_FORM}_[0-9A-Za-z]{{36}}\b"
"""The regular expression for scanners."""

_ID_LENGTH = 10
_SECRET_LENGTH = 30
"""Of 62 characters: 178 bits, so a plain digest of a key can be stored. A hash that is slow on
purpose is for passwords, which can be guessed."""

_CHECKSUM_LENGTH = 6

_ID_CHARACTERS = string.digits + string.ascii_lowercase
_CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase

_PARTS = re.compile(rf"{PREFIX}({ID_FORM})_[0-9A-Za-z]{{36}}")


def new_key() -> str:
    """A new key, by the random numbers of the operating system."""
    key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
    secret = "".join(secrets.choice(_CHARACTERS) for _ in range(_SECRET_LENGTH))
    key = f"{PREFIX}{key_id}_{secret}"
    return key + checksum(key)


def id_of(key: str) -> str:
    """The id of a key, if it has the form of one.

    Raises:
        InvalidToken: it has not, or its checksum is wrong.

    """
    found = _PARTS.fullmatch(key)
    if found is None or checksum(key[:-_CHECKSUM_LENGTH]) != key[-_CHECKSUM_LENGTH:]:
        raise InvalidToken("It is no complete API key: a character is missing or wrong.")
    return found[1]


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


def checksum(text: str) -> str:
    """The CRC-32 of `text`, in base 62 with the digits 0-9, A-Z and a-z."""
    number = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_CHARACTERS))
        digits.append(_CHARACTERS[digit])
    return "".join(reversed(digits))
