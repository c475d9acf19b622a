"""The query for a profile, from the message to the view."""

import pytest

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.queries.get_user_profile import GetUserProfile
from tests.contexts.users.populated import ALICE, populated


async def test_the_profile_is_what_the_command_answered(world):
    """Once the view has caught up, reading gives what writing gave."""
    answered = await world.send(ALICE)
    await world.catch_up()
    assert await world.send(GetUserProfile("alice")) == answered

    await world.send(UpdateUserProfile("alice", name="Al", bio=None))
    answered = await world.send(DeactivateUser("alice"))
    await world.catch_up()
    assert await world.send(GetUserProfile("alice")) == answered


async def test_an_unknown_user_is_not_found(world):
    """The refusal names the id."""
    await populated(world)
    with pytest.raises(UserNotFound, match=r"^User with ID nobody not found\.$"):
        await world.send(GetUserProfile("nobody"))
