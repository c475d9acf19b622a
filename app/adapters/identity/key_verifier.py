"""Verifies API keys by a list of them in memory, which is never older than 5 seconds."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context

from app.adapters.identity.key_form import digest_of, id_of
from app.framework.observability.metrics import gauge
from app.framework.observability.outages import note_outage
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import IdentityUnavailable, InvalidToken
from app.framework.security.api_keys import (
    NO_LIST,
    ApiKey,
    KeyCopy,
    KeyList,
    KeyListSource,
    KeyStore,
)
from app.framework.storage import StorageError, StorageNotReady, StorageUnavailable

REFRESH_SECONDS = 2.0

KEPT_SECONDS = 5.0
"""How old the list may be: a revoked key is refused after that time at the latest."""

SOURCE_SECONDS = 1.0
"""How long a source may take to answer: both have their turn before the list is too old."""

RETRY_SECONDS = 0.5

COMPARE_SECONDS = 10.0
"""How often a process with both sources looks whether the copy is up to date."""

USE_SECONDS = 60.0
"""How often the use of a key is recorded."""


_READ = gauge("api_keys_read_timestamp_seconds", "When the list of API keys was read last.")


class KeyVerifier:
    """Verifies API keys. Implements Authenticator.

    A process with the store reads the list there. It falls back on the copy, and keeps it up to
    date. A process without the store has the copy alone. A copy never takes the place of a list of
    another log, or of a newer one.
    """

    def __init__(
        self,
        store: KeyStore | None,
        copy: KeyCopy | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """One of `store` and `copy` may be None. `clock` measures the age of the list."""
        self._store = store
        self._copy = copy
        self._clock = clock
        self._now = now
        self._list: KeyList | None = None
        self._keys: Mapping[str, tuple[ApiKey, Principal]] = {}
        self._read_at: float | None = None
        self._trouble: str | None = None
        self._compared_at: float | None = None
        self._used_at: dict[str, float] = {}
        self._unsaved: set[str] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._background: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the list, if possible, and keep it up to date from now on."""
        await asyncio.shield(self._refresh_once())
        self._background = asyncio.create_task(self._keep_fresh(), name="API keys")

    async def close(self) -> None:
        """Give up what is under way, and disconnect."""
        for task in (self._background, self._refreshing):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        for source in self._sources:
            await source.close()

    @property
    def trouble(self) -> str | None:
        """Why no key can be verified; None if they can."""
        return None if self._is_fresh else self._trouble or "the list of API keys was not read yet"

    async def authenticate(self, token: str) -> Principal:
        """The principal of a key; see Authenticator."""
        key_id = id_of(token)
        if not self._is_fresh and self._trouble is None:
            # Not read yet, or the process slept: no source has failed.
            await asyncio.shield(self._refresh_once())
        if not self._is_fresh:
            raise IdentityUnavailable(f"API keys: {self.trouble}")
        known = self._keys.get(key_id)
        if known is None or not hmac.compare_digest(known[0].digest, digest_of(token)):
            raise InvalidToken("It is no API key of this service.")
        key, principal = known
        if key.is_revoked:
            raise InvalidToken("It was revoked.")
        if principal.expires_at is not None and principal.expires_at <= self._now():
            raise InvalidToken("It has expired.")
        if self._store is not None:
            self._note_use(key_id)
        return principal

    @property
    def _sources(self) -> Sequence[KeyListSource]:
        return [each for each in (self._store, self._copy) if each is not None]

    @property
    def _is_fresh(self) -> bool:
        return self._read_at is not None and self._clock() < self._read_at + KEPT_SECONDS

    async def _keep_fresh(self) -> None:
        while True:
            seconds = REFRESH_SECONDS if self._trouble is None else RETRY_SECONDS
            began = self._clock()
            await self._save_uses()
            await self._compare_copy()
            await asyncio.sleep(max(RETRY_SECONDS, seconds - (self._clock() - began)))
            await asyncio.shield(self._refresh_once())

    def _refresh_once(self) -> asyncio.Task[None]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(
                self._refresh(),
                name="list of API keys",
                context=Context(),  # of no request
            )
        return self._refreshing

    async def _refresh(self) -> None:
        troubles = []
        for source in self._sources:
            # What is committed by now is in the list.
            began = self._clock()
            try:
                async with asyncio.timeout(SOURCE_SECONDS):
                    found = await source.read(known=self._list)
                if found is not None and source is self._copy:
                    self._check_copy(found)
            except Exception as error:  # noqa: BLE001 - the next attempt may succeed
                troubles.append(_noted(source, error))
                continue
            if found is not None:
                self._take(found)
            self._read_at = began
            _READ.of().value = time.time()
            self._trouble = None
            return
        self._trouble = "; ".join(troubles)

    def _check_copy(self, found: KeyList) -> None:
        """Return if the list in the copy can take the place of the known one.

        Raises:
            StorageNotReady: it cannot.

        """
        assert self._copy
        if found is NO_LIST:
            raise StorageNotReady(f"{self._copy.name} has no list of API keys")
        if self._list is not None and found.log != self._list.log:
            raise StorageNotReady(f"the list in {self._copy.name} is of another log")
        if self._list is not None and found.version < self._list.version:
            raise StorageNotReady(f"the list in {self._copy.name} is not up to date")

    def _take(self, found: KeyList) -> None:
        self._keys = {each.id: (each, _principal(each)) for each in found.keys}
        self._list = found
        self._compared_at = None

    def _note_use(self, key_id: str) -> None:
        now = self._clock()
        used_at = self._used_at.get(key_id)
        if used_at is None or now >= used_at + USE_SECONDS:
            self._used_at[key_id] = now
            self._unsaved.add(key_id)

    async def _save_uses(self) -> None:
        if self._store is None or not self._unsaved:
            return
        saving = frozenset(self._unsaved)
        # Any failure is tried again, as the list is read on; that logs an outage.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(SOURCE_SECONDS):
                await self._store.save_uses(saving)
            self._unsaved -= saving

    async def _compare_copy(self) -> None:
        """Bring the copy up to date: MongoDB may have been down or restored meanwhile."""
        known = self._list
        if self._store is None or self._copy is None or known is None or not self._is_due:
            return
        self._compared_at = self._clock()
        try:
            async with asyncio.timeout(SOURCE_SECONDS):
                if await self._copy.read(known=known) is not None:
                    await self._copy.write(known)
        except Exception as error:  # noqa: BLE001 - or the list would not be read again
            _noted(self._copy, error)

    @property
    def _is_due(self) -> bool:
        return self._compared_at is None or self._clock() >= self._compared_at + COMPARE_SECONDS


def _principal(key: ApiKey) -> Principal:
    return Principal(
        kind=PrincipalKind.KEY,
        subject=key.id,
        scopes=key.scopes,
        expires_at=None if key.expires_at is None else key.expires_at.timestamp(),
    )


def _noted(source: KeyListSource, error: Exception) -> str:
    """Log the failure of a source, once for an outage, and say what it is."""
    if isinstance(error, TimeoutError):
        error = StorageUnavailable(source.name, f"no answer within {SOURCE_SECONDS:g} s")
    note_outage(error.storage if isinstance(error, StorageUnavailable) else "API keys", error)
    return error.summary if isinstance(error, StorageError) else type(error).__name__
