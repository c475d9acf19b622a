"""What the tests of every context need to know of users."""

from app.contexts.users.domain.events import (
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserReactivated,
    UserRegistered,
)
from tests.contexts.declarations import Call, Example, StoredEvents

STORED_EVENTS: StoredEvents = [
    (
        "UserRegistered",
        1,
        {"user_id": "a", "name": "Al", "email": "a@x.com", "avatar_url": None, "bio": None},
        UserRegistered("a", "Al", "a@x.com"),
    ),
    ("UserNameChanged", 1, {"name": "Al"}, UserNameChanged("Al")),
    ("UserEmailChanged", 1, {"email": "a@x.com"}, UserEmailChanged("a@x.com")),
    ("UserAvatarChanged", 1, {"avatar_url": None}, UserAvatarChanged(None)),
    ("UserBioChanged", 1, {"bio": "Reads."}, UserBioChanged("Reads.")),
    ("UserDeactivated", 1, {}, UserDeactivated()),
    ("UserReactivated", 1, {}, UserReactivated()),
]

ALICE = Call("register_user", {"id": "alice", "name": "Alice", "email": "alice@example.com"})
BOB = Call("register_user", {"id": "bob", "name": "Bob", "email": "bob@example.com"})
OWN = Call("register_user", {"name": "Ann", "email": "ann@example.com"})
RENAMED = Call("update_user", {"name": "Alice Wonder"})
DEACTIVATED = Call("deactivate_user")

EXAMPLES = [
    Example(ALICE, another=BOB),
    Example(RENAMED, given=[ALICE], another=Call("update_user", {"name": "Al"})),
    Example(
        Call("put_user", {"bio": "Reads."}),
        given=[ALICE],
        another=Call("put_user", {"bio": "Runs."}),
    ),
    Example(DEACTIVATED, given=[ALICE], another=Call("deactivate_user", user_id="bob")),
    Example(
        Call("reactivate_user"),
        given=[ALICE, DEACTIVATED],
        another=Call("reactivate_user", user_id="bob"),
    ),
    Example(Call("get_user"), given=[ALICE]),
    Example(Call("get_own_user"), given=[OWN]),
    Example(Call("get_user_history"), given=[ALICE, RENAMED]),
    Example(Call("list_users"), given=[ALICE, BOB]),
]
