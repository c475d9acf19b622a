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
from tests.contexts.declarations import StoredEvents

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
