"""Users over HTTP: from what was sent to the message that asks for it."""

from typing import Annotated

from fastapi import Query

from app.contexts.users.commands.deactivate_user import DeactivateUser
from app.contexts.users.commands.reactivate_user import ReactivateUser
from app.contexts.users.commands.register_user import RegisterUser
from app.contexts.users.commands.update_user_profile import UpdateUserProfile
from app.contexts.users.domain import values
from app.contexts.users.domain.errors import (
    EmailTaken,
    UserAlreadyExists,
    UserIsDeactivated,
    UserNotFound,
)
from app.contexts.users.http.parameters import AsOf, AsOfVersion, SearchText, UserIdPath
from app.contexts.users.http.schemas import (
    UserHistoryPage,
    UserOrder,
    UserProfile,
    UserRegistration,
    UserStatus,
    UserSummaryPage,
    UserUpdate,
)
from app.contexts.users.queries.get_past_user_profile import GetPastUserProfile
from app.contexts.users.queries.get_user_history import GetUserHistory
from app.contexts.users.queries.get_user_profile import GetUserProfile
from app.contexts.users.queries.list_user_summaries import ListUserSummaries
from app.framework.eventsourcing import uuid7
from app.framework.http.parameters import Cursor, Limit
from app.framework.http.resources import Resource
from app.framework.principal import Principal

_LOOK_BACK = 10
"""What a look into the past costs of the rate limit: it folds the events up to then."""

users = Resource("/users", tag="users", singular="user", plural="users", id_parameter="user_id")


@users.query(
    summary="List users",
    answer=UserSummaryPage,
    answered="A page of users.",
)
def list_users(
    status: Annotated[UserStatus, Query(description="Users of this status only.")] = "active",
    q: SearchText = None,
    sort: Annotated[UserOrder, Query(description="What comes first.")] = "name",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> ListUserSummaries:
    """List users as a dashboard shows them."""
    return ListUserSummaries(status=status, q=q, sort=sort, limit=limit, cursor=cursor)


@users.query(
    "/me",
    summary="Get your own user",
    answer=UserProfile,
    answered="The profile.",
    raises=(UserNotFound,),
)
def get_own_user(principal: Principal) -> GetUserProfile:
    """Get the profile of the user whose token it is."""
    return GetUserProfile(principal.user_id or values.OWN_ID)


@users.query(
    "/{user_id}",
    summary="Get a user",
    answer=UserProfile,
    answered="The profile.",
    raises=(UserNotFound,),
    costs=dict.fromkeys(("as_of", "as_of_version"), _LOOK_BACK),
)
def get_user(
    user_id: UserIdPath, as_of: AsOf = None, as_of_version: AsOfVersion = None
) -> GetUserProfile | GetPastUserProfile:
    """Get a profile as it is now, or as it once was."""
    if as_of is None and as_of_version is None:
        return GetUserProfile(user_id)
    return GetPastUserProfile(user_id, as_of, as_of_version)


@users.query(
    "/{user_id}/history",
    summary="Get a user's history",
    answer=UserHistoryPage,
    answered="A page of the history.",
    raises=(UserNotFound,),
)
def get_user_history(
    user_id: UserIdPath, limit: Limit = 20, cursor: Cursor = None
) -> GetUserHistory:
    """List what happened to a user, oldest first."""
    return GetUserHistory(user_id, limit=limit, cursor=cursor)


@users.command(
    "POST",
    summary="Register a user",
    status=201,
    answer=UserProfile,
    answered="The user is registered.",
    raises=(UserAlreadyExists, EmailTaken),
)
def register_user(registration: UserRegistration, principal: Principal) -> RegisterUser:
    """Register a user, active from then on."""
    return RegisterUser(
        user_id=registration.id or _own_id(principal) or uuid7(),
        name=registration.name,
        email=registration.email,
        avatar_url=registration.avatar_url,
        bio=registration.bio,
    )


@users.command(
    "PATCH",
    "/{user_id}",
    summary="Update a user",
    answer=UserProfile,
    answered="The profile after the update.",
    raises=(UserNotFound, EmailTaken, UserIsDeactivated),
)
def update_user(user_id: UserIdPath, update: UserUpdate) -> UpdateUserProfile:
    """Change parts of a profile. An update that changes nothing leaves the version as it is."""
    return UpdateUserProfile(user_id, **update.changes())


@users.command(
    "PUT",
    "/{user_id}",
    summary="Update a user by PUT",
    answer=UserProfile,
    answered="The profile after the update.",
    raises=(UserNotFound, EmailTaken, UserIsDeactivated),
)
def put_user(user_id: UserIdPath, update: UserUpdate) -> UpdateUserProfile:
    """Do the same as PATCH: members left out stay as they are."""
    return update_user(user_id, update)


@users.command(
    "POST",
    "/{user_id}/deactivate",
    summary="Deactivate a user",
    answer=UserProfile,
    answered="The profile, closed to changes.",
    raises=(UserNotFound,),
)
def deactivate_user(user_id: UserIdPath) -> DeactivateUser:
    """Close a profile to changes. The e-mail address stays taken."""
    return DeactivateUser(user_id)


@users.command(
    "POST",
    "/{user_id}/reactivate",
    summary="Reactivate a user",
    answer=UserProfile,
    answered="The profile, open to changes.",
    raises=(UserNotFound,),
)
def reactivate_user(user_id: UserIdPath) -> ReactivateUser:
    """Open a profile to changes again."""
    return ReactivateUser(user_id)


def _own_id(principal: Principal) -> str | None:
    """The id of the principal's profile; None if its token names what is none, as an address."""
    own = principal.user_id
    return own if own is not None and values.is_user_id(own) else None
