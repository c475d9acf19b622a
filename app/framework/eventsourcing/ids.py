"""Identifiers that sort by the time they were made."""

import os
import time

_VARIANTS = "89ab"  # the digits whose first two bits are 10


def uuid7() -> str:
    """A new UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random.

    Its text, without an object between: every request needs one. The standard library has its own
    from Python 3.14 on.
    """
    time_part = f"{time.time_ns() // 1_000_000:012x}"
    noise = os.urandom(10).hex()
    variant = _VARIANTS[int(noise[3], 16) & 0b11]
    return f"{time_part[:8]}-{time_part[8:]}-7{noise[:3]}-{variant}{noise[4:7]}-{noise[7:19]}"
