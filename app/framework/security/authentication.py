"""The port to what verifies tokens."""

from typing import Protocol

from app.framework.principal import Principal


class InvalidToken(Exception):
    """A token that is not accepted; the message says why, without any part of the token."""


class IdentityUnavailable(Exception):
    """A token cannot be verified: there are no keys of its issuer, or no list of API keys."""


class Authenticator(Protocol):
    """Verifies tokens."""

    async def authenticate(self, token: str) -> Principal:
        """The principal of a token.

        Raises:
            InvalidToken: it is forged, malformed, expired, revoked, or for another service.
            IdentityUnavailable: it may be valid, but that cannot be found out.

        """
        ...

    async def open(self) -> None:
        """Get ready; that the issuer cannot be reached is no error here."""
        ...

    async def close(self) -> None:
        """Release what `open` has taken."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why tokens cannot be verified at present; None if they can."""
        ...
