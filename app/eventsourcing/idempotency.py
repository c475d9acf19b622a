"""Commands that may be sent more than once and are carried out once."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a sender names a command by, so as to be able to repeat it.

    value: chosen by the sender, for this command only.
    fingerprint: of what is asked for; tells a repeat from another command under one key.
    """

    value: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a command was carried out: its stream stood at `version` after it."""

    key: IdempotencyKey
    stream_id: str
    version: int


@dataclass(slots=True)
class IdempotentCommand:
    """A command under way; `replayed` tells that it had been carried out before."""

    key: IdempotencyKey
    replayed: bool = False


_under_way: ContextVar[IdempotentCommand | None] = ContextVar("idempotent_command", default=None)


@contextlib.contextmanager
def idempotent(key: IdempotencyKey) -> Iterator[IdempotentCommand]:
    """Have the command sent within carried out only if none was under this key before.

    The key is recorded with the first change of an aggregate; a command under a key may
    change one aggregate only.
    """
    command = IdempotentCommand(key)
    token = _under_way.set(command)
    try:
        yield command
    finally:
        _under_way.reset(token)


def idempotent_command() -> IdempotentCommand | None:
    """The command under way, if it has a key."""
    return _under_way.get()
