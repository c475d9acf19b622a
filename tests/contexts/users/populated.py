"""Users to query, and all pages of a query."""

from typing import Any

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.register_user import RegisterUser
from tests.world import World

ALICE = RegisterUser("alice", "Alice Smith", "alice@example.com", "https://a.example/a", "Reads.")

NAMES = {"u1": "Zoë", "u2": "alice", "u3": "Alice", "u4": "Bob-Lee Smith", "u5": "Ång", "u6": "bob"}


async def populated(world: World) -> World:
    """The users of NAMES, registered in that order, and a deactivated one."""
    for user_id, name in NAMES.items():
        await world.send(RegisterUser(user_id, name, f"{user_id}@example.com"))
    await world.send(RegisterUser("gone", "Alice", "gone@example.com"))
    await world.send(DeactivateUser("gone"))
    await world.catch_up()
    return world


async def pages(world: World, query_type, **query) -> list[Any]:
    """The items of all pages, followed by their cursors."""
    items, cursor = [], None
    while True:
        page = await world.send(query_type(**query, cursor=cursor))
        assert len(page.items) <= query["limit"]
        assert page.items or cursor is None
        items += page.items
        if (cursor := page.next_cursor) is None:
            return items
