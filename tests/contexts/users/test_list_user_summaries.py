"""The query for lists of users, from the message to the view."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.users.commands.reactivate_user import ReactivateUser
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain import values
from app.contexts.users.queries.get_user_history import GetUserHistory
from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.contexts.users.read_models import UserSummary
from app.framework.projections import InvalidCursor
from tests.contexts.users.populated import ALICE, NAMES, pages, populated
from tests.world import World


async def ids(world: World, **query) -> list[str]:
    """The ids of one page."""
    return [each.id for each in (await world.send(ListUserSummaries(**query))).items]


async def test_a_summary_is_id_name_and_avatar(world):
    """No more, and as the profile has them."""
    await world.send(ALICE)
    await world.catch_up()
    page = await world.send(ListUserSummaries())
    assert page.items == [UserSummary("alice", "Alice Smith", "https://a.example/a")]
    assert page.next_cursor is None


async def test_without_users_the_list_is_empty(world):
    """An empty list is no error."""
    assert (await world.send(ListUserSummaries())).items == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["u2", "u3", "u5", "u6", "u4", "u1"]),
        ("-name", ["u1", "u4", "u6", "u5", "u3", "u2"]),
    ],
)
async def test_names_sort_without_case_and_accents(world, sort, expected):
    """Those that are the same without them are in the order of their ids."""
    assert await ids(await populated(world), sort=sort) == expected


async def test_users_sort_by_the_time_of_registration(world):
    """Oldest first or last; a change of the profile does not move a user."""
    await populated(world)
    await world.send(UpdateUserProfile("u1", name="Aaron"))
    await world.catch_up()
    assert await ids(world, sort="created_at") == list(NAMES)
    assert await ids(world, sort="-created_at") == list(NAMES)[::-1]


async def test_a_list_has_users_of_one_status(world):
    """Active ones unless it is asked otherwise; a reactivated user is back."""
    await populated(world)
    assert "gone" not in await ids(world)
    assert await ids(world, status="deactivated") == ["gone"]
    await world.send(ReactivateUser("gone"))
    await world.catch_up()
    assert "gone" in await ids(world)
    assert await ids(world, status="deactivated") == []


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 200])
@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
async def test_pages_together_are_the_list(world, sort, limit):
    """Following the cursors shows every user once, in order, and ends."""
    await populated(world)
    walked = await pages(world, ListUserSummaries, sort=sort, limit=limit)
    assert [each.id for each in walked] == await ids(world, sort=sort)


async def test_a_page_stays_where_it_was(world):
    """Who registers between two pages moves nobody onto a page for a second time."""
    await populated(world)
    first = await world.send(ListUserSummaries(limit=3))
    await world.send(RegisterUser("u0", "Aa", "u0@example.com"))
    await world.catch_up()
    second = await world.send(ListUserSummaries(limit=3, cursor=first.next_cursor))
    assert [each.id for each in (*first.items, *second.items)] == [
        "u2",
        "u3",
        "u5",
        "u6",
        "u4",
        "u1",
    ]


@pytest.mark.parametrize(
    "other", [{"status": "deactivated"}, {"q": "a"}, {"sort": "-name"}, {"sort": "created_at"}]
)
async def test_a_cursor_belongs_to_its_filters(world, other):
    """With another filter or order it is refused; the limit may change."""
    await populated(world)
    cursor = (await world.send(ListUserSummaries(limit=2))).next_cursor
    assert len(await ids(world, limit=3, cursor=cursor)) == 3
    with pytest.raises(InvalidCursor):
        await world.send(ListUserSummaries(cursor=cursor, **other))


@pytest.mark.parametrize(
    ("query", "cursor"),
    [
        (ListUserSummaries(limit=1), "WyJkYzdmNzY0NzkwMjYiLDAsImFsIiwidTEiXQ"),
        (
            ListUserSummaries(q="a", sort="-name", limit=1),
            "WyI2MWNiYWQ4OGM5NDEiLDAsImFuZyIsInU1Il0",
        ),
        (
            ListUserSummaries(q="ali", limit=1),
            "WyI4ZjFhZDZiOTVhOTQiLDAsImFsaWNlIiwidTIiXQ",
        ),
        (GetUserHistory("u1", limit=1), "WyI1Y2Y2NjhiMjU5YjAiLDAsMSwidTE6MSJd"),
    ],
    ids=["list", "search", "search and order", "history"],
)
async def test_a_cursor_of_an_earlier_release_leads_on(world, query, cursor):
    """Clients hold these: they were given out before the code was changed."""
    await populated(world)
    await world.send(UpdateUserProfile("u1", name="Al"))
    await world.catch_up()
    assert (await world.send(query)).next_cursor == cursor
    assert (await world.send(replace(query, cursor=cursor))).items


async def test_a_cursor_is_short_whatever_the_names(world):
    """Names that are much longer when folded are told apart by it all the same."""
    for user_id in ("a", "b", "c"):
        name = values.name("\ufdfa" * 200)
        await world.send(RegisterUser(user_id, name, f"{user_id}@example.com"))
    await world.catch_up()
    page = await world.send(ListUserSummaries(limit=1))
    assert len(page.next_cursor) <= 1024
    walked = await pages(world, ListUserSummaries, limit=1)
    assert [each.id for each in walked] == ["a", "b", "c"]


async def test_a_cursor_belongs_to_its_list(world):
    """The cursor of a history is none of a list of users."""
    await populated(world)
    await world.send(UpdateUserProfile("u1", name="Al"))
    await world.catch_up()
    cursor = (await world.send(GetUserHistory("u1", limit=1))).next_cursor
    with pytest.raises(InvalidCursor):
        await world.send(ListUserSummaries(cursor=cursor))


@pytest.mark.parametrize("cursor", ["", "x", "null", "bnVsbA", "é", "=" * 9])
async def test_a_made_up_cursor_is_refused(world, cursor):
    """Anything that is not a cursor of this service is refused, not an error of ours."""
    with pytest.raises(InvalidCursor):
        await world.send(ListUserSummaries(cursor=cursor))


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("ali", ["u2", "u3"]),
        ("ALICE", ["u2", "u3"]),
        ("ang", ["u5"]),
        ("lee sm", ["u4"]),
        ("bob", ["u6", "u4"]),
        ("smithy", []),
        ("lice", []),
    ],
)
async def test_a_search_finds_beginnings_of_words(world, q, expected):
    """Whatever the case and accents, of the name there is now, in the order asked for."""
    await populated(world)
    assert await ids(world, q=q) == expected
    assert await ids(world, q=q, sort="-name") == expected[::-1]


async def test_a_search_follows_the_name(world):
    """A user is found by their new name and no longer by the old."""
    await populated(world)
    await world.send(UpdateUserProfile("u1", name="Yves"))
    await world.catch_up()
    assert await ids(world, q="zoe") == []
    assert await ids(world, q="yv") == ["u1"]


@settings(max_examples=40)
@given(
    names=st.lists(st.text("ab ", max_size=7).filter(str.strip), max_size=12),
    q=st.text("ab ", min_size=1, max_size=5).filter(str.strip),
    limit=st.integers(1, 5),
)
async def test_searches_agree_with_a_naive_one(names, q, limit):
    """Page by page, a search shows those whose words, joined, begin as it does somewhere."""
    world = World()
    for number, name in enumerate(names):
        await world.send(RegisterUser(f"u{number:02}", name, f"{number}@example.com"))
    await world.catch_up()

    found = await pages(world, ListUserSummaries, q=q, limit=limit, sort="created_at")

    wanted = " " + " ".join(q.split())
    assert sorted(each.id for each in found) == [
        f"u{number:02}"
        for number, name in enumerate(names)
        if wanted in " " + " ".join(name.split())
    ]
