"""What a type checker makes of `handled_by`. `# E: code` marks a line that must not pass."""

from dataclasses import dataclass
from typing import TypeVar, assert_type

from app.contexts.users.commands.deactivate_user import DeactivateUser, deactivate_user
from app.contexts.users.commands.update_user_profile import UpdateUserProfile, update_user_profile
from app.contexts.users.domain.user import USERS, User
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import CommandHandlers, EventStore
from app.framework.mediator import (
    Deadline,
    Measure,
    Mediator,
    Message,
    Proceed,
    Query,
    Registration,
)
from app.framework.request import RequestContext

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class CountUsers(Query[int]):
    """A message with a simple result."""


@dataclass(frozen=True, slots=True)
class CountActiveUsers(CountUsers):
    """A message that is one of those."""


async def count(_: CountUsers, __: RequestContext) -> int:
    """The handler that fits."""
    return 0


async def count_any(_: Message[object], __: RequestContext) -> bool:
    """A handler that takes more and answers with less than need be fits as well."""
    return True


async def count_active(_: CountActiveUsers, __: RequestContext) -> int:
    """A handler that takes some of the messages only."""
    return 0


async def name(_: CountUsers, __: RequestContext) -> str:
    """A handler that answers with something else."""
    return ""


async def perhaps_count(_: CountUsers, __: RequestContext) -> int | None:
    """A handler that does not always answer."""
    return None


def count_at_once(_: CountUsers, __: RequestContext) -> int:
    """A handler that cannot be awaited."""
    return 0


def users_of(store: EventStore) -> CommandHandlers[User, UserProfile]:
    """Handlers of commands on users."""
    return CommandHandlers(store, USERS, aggregate_id=str, answer=profile)


def profile(_: object) -> UserProfile:
    """What commands on users answer."""
    raise NotImplementedError


def handlers_that_fit(store: EventStore) -> None:
    """Functions and objects, as long as they can be called so."""
    users = users_of(store)
    assert_type(CountUsers.handled_by(count), Registration)
    CountUsers.handled_by(count_any)
    CountActiveUsers.handled_by(count)
    DeactivateUser.handled_by(users.decided_by(deactivate_user))
    UpdateUserProfile.handled_by(users.decided_by(update_user_profile))


def handlers_of_another_message(store: EventStore) -> None:
    """Two commands with one type of result are two commands all the same."""
    users = users_of(store)
    UpdateUserProfile.handled_by(users.decided_by(deactivate_user))  # E: arg-type
    UpdateUserProfile.handled_by(count)  # E: arg-type
    CountUsers.handled_by(count_active)  # E: arg-type


def handlers_with_another_result() -> None:
    """The result of the handler is the result of the message."""
    CountUsers.handled_by(name)  # E: arg-type
    CountUsers.handled_by(perhaps_count)  # E: arg-type
    CountUsers.handled_by(count_at_once)  # E: arg-type


class Retry:
    """A behaviour suits any message."""

    async def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> ResultT:
        """Proceed, and again."""
        return await proceed(message, context)


async def only_for_counts(
    message: CountUsers, context: RequestContext, proceed: Proceed[int]
) -> int:
    """No behaviour: it does not suit any message."""
    return await proceed(message, context)


def behaviours(mediator: Mediator, measure: Measure, deadline: Deadline) -> None:
    """What is registered around handlers is checked too."""
    mediator.register(CountUsers.handled_by(count), behaviours=[measure, deadline, Retry()])
    mediator.register(CountUsers.handled_by(count), behaviours=[only_for_counts])  # E: list-item
    mediator.register(CountUsers, behaviours=[])  # E: arg-type
