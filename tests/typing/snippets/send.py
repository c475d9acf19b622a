"""What a type checker makes of `send`. `# E: code` marks a line that must not pass."""

from dataclasses import dataclass
from typing import Any, assert_type

from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.contexts.users.read_models import UserProfile, UserSummary
from app.framework.mediator import Mediator, Query
from app.framework.projections import Page
from app.framework.request import Outcome


@dataclass(frozen=True, slots=True)
class CountUsers(Query[int]):
    """A message with a simple result."""


@dataclass(frozen=True, slots=True)
class Forget(Query[None]):
    """A message without one."""


async def the_result_is_inferred_from_the_message(mediator: Mediator) -> None:
    """No annotation, no cast."""
    outcome = await mediator.send(UpdateUserProfile(user_id="user123", name="Alice"))
    assert_type(outcome, Outcome[UserProfile])
    assert_type(outcome.value.name, str)
    assert_type(await mediator.send(CountUsers()), int)
    page = await mediator.send(ListUserSummaries())
    assert_type(page, Page[UserSummary])
    assert_type(page.items[0].avatar_url, str | None)
    wider: object = await mediator.send(CountUsers())
    del wider


async def the_result_is_nothing_else(mediator: Mediator) -> None:
    """Not Any either, which would pass for everything."""
    assert_type(await mediator.send(CountUsers()), Any)  # E: assert-type
    text: str = await mediator.send(CountUsers())  # E: arg-type
    (await mediator.send(UpdateUserProfile(user_id="user123"))).rename("Al")  # E: attr-defined
    number: int = await mediator.send(UpdateUserProfile(user_id="user123"))  # E: arg-type
    (await mediator.send(CountUsers())).upper()  # E: attr-defined
    wanting = await mediator.send(Forget())  # E: func-returns-value
    not_awaited: UserProfile = mediator.send(UpdateUserProfile(user_id="user123"))  # E: assignment
    del text, number, wanting, not_awaited


async def only_messages_are_sent(mediator: Mediator) -> None:
    """Neither the type of a message nor anything else."""
    await mediator.send(CountUsers)  # E: arg-type
    await mediator.send("CountUsers")  # E: arg-type
    UpdateUserProfile(user_id="user123", nickname="Al")  # E: call-arg
    UpdateUserProfile(user_id="user123", name=None)  # E: arg-type
