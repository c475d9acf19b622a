"""The principal of a message: for whom it is carried out."""

import enum
import hashlib
from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property


class PrincipalKind(enum.StrEnum):
    """What a principal is.

    USER: a person, who owns a profile.
    CLIENT: a program with credentials of its own; it owns nothing.
    KEY: a program with an API key; it owns nothing.
    OPERATOR: a command on the service's own machine.
    SERVICE: the service itself, for work that it shares among requests.
    ANYONE: no principal is known, as the service runs without authentication.
    """

    USER = "user"
    CLIENT = "client"
    KEY = "key"
    OPERATOR = "operator"
    SERVICE = "service"
    ANYONE = "anyone"


class _AllScopes(Container[str]):
    def __contains__(self, _: object) -> bool:
        return True


ALL_SCOPES: Container[str] = _AllScopes()
"""Every scope, of every context."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A principal, as its token, its API key or its process says.

    issuer: who vouches for the subject; empty for the service itself.
    subject: identifies it at the issuer.
    scopes: what it may do.
    user_id: the id of the profile that it owns; None if it owns none.
    expires_at: when its token expires, in seconds since the epoch; None for never.
    """

    kind: PrincipalKind
    issuer: str = ""
    subject: str = ""
    scopes: Container[str] = frozenset()
    user_id: str | None = None
    expires_at: float | None = None

    @cached_property
    def actor(self) -> str | None:
        """What events record: who sent the command. None if that is not known."""
        if self.kind is PrincipalKind.ANYONE:
            return None
        parts = (self.kind.value, self.issuer, self.subject)
        return " ".join(each for each in parts if each)

    @cached_property
    def realm(self) -> str:
        """Separates what principals name freely, such as idempotency keys; empty for anyone.

        The same for a subject of an issuer, with all its tokens; but a program may have the name
        of a person (RFC 9068, section 5).
        """
        if self.kind is PrincipalKind.ANYONE:
            return ""
        named = f"{self.kind}\0{self.issuer}\0{self.subject}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]


ANYONE = Principal(kind=PrincipalKind.ANYONE, scopes=ALL_SCOPES)
"""The principal of every request where the service runs without authentication."""

ANONYMOUS = Principal(kind=PrincipalKind.ANYONE)
"""The principal of a request for what is public, without a token that is accepted."""

THE_SERVICE = Principal(kind=PrincipalKind.SERVICE, scopes=ALL_SCOPES)
"""The principal of reads that are shared among requests, each of which was authorised before."""


def operator(command: str) -> Principal:
    """The principal of a command that an operator runs beside the databases, which admit it."""
    return Principal(kind=PrincipalKind.OPERATOR, subject=command, scopes=ALL_SCOPES)
