"""Identifiers that sort by the time they were made."""

import os
import time

_VARIANTS = "89ab"  # the digits whose first two bits are 10

_BYTES = 10
"""How many random bytes an id takes."""

_IN_STOCK = 400
"""For how many ids they are drawn at once. A draw lets go of the interpreter's lock for a moment.
With one for each request, a thread that wanted the lock began its wait anew each time, and got no
turn as long as there were requests (docs/performance.md)."""

_stock: list[str] = []


def uuid7() -> str:
    """A new UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random.

    Its text, without an object between: every request needs one. The standard library has its own
    from Python 3.14 on.
    """
    time_part = f"{time.time_ns() // 1_000_000:012x}"
    try:
        noise = _stock.pop()
    except IndexError:
        noise = _drawn()
    variant = _VARIANTS[int(noise[3], 16) & 0b11]
    return f"{time_part[:8]}-{time_part[8:]}-7{noise[:3]}-{variant}{noise[4:7]}-{noise[7:19]}"


def _drawn() -> str:
    digits, length = os.urandom(_BYTES * _IN_STOCK).hex(), 2 * _BYTES
    drawn = [digits[at : at + length] for at in range(0, len(digits), length)]
    last = drawn.pop()
    _stock.extend(drawn)
    return last


# Else a fork and its parent would make the same ids.
os.register_at_fork(after_in_child=_stock.clear)
