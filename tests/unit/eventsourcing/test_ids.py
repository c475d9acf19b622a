"""Identifiers that sort by time."""

import os
import time
from itertools import pairwise
from uuid import RFC_4122, UUID

from app.framework.eventsourcing import uuid7


def milliseconds(each: UUID) -> int:
    """When it was made, as it says."""
    return each.int >> 80


def test_an_id_is_a_uuid_of_version_7():
    """Version and variant stand where RFC 9562 wants them."""
    for _ in range(1000):
        each = UUID(uuid7())
        assert (each.version, each.variant) == (7, RFC_4122)
        assert str(each)[14] == "7"
        assert str(each)[19] in "89ab"


def test_an_id_says_when_it_was_made():
    """Its first 48 bits are Unix milliseconds."""
    before = time.time_ns() // 1_000_000
    made = milliseconds(UUID(uuid7()))
    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_sort_by_the_millisecond():
    """As numbers and as texts, those of a later millisecond come later."""
    ids = [UUID(uuid7())]
    while milliseconds(ids[-1]) < milliseconds(ids[0]) + 5:
        ids.append(UUID(uuid7()))
    for one, other in pairwise(ids):
        if milliseconds(one) != milliseconds(other):
            assert one < other
            assert str(one) < str(other)


def test_ids_are_unique_and_random_in_every_other_bit():
    """Of many made at once no two are equal, and no bit stands still but version and variant."""
    ids = [UUID(uuid7()).int for _ in range(5000)]
    assert len(set(ids)) == 5000
    random_bits = (1 << 80) - 1 & ~(0xF << 76) & ~(0b11 << 62)
    always, never = random_bits, random_bits
    for each in ids:
        always &= each
        never &= ~each
    assert (always, never) == (0, 0)


def test_random_bytes_are_drawn_for_many_ids_at_once(monkeypatch):
    """A draw for each would keep other threads from the interpreter's lock."""
    draws = []

    def drawn(size):
        draws.append(size)
        return urandom(size)

    urandom = os.urandom
    monkeypatch.setattr(os, "urandom", drawn)
    for _ in range(1000):
        uuid7()
    assert 1 <= len(draws) <= 4


def test_a_fork_makes_other_ids():
    """Also of the random bytes that its parent has in stock."""
    uuid7(), uuid7()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, " ".join(uuid7() for _ in range(50)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        others = pipe.read().split()
    os.waitpid(child, 0)
    own = [uuid7() for _ in range(50)]
    assert len(others) == 50
    assert {each[15:] for each in own}.isdisjoint(each[15:] for each in others)
