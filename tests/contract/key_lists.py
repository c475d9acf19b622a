"""API keys for a list, and what a source of the list has."""

from app.adapters.identity import digest_of, id_of, new_key
from app.framework.security.api_keys import ApiKey, KeyCopy, KeyList, KeyStore


def made(*scopes: str) -> tuple[str, ApiKey]:
    """A new key, and what is stored of it."""
    key = new_key()
    return key, ApiKey(id=id_of(key), digest=digest_of(key), scopes=frozenset(scopes or ("a",)))


async def listed(source: KeyStore | KeyCopy) -> KeyList:
    """All of the list."""
    found = await source.read()
    assert found
    return found
