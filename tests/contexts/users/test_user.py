"""The rules that profiles keep."""

import json
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import strategies as st

from app.contexts.users.domain.errors import UserIsDeactivated
from app.contexts.users.domain.events import (
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserReactivated,
    UserRegistered,
)
from app.contexts.users.domain.user import USER_SNAPSHOTS, User
from app.contexts.users.domain.values import UNCHANGED
from app.framework.eventsourcing import Claim, Event
from tests.contexts.users.given import given

REGISTERED = UserRegistered("user123", "Alice Smith", "alice@example.com")
COMPLETE = UserRegistered(
    "user123", "Alice Smith", "alice@example.com", "https://example.com/a.png", "Reads a lot."
)
IS_DEACTIVATED = "User with ID user123 is deactivated; reactivate it first."


def registered(user):
    """The registration of this very user."""
    return User.register(user.id, user.name, user.email, user.avatar_url, user.bio)


def test_registration_records_all_of_the_profile():
    """Whatever the new user brings is in the event."""
    given(COMPLETE).when(registered).then(COMPLETE)
    given(REGISTERED).when(registered).then(REGISTERED)


def test_a_registered_user_is_active():
    """A user starts active, with what was registered and nothing else."""
    given(REGISTERED).then_user(
        id="user123",
        name="Alice Smith",
        email="alice@example.com",
        avatar_url=None,
        bio=None,
        status="active",
    )


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"name": "Alice Wonderland"}, UserNameChanged("Alice Wonderland")),
        ({"email": "al@example.com"}, UserEmailChanged("al@example.com")),
        ({"avatar_url": "https://example.com/b"}, UserAvatarChanged("https://example.com/b")),
        ({"avatar_url": None}, UserAvatarChanged(None)),
        ({"bio": "Writes now."}, UserBioChanged("Writes now.")),
        ({"bio": ""}, UserBioChanged("")),
        ({"bio": None}, UserBioChanged(None)),
    ],
)
def test_a_changed_field_is_one_event(change, event):
    """Each field has an event of its own; the fields left out do not appear."""
    given(COMPLETE).when(User.update, **change).then(event)


def test_an_event_changes_its_field_and_no_other():
    """After its event the field is the new one, the others are as they were."""
    before = given(COMPLETE).user
    for event, field, value in [
        (UserNameChanged("Al"), "name", "Al"),
        (UserEmailChanged("al@example.com"), "email", "al@example.com"),
        (UserAvatarChanged(None), "avatar_url", None),
        (UserBioChanged("New."), "bio", "New."),
        (UserDeactivated(), "status", "deactivated"),
    ]:
        after = User.evolve(before, event)
        assert getattr(after, field) == value
        changed = {name for name in User.__slots__ if getattr(before, name) != getattr(after, name)}
        assert changed == {field}


def test_several_changed_fields_are_as_many_events():
    """One update may change everything; the events come in the order of the profile's fields."""
    given(COMPLETE).when(
        User.update, bio=None, avatar_url=None, email="al@example.com", name="Al"
    ).then(
        UserNameChanged("Al"),
        UserEmailChanged("al@example.com"),
        UserAvatarChanged(None),
        UserBioChanged(None),
    )


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"name": UNCHANGED, "email": UNCHANGED, "avatar_url": UNCHANGED, "bio": UNCHANGED},
        {"name": "Alice Smith"},
        {"email": "alice@example.com"},
        {"avatar_url": "https://example.com/a.png"},
        {"bio": "Reads a lot."},
    ],
)
def test_what_is_so_already_is_no_event(same):
    """An update to the values there are changes nothing."""
    given(COMPLETE).when(User.update, **same).then()


def test_clearing_what_is_absent_is_no_event():
    """None for an optional field that is None changes nothing."""
    given(REGISTERED).when(User.update, avatar_url=None, bio=None).then()


def test_only_what_differs_is_an_event():
    """Of the fields of an update, those that are so already leave no event."""
    given(COMPLETE).when(User.update, name="Alice Smith", bio="New.").then(UserBioChanged("New."))


def test_the_case_of_an_email_address_can_be_changed():
    """Another spelling is a change, though it claims the same address."""
    given(REGISTERED).when(User.update, email="Alice@Example.com").then(
        UserEmailChanged("Alice@Example.com")
    )


def test_an_active_user_can_be_deactivated():
    """One event closes the profile."""
    given(REGISTERED).when(User.deactivate).then(UserDeactivated())
    given(REGISTERED, UserDeactivated()).then_user(status="deactivated", name="Alice Smith")


