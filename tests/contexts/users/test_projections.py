"""What the three views make of the log."""

import pytest

from app.bootstrap import event_registry
from app.contexts.users.domain.events import (
    USER_EVENTS,
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserReactivated,
    UserRegistered,
)
from app.contexts.users.domain.names import word_prefixes
from app.contexts.users.projections import (
    USER_HISTORY,
    USER_PROFILES,
    USER_PROJECTIONS,
    USER_SUMMARIES,
)
from app.contexts.users.projections.user_history import history_entry, recorded_event
from app.contexts.users.projections.user_profiles import profile
from app.contexts.users.projections.user_summaries import summary
from app.contexts.users.read_models import UserHistoryEntry, UserProfile, UserSummary
from app.framework.projections import CannotApply, Entry, Versioned, fold
from tests.contexts.log import Log, documents, time_of

ALICE = UserRegistered("alice", "Alice Smith", "alice@example.com", "https://a.example/a", "Reads.")
BOB = UserRegistered("bob", "Bob", "bob@example.com")


@pytest.mark.parametrize("projection", USER_PROJECTIONS, ids=lambda each: each.name)
def test_every_projection_has_a_stance_on_every_event(projection):
    """No event of users is forgotten by a view."""
    assert projection.unhandled_events(USER_EVENTS) == []


class TestUserProfiles:
    """The detail view."""

    def test_a_registration_makes_the_document(self):
        """All of the profile is in it, under the user's id."""
        assert documents(USER_PROFILES, Log("user").record("alice", ALICE)) == {
            "alice": {
                "name": "Alice Smith",
                "email": "alice@example.com",
                "avatar_url": "https://a.example/a",
                "bio": "Reads.",
                "status": "active",
                "version": 1,
                "created_at": time_of(1),
                "updated_at": time_of(1),
            }
        }

    @pytest.mark.parametrize(
        ("event", "changed"),
        [
            (UserNameChanged("Al"), {"name": "Al"}),
            (UserEmailChanged("al@example.com"), {"email": "al@example.com"}),
            (UserAvatarChanged(None), {"avatar_url": None}),
            (UserBioChanged("Writes."), {"bio": "Writes."}),
            (UserDeactivated(), {"status": "deactivated"}),
            (UserReactivated(), {"status": "active"}),
        ],
    )
    def test_an_event_changes_its_field(self, event, changed):
        """Its field, the version and the time of the change; created_at and the rest stay."""
        before = documents(USER_PROFILES, Log("user").record("alice", ALICE))["alice"]
        log = Log("user").record("alice", ALICE).record("bob", BOB).record("alice", event)

        after = documents(USER_PROFILES, log)["alice"]

        assert after == before | changed | {"version": 2, "updated_at": time_of(3)}

    def test_the_read_model_is_what_is_in_the_document(self):
        """A profile has its id from the key and the rest from the document."""
        log = Log("user").record("bob", BOB).record("bob", UserDeactivated())
        document = documents(USER_PROFILES, log)["bob"]

        assert profile(Entry("bob", document, 2)) == UserProfile(
            id="bob",
            name="Bob",
            email="bob@example.com",
            avatar_url=None,
            bio=None,
            status="deactivated",
            version=2,
            created_at=time_of(1),
            updated_at=time_of(2),
        )


