"""API keys in tests: the list in memory, which fails when a test says so, and refusals."""

import pytest

from app.adapters.identity import KeyVerifier, digest_of, id_of, new_key
from app.adapters.memory.api_keys import MemoryKeyCopy, MemoryKeys
from app.framework.security import InvalidToken
from app.framework.security.api_keys import ApiKey, KeyList, KeyStore
from app.framework.storage import StorageUnavailable


class FailingKeys(MemoryKeys):
    """A store that is down while `is_down`; `reads` counts attempts."""

    is_down = False
    reads = 0

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        """As `KeyListSource.read`, while it is up."""
        self.reads += 1
        if self.is_down:
            raise StorageUnavailable("PostgreSQL", "it cannot be reached")
        return await super().read(known=known)


class FailingCopy(MemoryKeyCopy):
    """A copy that is down while `is_down`."""

    is_down = False

    async def read(self, *, known: KeyList | None = None) -> KeyList | None:
        """As `KeyListSource.read`, while it is up."""
        if self.is_down:
            raise StorageUnavailable("MongoDB", "it cannot be reached")
        return await super().read(known=known)


async def added(store: KeyStore, scopes: str = "users:read:any", **rest) -> str:
    """A new key that the store has."""
    key = new_key()
    made = ApiKey(id=id_of(key), digest=digest_of(key), scopes=frozenset(scopes.split()))
    await store.add(made, "a test", **rest)
    return key


async def stored(store: MemoryKeys) -> KeyList:
    """The list, all of it."""
    found = await MemoryKeys.read(store)
    assert found
    return found


async def refusal(verifier: KeyVerifier, key: str) -> str:
    """Why a key is refused."""
    with pytest.raises(InvalidToken) as refused:
        await verifier.authenticate(key)
    assert key not in str(refused.value)
    return str(refused.value)
