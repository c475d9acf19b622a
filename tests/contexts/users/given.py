"""What has happened to a user, what is asked, what happens then.

given(REGISTERED, UserDeactivated()).when(User.update, name="Bob").then_raises(UserIsDeactivated)
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from app.contexts.users.domain.user import User
from app.framework.eventsourcing import Event


def given(*events: Event) -> "Given":
    """A user to whom `events` have happened, the first being the registration."""
    return Given(functools.reduce(User.evolve, events, None))


@dataclass(frozen=True)
class Given:
    """The state that a decision is made on."""

    user: User | None

    def when(self, decide: Callable[..., Sequence[Event]], **arguments: Any) -> "Decision":
        """`decide`, a method of User, is called with `arguments`."""
        return Decision(functools.partial(decide, self.user, **arguments))

    def then_user(self, **expected: Any) -> None:
        """The fields named are as `expected` says."""
        assert {name: getattr(self.user, name) for name in expected} == expected


@dataclass(frozen=True)
class Decision:
    """A decision about to be made."""

    make: Callable[[], Sequence[Event]]

    def then(self, *events: Event) -> None:
        """It leads to exactly `events`, in this order."""
        assert list(self.make()) == list(events)

    def then_raises(self, error: type[Exception], message: str) -> None:
        """It is refused with this error, in these words."""
        with pytest.raises(error) as refused:
            self.make()
        assert str(refused.value) == message
