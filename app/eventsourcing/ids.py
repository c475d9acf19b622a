"""Identifiers that sort by the time they were made."""

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """A new UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random.

    The standard library has its own from Python 3.14 on.
    """
    milliseconds = time.time_ns() // 1_000_000
    noise = secrets.randbits(74)  # asked for once: it is a call of the system
    return uuid.UUID(
        int=(milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (noise >> 62) << 64
        | 0b10 << 62
        | noise & (1 << 62) - 1
    )
