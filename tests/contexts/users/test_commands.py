"""The commands, from the message to the log."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.reactivate_user import ReactivateUser
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain.errors import (
    EmailTaken,
    UserAlreadyExists,
    UserIsDeactivated,
    UserNotFound,
)
from app.contexts.users.domain.events import (
    UserAvatarChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserRegistered,
)
from app.framework.eventsourcing import VersionMismatch
from app.framework.principal import operator
from app.framework.request import RequestContext

ALICE = RegisterUser("alice", "Alice Smith", "alice@example.com", "https://a.example/a", "Reads.")
BOB = RegisterUser("bob", "Bob", "bob@example.com")

CHANGES = [
    UpdateUserProfile("alice", name="Al"),
    UpdateUserProfile("alice"),
    DeactivateUser("alice"),
    ReactivateUser("alice"),
]
"""A command of every type that changes a user who exists."""


async def events(world):
    """The events of the log."""
    return [each.event for each in await world.log()]


async def test_a_user_is_registered(world):
    """The event is recorded; the answer is the whole profile, at version 1 and its position."""
    await world.send(BOB)
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    outcome = await world.outcome(ALICE)
    profile = outcome.value

    assert await events(world) == [
        UserRegistered("bob", "Bob", "bob@example.com"),
        UserRegistered(
            "alice", "Alice Smith", "alice@example.com", "https://a.example/a", "Reads."
        ),
    ]
    assert (profile.id, profile.name, profile.email) == (
        "alice",
        "Alice Smith",
        "alice@example.com",
    )
    assert (profile.avatar_url, profile.bio) == ("https://a.example/a", "Reads.")
    assert (profile.status, profile.version) == ("active", 1)
    assert (outcome.version, outcome.position, outcome.replayed) == (1, 2, False)
    assert before <= profile.created_at == profile.updated_at <= datetime.now(UTC)


async def test_a_taken_id_is_refused(world):
    """An id has one user, whatever else is different; nothing is recorded."""
    await world.send(ALICE)
    with pytest.raises(UserAlreadyExists, match=r"^User with ID alice already exists\.$"):
        await world.send(RegisterUser("alice", "Another", "another@example.com"))
    with pytest.raises(UserAlreadyExists):
        await world.send(ALICE)
    assert len(await world.log()) == 1


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@Example.com"])
async def test_a_taken_email_address_is_refused(world, email):
    """An address has one user, whatever the case of its letters; the id stays free."""
    await world.send(ALICE)
    message = r"^The e-mail address alice@example\.com belongs to another user\.$"
    with pytest.raises(EmailTaken, match=message):
        await world.send(RegisterUser("bob", "Bob", email))

    await world.send(BOB)
    with pytest.raises(EmailTaken, match=message):
        await world.send(UpdateUserProfile("bob", email=email))
    assert len(await world.log()) == 2


async def test_of_many_who_want_an_address_one_gets_it(world):
    """64 registrations of one address at once, case varied: one succeeds, 63 are refused."""
    spellings = ["alice@example.com", "Alice@example.com", "ALICE@EXAMPLE.COM"]
    outcomes = await asyncio.gather(
        *(world.send(RegisterUser(f"u{n}", "Alice", spellings[n % 3])) for n in range(64)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, EmailTaken) for each in outcomes) == 63
    assert len(await world.log()) == 1


async def test_an_address_given_up_is_free(world):
    """After a change of address the old one can be taken by another, and is lost."""
    await world.send(ALICE)
    await world.send(UpdateUserProfile("alice", email="al@example.com"))
    await world.send(RegisterUser("carol", "Carol", "alice@example.com"))
    with pytest.raises(EmailTaken):
        await world.send(UpdateUserProfile("alice", email="alice@example.com"))


async def test_a_deactivated_user_keeps_their_address(world):
    """Nobody else can take it meanwhile."""
    await world.send(ALICE)
    await world.send(DeactivateUser("alice"))
    with pytest.raises(EmailTaken):
        await world.send(RegisterUser("bob", "Bob", "alice@example.com"))


async def test_the_spelling_of_an_own_address_can_be_changed(world):
    """One's own address is not taken, and stays one's own."""
    await world.send(ALICE)
    profile = await world.send(UpdateUserProfile("alice", email="Alice@Example.com"))
    assert profile.email == "Alice@Example.com"
    with pytest.raises(EmailTaken):
        await world.send(RegisterUser("bob", "Bob", "alice@example.com"))


async def test_an_update_changes_what_it_names(world):
    """The answer is the profile after it, with the version of the last event."""
    registered = await world.send(ALICE)
    outcome = await world.outcome(
        UpdateUserProfile("alice", name="Al", email="al@example.com", avatar_url=None)
    )
    profile = outcome.value
    assert (await events(world))[1:] == [
        UserNameChanged("Al"),
        UserEmailChanged("al@example.com"),
        UserAvatarChanged(None),
    ]
    assert (profile.name, profile.email, profile.avatar_url, profile.bio) == (
        "Al",
        "al@example.com",
        None,
        "Reads.",
    )
    assert (profile.version, outcome.version, outcome.position) == (4, 4, 4)
    assert profile.created_at == registered.created_at <= profile.updated_at


async def test_an_update_that_changes_nothing_records_nothing(world):
    """The answer is the profile as it was, to the version, position and time."""
    registered = await world.send(ALICE)
    await world.send(BOB)
    assert await world.send(UpdateUserProfile("alice", name="Alice Smith")) == registered
    assert await world.send(ReactivateUser("alice")) == registered
    assert len(await world.log()) == 2


async def test_deactivation_and_back(world):
    """A deactivated profile is closed to updates until it is reactivated."""
    await world.send(ALICE)
    closed = await world.send(DeactivateUser("alice"))
    assert (closed.status, closed.version) == ("deactivated", 2)
    with pytest.raises(UserIsDeactivated):
        await world.send(UpdateUserProfile("alice", name="Al"))
    assert await world.send(DeactivateUser("alice")) == closed

    opened = await world.send(ReactivateUser("alice"))
    assert (opened.status, opened.version) == ("active", 3)
    assert (await world.send(UpdateUserProfile("alice", name="Al"))).version == 4


@pytest.mark.parametrize("command", CHANGES)
async def test_a_user_who_does_not_exist_cannot_be_changed(world, command):
    """Every command on an unknown user is refused, and makes none."""
    with pytest.raises(UserNotFound, match=r"^User with ID alice not found\.$"):
        await world.send(command)
    assert await world.log() == []


@pytest.mark.parametrize("command_type", [UpdateUserProfile, DeactivateUser, ReactivateUser])
@pytest.mark.parametrize("version", [0, 1, 3])
async def test_a_command_for_another_version_is_refused(world, command_type, version):
    """A command that names a version is for that one only, even if it would change nothing."""
    await world.send(ALICE)
    await world.send(UpdateUserProfile("alice", name="Al"))
    with pytest.raises(VersionMismatch) as mismatch:
        await world.send(command_type("alice", expected_version=version))
    assert (mismatch.value.expected, mismatch.value.actual) == (version, 2)
    assert len(await world.log()) == 2


async def test_a_command_for_the_right_version_is_done(world):
    """Naming the version there is changes nothing about a command."""
    await world.send(ALICE)
    renamed = await world.send(UpdateUserProfile("alice", name="Al", expected_version=1))
    closed = await world.send(DeactivateUser("alice", expected_version=2))
    opened = await world.send(ReactivateUser("alice", expected_version=3))
    assert [each.version for each in (renamed, closed, opened)] == [2, 3, 4]


@pytest.mark.parametrize("command_type", [UpdateUserProfile, DeactivateUser, ReactivateUser])
@pytest.mark.parametrize("version", [0, 1])
async def test_who_does_not_exist_has_no_version_to_miss(world, command_type, version):
    """An unknown user is not found, whatever version the command is for."""
    with pytest.raises(UserNotFound):
        await world.send(command_type("alice", expected_version=version))


async def test_many_updates_at_once_all_happen(world):
    """64 at once: each succeeds with a version of its own, none is lost."""
    await world.send(ALICE)
    profiles = await asyncio.gather(
        *(world.send(UpdateUserProfile("alice", bio=f"bio {n}")) for n in range(64))
    )
    assert sorted(each.version for each in profiles) == list(range(2, 66))
    recorded = {each.version: each.event.bio for each in (await world.log())[1:]}
    assert recorded == {each.version: each.bio for each in profiles}


async def test_events_say_who_and_what_they_came_from(world):
    """Correlation id and actor are the request's; each command has a causation id of its own."""
    context = RequestContext(request_id="request-1", principal=operator("admin"))
    await world.send(ALICE, context)
    await world.send(UpdateUserProfile("alice", name="Al", bio=None), context)
    await world.send(DeactivateUser("alice"))

    first, second, third, last = [each.metadata for each in await world.log()]
    assert {each.correlation_id for each in (first, second, third)} == {"request-1"}
    assert {each.actor for each in (first, second, third)} == {"operator admin"}
    assert second == third
    assert len({first.causation_id, second.causation_id, last.causation_id}) == 3
    assert (last.correlation_id, last.actor) == (None, None)
    assert isinstance((await world.log())[-1].event, UserDeactivated)
