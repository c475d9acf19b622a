"""The dashboard view: one small document per user, with the keys for sorting and search."""

from app.contexts.users.domain.events import (
    UserAvatarChanged,
    UserBioChanged,
    UserDeactivated,
    UserEmailChanged,
    UserNameChanged,
    UserReactivated,
    UserRegistered,
)
from app.contexts.users.domain.names import later_prefixes, search_words, sort_key, word_prefixes
from app.contexts.users.read_models import UserSummary
from app.framework.eventsourcing import RecordedEvent
from app.framework.projections import Document, Entry, Index, Projection, by_aggregate, existing


def _registered(_: Document | None, recorded: RecordedEvent, event: UserRegistered) -> Document:
    return {
        **_named(event.name),
        "avatar_url": event.avatar_url,
        "status": "active",
        "created_at": recorded.recorded_at,
    }


def _name_changed(
    document: Document | None, recorded: RecordedEvent, event: UserNameChanged
) -> Document:
    return {**existing(document, recorded), **_named(event.name)}


def _avatar_changed(
    document: Document | None, recorded: RecordedEvent, event: UserAvatarChanged
) -> Document:
    return {**existing(document, recorded), "avatar_url": event.avatar_url}


def _deactivated(
    document: Document | None, recorded: RecordedEvent, _: UserDeactivated
) -> Document:
    return {**existing(document, recorded), "status": "deactivated"}


def _reactivated(
    document: Document | None, recorded: RecordedEvent, _: UserReactivated
) -> Document:
    return {**existing(document, recorded), "status": "active"}


def _named(name: str) -> Document:
    key, words = sort_key(name), search_words(name)
    return {
        "name": name,
        "sort_name": key,
        "search_words": words,
        "word_prefixes": word_prefixes(words),
        "later_prefixes": later_prefixes(words, key),
    }


USER_SUMMARIES = Projection(
    name="user_summaries",
    version=3,
    key=by_aggregate,
    handlers={
        UserRegistered: _registered,
        UserNameChanged: _name_changed,
        UserAvatarChanged: _avatar_changed,
        UserDeactivated: _deactivated,
        UserReactivated: _reactivated,
    },
    ignored={UserEmailChanged, UserBioChanged},
    creates={UserRegistered},
    indexes=(
        Index(("status", "sort_name")),
        Index(("status", "created_at")),
        Index(("status", "later_prefixes", "sort_name")),
        Index(("status", "word_prefixes", "created_at")),
    ),
)


SUMMARY_FIELDS = ("name", "avatar_url")
"""The fields that `summary` needs; the others are for search and sorting."""


def summary(entry: Entry) -> UserSummary:
    document = entry.document
    return UserSummary(id=entry.key, name=document["name"], avatar_url=document["avatar_url"])