class TestUserSummaries:
    """The dashboard view."""

    def test_a_registration_makes_the_document(self):
        """Name and avatar, and what lists sort, filter and search by; no e-mail address."""
        assert documents(USER_SUMMARIES, Log("user").record("alice", ALICE)) == {
            "alice": {
                "name": "Alice Smith",
                "sort_name": "alice smith",
                "search_words": "alice smith",
                "word_prefixes": word_prefixes("alice smith"),
                "later_prefixes": ["s", "sm", "smi", "smith"],
                "avatar_url": "https://a.example/a",
                "status": "active",
                "created_at": time_of(1),
            }
        }

    @pytest.mark.parametrize(
        ("event", "changed"),
        [
            (
                UserNameChanged("Zoë"),
                {
                    "name": "Zoë",
                    "sort_name": "zoe",
                    "search_words": "zoe",
                    "word_prefixes": ["z", "zo", "zoe"],
                    "later_prefixes": [],
                },
            ),
            (UserAvatarChanged(None), {"avatar_url": None}),
            (UserDeactivated(), {"status": "deactivated"}),
            (UserReactivated(), {"status": "active"}),
            (UserEmailChanged("al@example.com"), {}),
            (UserBioChanged("Writes."), {}),
        ],
    )
    def test_an_event_changes_what_it_is_about(self, event, changed):
        """The keys for sorting and searching follow the name; what is not shown changes nothing."""
        before = documents(USER_SUMMARIES, Log("user").record("alice", ALICE))["alice"]

        after = documents(USER_SUMMARIES, Log("user").record("alice", ALICE, event))["alice"]

        assert after == before | changed

    def test_the_read_model_is_id_name_and_avatar(self):
        """No more than a dashboard shows."""
        document = documents(USER_SUMMARIES, Log("user").record("alice", ALICE))["alice"]
        assert summary(Entry("alice", document, 1)) == UserSummary(
            "alice", "Alice Smith", "https://a.example/a"
        )


class TestUserHistory:
    """The history view."""

    def test_each_event_is_a_document(self):
        """Version, type, payload, time and actor, under the user's id and the version."""
        log = Log("user").record("alice", ALICE).record("bob", BOB)
        log.record("alice", UserBioChanged(None), actor="admin")

        found = documents(USER_HISTORY, log)

        assert list(found) == ["alice:1", "bob:1", "alice:2"]
        assert found["alice:2"] == {
            "user_id": "alice",
            "version": 2,
            "position": 3,
            "type": "UserBioChanged",
            "schema_version": 1,
            "data": {"bio": None},
            "occurred_at": time_of(3),
            "actor": "admin",
        }

    def test_an_id_with_hyphens_is_kept_whole(self):
        """Only the type is taken off the stream's id."""
        log = Log("user").record("a-b-c", UserRegistered("a-b-c", "A", "a@example.com"))
        assert documents(USER_HISTORY, log)["a-b-c:1"]["user_id"] == "a-b-c"
        assert list(documents(USER_PROFILES, log)) == ["a-b-c"]

    def test_a_document_can_be_made_an_entry_or_an_event_again(self):
        """Nothing that the fold of a past profile needs is lost."""
        log = Log("user").record("alice", ALICE, UserNameChanged("Al"), actor="admin")
        entry = Entry("alice:2", documents(USER_HISTORY, log)["alice:2"], 2)

        assert recorded_event(entry, event_registry()) == log[1]
        assert history_entry(entry, event_registry()) == UserHistoryEntry(
            version=2,
            type="UserNameChanged",
            occurred_at=time_of(2),
            actor="admin",
            data={"name": "Al"},
        )


@pytest.mark.parametrize("projection", [USER_PROFILES, USER_SUMMARIES], ids=lambda each: each.name)
@pytest.mark.parametrize(
    "event", [UserNameChanged("Al"), UserAvatarChanged(None), UserReactivated()]
)
def test_an_event_without_its_user_is_refused(projection, event):
    """A log that lacks the registration cannot be folded: no half document is made up."""
    with pytest.raises(CannotApply, match="at position 1 changes a document that does not exist"):
        fold(projection, {}, Log("user").record("ghost", event))


@pytest.mark.parametrize("projection", USER_PROJECTIONS, ids=lambda each: each.name)
@pytest.mark.parametrize(
    "event",
    [
        UserNameChanged("Al"),
        UserEmailChanged("al@example.com"),
        UserAvatarChanged(None),
        UserBioChanged(None),
        UserDeactivated(),
        UserReactivated(),
    ],
    ids=lambda each: each.event_type,
)
def test_a_fold_leaves_its_argument_as_it_is(projection, event):
    """The document an event is applied to can still be used, by a try that comes later."""
    closed = [UserDeactivated()] if event == UserReactivated() else []
    log = Log("user").record("alice", ALICE, *closed)
    stored = fold(projection, {}, log)
    before = {
        key: Versioned(dict(each.document or {}), each.position) for key, each in stored.items()
    }

    fold(projection, stored, log.record("alice", event))

    assert stored == before
