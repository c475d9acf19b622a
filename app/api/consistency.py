"""Consistency tokens: opaque text that stands for a position in the log.

A write answers with the position of its last event; a query that is sent the token can wait
until the read model holds it.
"""

import base64
import binascii
import struct

_LAYOUT = struct.Struct(">BQ")
_EDITION = 1


class InvalidConsistencyToken(ValueError):
    """The text was not made by `encode_position`."""


def encode_position(position: int) -> str:
    """`position` as a token of 12 URL-safe characters."""
    return base64.urlsafe_b64encode(_LAYOUT.pack(_EDITION, position)).decode()


def decode_position(token: str) -> int:
    """The reverse of `encode_position`.

    Raises:
        InvalidConsistencyToken: it is malformed.

    """
    try:
        packed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        edition, position = _LAYOUT.unpack(packed)
    except (UnicodeEncodeError, binascii.Error, struct.error) as error:
        raise InvalidConsistencyToken("The Consistency-Token is malformed.") from error
    if edition != _EDITION:
        raise InvalidConsistencyToken("The Consistency-Token is of another edition.")
    return int(position)
