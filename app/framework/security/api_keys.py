"""API keys: what is stored of them, and the ports to where they are stored.

The list of keys is in PostgreSQL. MongoDB has a copy of it for processes without PostgreSQL. A key
itself is stored nowhere: only its digest is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a process has to know of a key to accept it.

    id: its name in logs and commands; no secret.
    digest: the SHA-256 digest of the whole key.
    expires_at: from then on it is refused; None for never.
    """

    id: str
    digest: bytes
    scopes: frozenset[str]
    expires_at: datetime | None = None
    is_revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """All keys, also those that were revoked or have expired.

    log: the identity of the log that the keys are stored with.
    version: grows with each change, also over a restore of an earlier list. Those of different logs
        say nothing about each other.
    """

    log: str
    version: int
    keys: Sequence[ApiKey] = ()

    def is_list(self, log: str, version: int) -> bool:
        """Whether it is the list of this log and version: there are no two."""
        return (self.log, self.version) == (log, version)


NO_LIST = KeyList(log="", version=-1)
"""What is read where no list was ever written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDetails:
    """What operators see of a key.

    name: says what it is for; names may repeat.
    last_used_at: some two minutes late at most, by processes with PostgreSQL; None if none has
        used it.
    """

    id: str
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyListSource(Protocol):
    """Where the list of keys can be read."""

    @property
    def name(self) -> str:
        """The name of the storage."""
        ...

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        """The list as it is now, after all changes that are complete; NO_LIST if there is none.

        None instead if it is `known`, which saves reading all of it.

        Raises:
            StorageUnavailable, StorageNotReady: it cannot be read.

        """
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class KeyStore(KeyListSource, Protocol):
    """The list of keys itself.

    A change that raises StorageUnavailable may have been made.
    """

    async def add(
        self, key: ApiKey, name: str, *, valid_for: timedelta | None = None
    ) -> KeyDetails:
        """Add a key; it expires `valid_for` after now, by the clock of the store.

        Raises:
            StorageUnavailable, StorageNotReady: the store cannot be used.

        """
        ...

    async def revoke(self, key_id: str) -> KeyDetails | None:
        """Revoke a key; None if there is none of this id. One that is revoked stays as it is.

        Raises:
            StorageUnavailable, StorageNotReady: the store cannot be used.

        """
        ...

    async def renew(self, *, above: int) -> KeyList:
        """Give the list a new version, higher than `above`, and return it.

        Raises:
            StorageUnavailable, StorageNotReady: the store cannot be used.

        """
        ...

    async def details(self) -> Sequence[KeyDetails]:
        """All keys, the oldest first.

        Raises:
            StorageUnavailable, StorageNotReady: the store cannot be used.

        """
        ...

    async def save_uses(self, key_ids: Collection[str]) -> None:
        """Record that these keys are used now, of each at most once a minute.

        Raises:
            StorageUnavailable, StorageNotReady: the store cannot be used.

        """
        ...


class KeyCopy(KeyListSource, Protocol):
    """A copy of the list, for processes without the store.

    It is in the read model. A list of another log than that of the read model is read as NO_LIST.
    """

    async def write(self, keys: KeyList) -> None:
        """Replace the copy, unless it is of the same log, and has this version or a newer one.

        Raises:
            StorageUnavailable: whether it was replaced is unknown.
            StorageNotReady: the copy cannot be used, or the read model is of another log.

        """
        ...
