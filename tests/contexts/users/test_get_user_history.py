"""The query for what happened to a user, from the message to the view."""

import pytest

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.queries.get_user_history import GetUserHistory
from app.framework.projections import InvalidCursor
from tests.contexts.users.populated import ALICE, pages, populated


async def test_the_history_is_the_stream(world):
    """Every event once, oldest first, with its payload, and none of other users."""
    await world.send(ALICE)
    await populated(world)
    await world.send(UpdateUserProfile("alice", name="Al", bio=None))
    await world.send(DeactivateUser("alice"))
    await world.catch_up()

    history = (await world.send(GetUserHistory("alice"))).items

    stream = await world.event_store.load("user-alice")
    assert [each.version for each in history] == [1, 2, 3, 4]
    assert [each.occurred_at for each in history] == [each.recorded_at for each in stream]
    assert [(each.type, each.data) for each in history][1:] == [
        ("UserNameChanged", {"name": "Al"}),
        ("UserBioChanged", {"bio": None}),
        ("UserDeactivated", {}),
    ]


@pytest.mark.parametrize("limit", [1, 3, 10, 11, 200])
async def test_pages_together_are_the_history(world, limit):
    """Following the cursors shows every event once, in order, past the tenth version too."""
    await world.send(ALICE)
    for number in range(10):
        await world.send(UpdateUserProfile("alice", bio=str(number)))
    await world.catch_up()
    walked = await pages(world, GetUserHistory, user_id="alice", limit=limit)
    assert [each.version for each in walked] == list(range(1, 12))


async def test_an_unknown_user_has_no_history(world):
    """It is refused, not an empty list."""
    await populated(world)
    with pytest.raises(UserNotFound):
        await world.send(GetUserHistory("nobody"))


async def test_a_cursor_belongs_to_its_user(world):
    """The cursor of one history is refused for another."""
    await populated(world)
    for user_id in ("u1", "u2"):
        await world.send(UpdateUserProfile(user_id, name="Al"))
    await world.catch_up()
    cursor = (await world.send(GetUserHistory("u1", limit=1))).next_cursor
    with pytest.raises(InvalidCursor):
        await world.send(GetUserHistory("u2", limit=1, cursor=cursor))
