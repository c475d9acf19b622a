"""What the three views make of any log agrees with the rules."""

import functools
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.users.domain.errors import UserIsDeactivated
from app.contexts.users.domain.names import sort_key
from app.contexts.users.domain.user import User
from app.contexts.users.projections import (
    USER_HISTORY,
    USER_PROFILES,
    USER_PROJECTIONS,
    USER_SUMMARIES,
)
from app.framework.eventsourcing import Event, RecordedEvent, event_data
from app.framework.projections import fold
from tests.contexts.log import Log, documents

NAMES = st.sampled_from(["Alice", "Zoë Ångström", "李", "-", "al"])
EMAILS = st.sampled_from(["a@x.com", "A@x.com", "b@x.com"])
OPTIONAL = st.none() | st.sampled_from(["https://x.com/a", "https://x.com/b"])
UPDATES = st.fixed_dictionaries(
    {}, optional={"name": NAMES, "email": EMAILS, "avatar_url": OPTIONAL, "bio": OPTIONAL}
)
COMMANDS: st.SearchStrategy[tuple[Any, dict[str, Any]]] = st.one_of(
    st.tuples(st.just(User.update), UPDATES),
    st.tuples(st.sampled_from([User.deactivate, User.reactivate]), st.just({})),
)
REQUESTS = st.lists(
    st.tuples(st.sampled_from("abc"), NAMES, EMAILS, OPTIONAL, COMMANDS), max_size=40
)


def happened(requests) -> Log:
    """What the rules make of `requests`: a user's first registers them, the others change them."""
    log, users = Log("user"), dict[str, User]()
    for user_id, name, email, optional, (decide, arguments) in requests:
        events: Sequence[Event]
        if user_id not in users:
            events = User.register(user_id, name, email, optional, optional)
        else:
            try:
                events = decide(users[user_id], **arguments)
            except UserIsDeactivated:
                events = []
        log.record(user_id, *events)
        if events:
            user = functools.reduce(User.evolve, events, users.get(user_id))
            assert user
            users[user_id] = user
    return log


@settings(max_examples=150)
@given(requests=REQUESTS)
def test_the_views_agree_with_the_aggregate(requests):
    """After any commands, profile and summary show what the user is, the history how it came."""
    log = happened(requests)
    profiles = documents(USER_PROFILES, log)
    summaries = documents(USER_SUMMARIES, log)
    history = documents(USER_HISTORY, log)

    streams: dict[str, list[RecordedEvent]] = {each.aggregate_id: [] for each in log}
    for each in log:
        streams[each.aggregate_id].append(each)

    assert profiles.keys() == summaries.keys() == streams.keys()
    assert history.keys() == {f"{each.aggregate_id}:{each.version}" for each in log}
    for user_id, stream in streams.items():
        user = functools.reduce(User.evolve, (each.event for each in stream), None)
        assert profiles[user_id] == {
            "name": user.name,
            "email": user.email,
            "avatar_url": user.avatar_url,
            "bio": user.bio,
            "status": user.status,
            "version": len(stream),
            "created_at": stream[0].recorded_at,
            "updated_at": stream[-1].recorded_at,
        }
        shown = summaries[user_id]
        assert (shown["name"], shown["avatar_url"]) == (user.name, user.avatar_url)
        assert (shown["sort_name"], shown["status"]) == (sort_key(user.name), user.status)
        assert shown["created_at"] == stream[0].recorded_at
        for each in stream:
            entry = history[f"{user_id}:{each.version}"]
            assert (entry["type"], entry["data"]) == (each.event.event_type, event_data(each.event))


@settings(max_examples=60)
@given(requests=REQUESTS, data=st.data())
def test_views_do_not_depend_on_how_the_log_is_cut(requests, data):
    """Applied in two batches that may overlap, the documents are those of one go."""
    log = happened(requests)
    end = data.draw(st.integers(0, len(log)))
    start = data.draw(st.integers(0, end))
    for projection in USER_PROJECTIONS:
        first = fold(projection, {}, log[:end])
        assert first | fold(projection, first, log[start:]) == fold(projection, {}, log)
