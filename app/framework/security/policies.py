"""The policy of a message: which scopes it takes, and whose it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.framework.mediator import Message
from app.framework.principal import Principal

MessageT = TypeVar("MessageT")


class Forbidden(Exception):
    """A principal may not send a message; whether what it is about exists is not looked at.

    scopes: those of which one would have been enough.
    """

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"This takes the scope {' or '.join(scopes)}.")
        self.scopes = scopes


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may send a message.

    scope: allows it for every aggregate.
    own: allows it to the owner of the aggregate; None if owning is not enough.
    owner: the user id of the owner, by the message alone; only with `own`.
    is_audited: whether queries by it have a line in the audit log, which commands have anyway: for
        those that give out personal data of all.
    """

    scope: str
    own: str | None = None
    owner: Callable[[Any], str | None] | None = None
    is_audited: bool = False

    def check(self, message: Message[Any], principal: Principal) -> None:
        """Return if `principal` may send `message`.

        Raises:
            Forbidden: it may not.

        """
        if self.scope in principal.scopes:
            return
        if self.own is None or self.owner is None or principal.user_id is None:
            raise Forbidden([self.scope])
        if self.owner(message) != principal.user_id:
            raise Forbidden([self.scope])
        if self.own not in principal.scopes:
            raise Forbidden([self.own, self.scope])

    @property
    def scopes(self) -> Sequence[str]:
        """All scopes that it names."""
        return [self.scope] if self.own is None else [self.own, self.scope]


Policies = Mapping[type[Message[Any]], Policy]
"""The policy of each message that has one."""


def owned(attribute: str, *, scope: str, own: str) -> Policy:
    """The policy of a message whose `attribute` is the user id of its owner."""
    return Policy(scope, own, lambda message: getattr(message, attribute))


def without_policy(
    policies: Policies, kinds: Iterable[type[Message[Any]]]
) -> Sequence[type[Message[Any]]]:
    """Those of `kinds` that have no policy, for start-up to refuse."""
    return [each for each in kinds if each not in policies]
