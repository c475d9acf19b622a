"""The query for a profile as it was, from the message to the view."""

import contextlib
import itertools
from datetime import timedelta

import pytest

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.reactivate_user import ReactivateUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain.errors import UserNotFound
from app.contexts.users.queries.get_past_user_profile import GetPastUserProfile
from tests.contexts.users.populated import ALICE


async def test_every_version_can_be_seen(world):
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
        await world.send(GetPastUserProfile("alice", version=version)) for version in range(1, 7)
    ]
    assert past == answers


async def test_a_profile_can_be_seen_as_of_a_time(world):
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


async def test_of_a_time_and_a_version_the_first_counts(world):
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


async def test_a_long_history_is_read_to_its_end(world):
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


async def test_no_more_of_a_history_is_read_than_it_takes(world):
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


async def test_a_version_yet_to_come_is_not_found(world):
    """The refusal says which version there is not."""
    await world.send(ALICE)
    await world.catch_up()
    message = r"^User with ID alice not found at version 2\.$"
    with pytest.raises(UserNotFound, match=message):
        await world.send(GetPastUserProfile("alice", version=2))
    with pytest.raises(UserNotFound):
        await world.send(GetPastUserProfile("alice", version=0))


async def test_an_unknown_user_was_never_there(world):
    """It is refused for any version and time."""
    registered = await world.send(ALICE)
    await world.catch_up()
    for at in ({"version": 1}, {"time": registered.created_at}):
        with pytest.raises(UserNotFound, match="nobody"):
            await world.send(GetPastUserProfile("nobody", **at))