def test_deactivating_twice_is_no_event():
    """What is closed stays closed."""
    given(REGISTERED, UserDeactivated()).when(User.deactivate).then()


def test_a_deactivated_user_can_be_reactivated():
    """One event opens the profile again, as it was."""
    given(COMPLETE, UserDeactivated()).when(User.reactivate).then(UserReactivated())
    given(COMPLETE, UserDeactivated(), UserReactivated()).then_user(
        status="active", bio=COMPLETE.bio
    )


def test_reactivating_an_active_user_is_no_event():
    """What is open stays open."""
    given(REGISTERED).when(User.reactivate).then()
    given(REGISTERED, UserDeactivated(), UserReactivated()).when(User.reactivate).then()


@pytest.mark.parametrize("change", [{"name": "Al"}, {"bio": None}, {"name": "Alice Smith"}, {}])
def test_a_deactivated_profile_is_closed_to_changes(change):
    """Every update is refused, even one that would change nothing."""
    given(REGISTERED, UserDeactivated()).when(User.update, **change).then_raises(
        UserIsDeactivated, IS_DEACTIVATED
    )


def test_a_reactivated_profile_can_be_changed():
    """Reactivation lifts the refusal."""
    given(REGISTERED, UserDeactivated(), UserReactivated()).when(User.update, name="Al").then(
        UserNameChanged("Al")
    )


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com", "alice@EXAMPLE.COM"])
def test_a_user_claims_their_email_address_whatever_its_case(email):
    """Two spellings of one address are one claim."""
    user = given(REGISTERED, UserEmailChanged(email)).user
    assert list(user.claims()) == [Claim("email", "alice@example.com")]


def test_a_deactivated_user_keeps_their_email_address():
    """Deactivation frees nothing for others."""
    user = given(REGISTERED, UserDeactivated()).user
    assert list(user.claims()) == [Claim("email", "alice@example.com")]


@dataclass(frozen=True, slots=True)
class UserTeleported(Event):
    """Nothing that a user knows of."""

    event_type: ClassVar[str] = "UserTeleported"


@pytest.mark.parametrize(
    "events",
    [
        [REGISTERED, REGISTERED],
        [UserNameChanged("Al")],
        [UserDeactivated()],
        [REGISTERED, UserTeleported()],
        [UserTeleported()],
    ],
)
def test_a_stream_that_cannot_be_is_refused(events):
    """An event that no rule leads to, or that is unknown, is never passed over."""
    with pytest.raises(TypeError, match="cannot happen to"):
        given(*events)


REFUSED = [
    ({"name": " "}, "A name is"),
    ({"name": "a\x00"}, r"U\+0000"),
    ({"email": "alice"}, "An e-mail address"),
    ({"avatar_url": "http://x.com/a"}, "An avatar URL"),
    ({"bio": "x" * 1001}, "A bio has"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_a_value_that_is_not_accepted_is_never_recorded(value, message):
    """Whoever sends the command: the aggregate holds the rules itself."""
    with pytest.raises(ValueError, match=message):
        User.register(**{"user_id": "alice", "name": "Al", "email": "a@x.com", **value})
    with pytest.raises(ValueError, match=message):
        User("alice", "Al", "a@x.com").update(**value)


def test_an_id_that_is_not_accepted_is_never_recorded():
    """It would be a part of a path, and of the id of a stream."""
    with pytest.raises(ValueError, match="An id is"):
        User.register("a/b", "Al", "a@x.com")


def test_values_are_recorded_in_their_accepted_form():
    """Trimmed and composed, whatever form they came in."""
    [event] = User.register("alice", " Zoe\u0308 ", "a@x.com")
    assert isinstance(event, UserRegistered)
    assert event.name == "Zoë"
    [event] = User("alice", "Al", "a@x.com").update(name=" Zoe\u0308 ")
    assert event == UserNameChanged("Zoë")


@hypothesis.given(
    st.builds(User, st.text(), st.text(), st.text(), st.none() | st.text(), st.none() | st.text())
)
def test_a_user_comes_back_from_a_snapshot(user):
    """Through JSON, as it is stored."""
    for each in (user, replace(user, status="deactivated")):
        data = json.loads(json.dumps(USER_SNAPSHOTS.encode(each)))
        assert USER_SNAPSHOTS.decode(data) == each


def test_another_form_of_users_needs_another_snapshot_version():
    """Raise the snapshot version with this list, or old snapshots are taken for new ones."""
    names = ["id", "name", "email", "avatar_url", "bio", "status"]
    assert ([each.name for each in fields(User)], USER_SNAPSHOTS.version) == (names, 1)
