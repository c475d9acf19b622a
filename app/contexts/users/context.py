"""The bounded context of users, as the rest of the service sees it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.contexts.users.commands.deactivate_user import DeactivateUser, deactivate_user
from app.contexts.users.commands.reactivate_user import ReactivateUser, reactivate_user
from app.contexts.users.commands.register_user import RegisterUser, register_user
from app.contexts.users.commands.update_user_profile import UpdateUserProfile, update_user_profile
from app.contexts.users.domain.events import USER_EVENTS
from app.contexts.users.domain.user import USERS, User
from app.contexts.users.policies import USER_POLICIES
from app.contexts.users.projections import USER_HISTORY, USER_PROJECTIONS
from app.contexts.users.projections.user_history import change
from app.contexts.users.queries.follow_users import FollowUsers
from app.contexts.users.queries.get_past_user_profile import (
    GetPastUserProfile,
    GetPastUserProfileHandler,
)
from app.contexts.users.queries.get_user_history import GetUserHistory, GetUserHistoryHandler
from app.contexts.users.queries.get_user_profile import GetUserProfile, GetUserProfileHandler
from app.contexts.users.queries.list_user_summaries import (
    ListUserSummaries,
    ListUserSummariesHandler,
)
from app.contexts.users.read_models import UserProfile
from app.framework.contexts import Context, FollowHandler, ReadSide
from app.framework.eventsourcing import CommandHandlers, EventStore, Stored
from app.framework.mediator import Registration

if TYPE_CHECKING:
    from app.framework.http.resources import HttpSide


def _commands(store: EventStore) -> Sequence[Registration]:
    users = CommandHandlers(store, USERS, aggregate_id=lambda it: it.user_id, answer=_profile)
    return (
        RegisterUser.handled_by(users.decided_by(register_user)),
        UpdateUserProfile.handled_by(users.decided_by(update_user_profile)),
        DeactivateUser.handled_by(users.decided_by(deactivate_user)),
        ReactivateUser.handled_by(users.decided_by(reactivate_user)),
    )


def _profile(stored: Stored[User]) -> UserProfile:
    user = stored.state
    return UserProfile(
        id=user.id,
        name=user.name,
        email=user.email,
        avatar_url=user.avatar_url,
        bio=user.bio,
        status=user.status,
        version=stored.version,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _queries(read: ReadSide) -> Sequence[Registration]:
    feed = read.feed(USER_HISTORY, held_by=USER_PROJECTIONS)
    return (
        GetUserProfile.handled_by(GetUserProfileHandler(read.views)),
        GetPastUserProfile.handled_by(GetPastUserProfileHandler(read.views, read.registry)),
        GetUserHistory.handled_by(GetUserHistoryHandler(read.views, read.registry)),
        ListUserSummaries.handled_by(ListUserSummariesHandler(read.views)),
        FollowUsers.handled_by(FollowHandler(feed, read.registry, change)),
    )


def _http() -> "HttpSide":
    from app.contexts.users.http import USERS_HTTP  # noqa: PLC0415 - it imports the web framework

    return USERS_HTTP


USERS_CONTEXT = Context(
    package="app.contexts.users",
    events=USER_EVENTS,
    aggregates=(USERS,),
    projections=USER_PROJECTIONS,
    commands=_commands,
    queries=_queries,
    policies=USER_POLICIES,
    http=_http,
)
