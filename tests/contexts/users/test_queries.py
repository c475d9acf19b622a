"""The queries, from the message to the views."""

import contextlib
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.reactivate_user import ReactivateUser
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain import values
from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.queries.get_past_user_profile import GetPastUserProfile
from app.contexts.users.queries.get_user_history import GetUserHistory
from app.contexts.users.queries.get_user_profile import GetUserProfile
from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.contexts.users.read_models import UserSummary
from app.framework.projections import InvalidCursor
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


async def ids(world: World, **query) -> list[str]:
    """The ids of one page."""
    return [each.id for each in (await world.send(ListUserSummaries(**query))).items]


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


class TestGetUserProfile:
    """A profile as it is now."""

    async def test_the_profile_is_what_the_command_answered(self, world):
        """Once the view has caught up, reading gives what writing gave."""
        answered = await world.send(ALICE)
        await world.catch_up()
        assert await world.send(GetUserProfile("alice")) == answered

        await world.send(UpdateUserProfile("alice", name="Al", bio=None))
        answered = await world.send(DeactivateUser("alice"))
        await world.catch_up()
        assert await world.send(GetUserProfile("alice")) == answered

    async def test_an_unknown_user_is_not_found(self, world):
        """The refusal names the id."""
        await populated(world)
        with pytest.raises(UserNotFound, match=r"^User with ID nobody not found\.$"):
            await world.send(GetUserProfile("nobody"))


class TestListUserSummaries:
    """Pages of users."""

    async def test_a_summary_is_id_name_and_avatar(self, world):
        """No more, and as the profile has them."""
        await world.send(ALICE)
        await world.catch_up()
        page = await world.send(ListUserSummaries())
        assert page.items == [UserSummary("alice", "Alice Smith", "https://a.example/a")]
        assert page.next_cursor is None

    async def test_without_users_the_list_is_empty(self, world):
        """An empty list is no error."""
        assert (await world.send(ListUserSummaries())).items == []

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("name", ["u2", "u3", "u5", "u6", "u4", "u1"]),
            ("-name", ["u1", "u4", "u6", "u5", "u3", "u2"]),
        ],
    )
    async def test_names_sort_without_case_and_accents(self, world, sort, expected):
        """Those that are the same without them are in the order of their ids."""
        assert await ids(await populated(world), sort=sort) == expected

    async def test_users_sort_by_the_time_of_registration(self, world):
        """Oldest first or last; a change of the profile does not move a user."""
        await populated(world)
        await world.send(UpdateUserProfile("u1", name="Aaron"))
        await world.catch_up()
        assert await ids(world, sort="created_at") == list(NAMES)
        assert await ids(world, sort="-created_at") == list(NAMES)[::-1]

    async def test_a_list_has_users_of_one_status(self, world):
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
    async def test_pages_together_are_the_list(self, world, sort, limit):
        """Following the cursors shows every user once, in order, and ends."""
        await populated(world)
        walked = await pages(world, ListUserSummaries, sort=sort, limit=limit)
        assert [each.id for each in walked] == await ids(world, sort=sort)

    async def test_a_page_stays_where_it_was(self, world):
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
    async def test_a_cursor_belongs_to_its_filters(self, world, other):
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
    async def test_a_cursor_of_an_earlier_release_leads_on(self, world, query, cursor):
        """Clients hold these: they were given out before the code was changed."""
        await populated(world)
        await world.send(UpdateUserProfile("u1", name="Al"))
        await world.catch_up()
        assert (await world.send(query)).next_cursor == cursor
        assert (await world.send(replace(query, cursor=cursor))).items

    async def test_a_cursor_is_short_whatever_the_names(self, world):
        """Names that are much longer when folded are told apart by it all the same."""
        for user_id in ("a", "b", "c"):
            name = values.name("\ufdfa" * 200)
            await world.send(RegisterUser(user_id, name, f"{user_id}@example.com"))
        await world.catch_up()
        page = await world.send(ListUserSummaries(limit=1))
        assert len(page.next_cursor) <= 1024
        walked = await pages(world, ListUserSummaries, limit=1)
        assert [each.id for each in walked] == ["a", "b", "c"]

    async def test_a_cursor_belongs_to_its_list(self, world):
        """The cursor of a history is none of a list of users."""
        await populated(world)
        await world.send(UpdateUserProfile("u1", name="Al"))
        await world.catch_up()
        cursor = (await world.send(GetUserHistory("u1", limit=1))).next_cursor
        with pytest.raises(InvalidCursor):
            await world.send(ListUserSummaries(cursor=cursor))

    @pytest.mark.parametrize("cursor", ["", "x", "null", "bnVsbA", "é", "=" * 9])
    async def test_a_made_up_cursor_is_refused(self, world, cursor):
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
    async def test_a_search_finds_beginnings_of_words(self, world, q, expected):
        """Whatever the case and accents, of the name there is now, in the order asked for."""
        await populated(world)
        assert await ids(world, q=q) == expected
        assert await ids(world, q=q, sort="-name") == expected[::-1]

    async def test_a_search_follows_the_name(self, world):
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
    async def test_searches_agree_with_a_naive_one(self, names, q, limit):
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


