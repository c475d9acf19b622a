"""The detail view: one document per user, with the whole profile."""

from app.contexts.users.domain.events import (
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserReactivated,
    UserRegistered,
)
from app.contexts.users.read_models import UserProfile
from app.framework.eventsourcing import RecordedEvent, event_data
from app.framework.projections import Document, Entry, Projection, by_aggregate, existing

_FieldChanged = UserNameChanged | UserEmailChanged | UserAvatarChanged | UserBioChanged


def _registered(_: Document | None, recorded: RecordedEvent, event: UserRegistered) -> Document:
    return {
        "name": event.name,
        "email": event.email,
        "avatar_url": event.avatar_url,
        "bio": event.bio,
        "status": "active",
        "version": recorded.version,
        "created_at": recorded.recorded_at,
        "updated_at": recorded.recorded_at,
    }


def _field_changed(
    document: Document | None, recorded: RecordedEvent, event: _FieldChanged
) -> Document:
    # These events name their field as the profile does.
    return {**existing(document, recorded), **event_data(event), **_last(recorded)}


def _deactivated(
    document: Document | None, recorded: RecordedEvent, _: UserDeactivated
) -> Document:
    return {**existing(document, recorded), "status": "deactivated", **_last(recorded)}


def _reactivated(
    document: Document | None, recorded: RecordedEvent, _: UserReactivated
) -> Document:
    return {**existing(document, recorded), "status": "active", **_last(recorded)}


def _last(recorded: RecordedEvent) -> Document:
    return {"version": recorded.version, "updated_at": recorded.recorded_at}


USER_PROFILES = Projection(
    name="user_profiles",
    version=1,
    key=by_aggregate,
    handlers={
        UserRegistered: _registered,
        UserNameChanged: _field_changed,
        UserEmailChanged: _field_changed,
        UserAvatarChanged: _field_changed,
        UserBioChanged: _field_changed,
        UserDeactivated: _deactivated,
        UserReactivated: _reactivated,
    },
    creates={UserRegistered},
)


def profile(entry: Entry) -> UserProfile:
    return UserProfile(id=entry.key, **entry.document)
