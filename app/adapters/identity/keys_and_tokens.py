"""API keys beside the tokens of issuers."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from app.adapters.identity.key_form import PREFIX
from app.framework.principal import Principal
from app.framework.security import Authenticator


class KeysAndTokens:
    """Gives API keys, told by their prefix, to one authenticator, and all else to another.

    Implements Authenticator.
    """

    def __init__(self, keys: Authenticator, tokens: Authenticator) -> None:
        self._keys = keys
        self._tokens = tokens

    def authenticate(self, token: str) -> Coroutine[Any, Any, Principal]:
        """The principal of a token; see Authenticator."""
        chosen = self._keys if token.startswith(PREFIX) else self._tokens
        return chosen.authenticate(token)

    async def open(self) -> None:
        """Open both; the tokens first, as that may refuse the start."""
        await self._tokens.open()
        await self._keys.open()

    async def close(self) -> None:
        """Close both."""
        await asyncio.gather(self._keys.close(), self._tokens.close())

    @property
    def trouble(self) -> str | None:
        """Why tokens cannot be verified. A list of keys that cannot be read is no trouble here.

        Its databases have checks of their own, and others' tokens are verified all the same.
        """
        return self._tokens.trouble