class TestGetUserHistory:
    """What happened to a user."""

    async def test_the_history_is_the_stream(self, world):
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
    async def test_pages_together_are_the_history(self, world, limit):
        """Following the cursors shows every event once, in order, past the tenth version too."""
        await world.send(ALICE)
        for number in range(10):
            await world.send(UpdateUserProfile("alice", bio=str(number)))
        await world.catch_up()
        walked = await pages(world, GetUserHistory, user_id="alice", limit=limit)
        assert [each.version for each in walked] == list(range(1, 12))

    async def test_an_unknown_user_has_no_history(self, world):
        """It is refused, not an empty list."""
        await populated(world)
        with pytest.raises(UserNotFound):
            await world.send(GetUserHistory("nobody"))

    async def test_a_cursor_belongs_to_its_user(self, world):
        """The cursor of one history is refused for another."""
        await populated(world)
        for user_id in ("u1", "u2"):
            await world.send(UpdateUserProfile(user_id, name="Al"))
        await world.catch_up()
        cursor = (await world.send(GetUserHistory("u1", limit=1))).next_cursor
        with pytest.raises(InvalidCursor):
            await world.send(GetUserHistory("u2", limit=1, cursor=cursor))


class TestGetPastUserProfile:
    """A profile as it was."""

    async def test_every_version_can_be_seen(self, world):
        """The profile at a version is what the command that led there answered."""
        answers = [
            await world.send(each)
            for each in (
                ALICE,
                UpdateUserProfile("alice", name="Al"),
                UpdateUserProfile("alice", email="al@example.com"),
                DeactivateUser("alice"),
                ReactivateUser("alice"),
                UpdateUserProfile("alice", avatar_url=None),
            )
        ]
        await world.catch_up()
        past = [
            await world.send(GetPastUserProfile("alice", version=version))
            for version in range(1, 7)
        ]
        assert past == answers

    async def test_a_profile_can_be_seen_as_of_a_time(self, world):
        """All that was recorded up to then, and then, has happened; what came later has not."""
        registered = await world.send(ALICE)
        for name in itertools.count():
            renamed = await world.send(UpdateUserProfile("alice", name=str(name)))
            if renamed.updated_at > registered.updated_at:
                break
        await world.catch_up()
        instant = timedelta(microseconds=1)

        async def profile_at(time):
            return await world.send(GetPastUserProfile("alice", time=time))

        assert await profile_at(renamed.updated_at) == renamed
        assert await profile_at(renamed.updated_at + timedelta(days=9)) == renamed
        before = await profile_at(renamed.updated_at - instant)
        assert before.version == renamed.version - 1
        with pytest.raises(UserNotFound):
            await profile_at(registered.created_at - instant)

    async def test_of_a_time_and_a_version_the_first_counts(self, world):
        """A version that had not come by then is not shown, be it there by now or never."""
        registered = await world.send(ALICE)
        for name in itertools.count():
            last = await world.send(UpdateUserProfile("alice", name=str(name)))
            if last.updated_at > registered.updated_at:
                break
        await world.catch_up()

        async def version_at(time, version):
            return (await world.send(GetPastUserProfile("alice", time, version))).version

        before = last.updated_at - timedelta(microseconds=1)
        for version in (last.version, last.version + 1):
            assert await version_at(last.updated_at, version) == last.version
            assert await version_at(before, version) == last.version - 1
        for time in (last.updated_at, before):
            assert await version_at(time, 1) == 1

    async def test_a_long_history_is_read_to_its_end(self, world):
        """Across as many pages of events as it takes."""
        await world.send(ALICE)
        for number in range(2, 1203):
            last = await world.send(UpdateUserProfile("alice", bio=str(number)))
        await world.catch_up()
        assert last.version == 1202
        assert await world.send(GetPastUserProfile("alice", version=1202)) == last
        for version in (500, 501, 1001):
            past = await world.send(GetPastUserProfile("alice", version=version))
            assert (past.version, past.bio) == (version, str(version))

    async def test_no_more_of_a_history_is_read_than_it_takes(self, world):
        """Nothing for what is so now, or never was; up to a version and a page for the rest."""
        registered = await world.send(ALICE)
        for number in range(2, 1203):
            last = await world.send(UpdateUserProfile("alice", bio=str(number)))
        await world.catch_up()
        read = []
        page = world.read_model.page

        async def counting_page(*arguments, **options):
            entries = await page(*arguments, **options)
            read.append(len(entries))
            return entries

        world.read_model.page = counting_page

        async def read_for(**at):
            read.clear()
            with contextlib.suppress(UserNotFound):
                await world.send(GetPastUserProfile("alice", **at))
            return sum(read)

        assert await read_for(version=1202) == 0
        assert await read_for(version=1203) == 0
        assert await read_for(version=2**31 - 1) == 0
        assert await read_for(time=last.updated_at) == 0
        assert await read_for(time=last.updated_at, version=2000) == 0
        assert await read_for(version=1) == 1
        assert await read_for(version=700) == 700
        assert await read_for(time=registered.created_at - timedelta(seconds=1)) <= 500

    async def test_a_version_yet_to_come_is_not_found(self, world):
        """The refusal says which version there is not."""
        await world.send(ALICE)
        await world.catch_up()
        message = r"^User with ID alice not found at version 2\.$"
        with pytest.raises(UserNotFound, match=message):
            await world.send(GetPastUserProfile("alice", version=2))
        with pytest.raises(UserNotFound):
            await world.send(GetPastUserProfile("alice", version=0))

    async def test_an_unknown_user_was_never_there(self, world):
        """It is refused for any version and time."""
        registered = await world.send(ALICE)
        await world.catch_up()
        for at in ({"version": 1}, {"time": registered.created_at}):
            with pytest.raises(UserNotFound, match="nobody"):
                await world.send(GetPastUserProfile("nobody", **at))
