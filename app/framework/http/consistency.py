"""Consistency tokens: positions in the log as opaque text.

A write answers with the position of its last event; a query with the token waits until the read
model has reached it.
"""

import base64
import binascii
import struct

LAST_POSITION = 2**63 - 1
"""No log is longer: positions are stored in 64 bits."""

_LAYOUT = struct.Struct(">BQ")
_TOKEN_VERSION = 1
_MALFORMED = "The Consistency-Token is malformed; send one as it was given."


class InvalidConsistencyToken(ValueError):
    """The text was not made by `encode_position`."""


def encode_position(position: int) -> str:
    """`position` as a token of 12 URL-safe characters."""
    return base64.urlsafe_b64encode(_LAYOUT.pack(_TOKEN_VERSION, position)).decode()


def decode_position(token: str) -> int:
    """The reverse of `encode_position`.

    Raises:
        InvalidConsistencyToken: it is malformed.

    """
    try:
        packed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        version, position = _LAYOUT.unpack(packed)
    except (UnicodeEncodeError, binascii.Error, struct.error) as error:
        raise InvalidConsistencyToken(_MALFORMED) from error
    if version != _TOKEN_VERSION or position > LAST_POSITION:
        raise InvalidConsistencyToken(_MALFORMED)
    return int(position)


def minimum_position(token: str | None) -> int:
    """The minimum position of a query with `token`; 0 without one.

    Raises:
        InvalidConsistencyToken: it is malformed.

    """
    return 0 if token is None else decode_position(token)
