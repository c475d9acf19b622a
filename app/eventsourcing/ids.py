"""Identifiers that sort by the time they were made."""

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """A new UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random.

    The standard library has its own from Python 3.14 on.
    """
    milliseconds = time.time_ns() // 1_000_000
    return uuid.UUID(
        int=(milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | secrets.randbits(12) << 64
        | 0b10 << 62
        | secrets.randbits(62)
    )
