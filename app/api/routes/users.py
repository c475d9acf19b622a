"""Users over HTTP: wire schema to message, result to wire schema."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.headers import set_etag, set_written
from app.api.openapi import MESSAGE, answers
from app.api.problems import (
    CONFLICT,
    EMAIL_TAKEN,
    INVALID_CURSOR,
    USER_ALREADY_EXISTS,
    USER_DEACTIVATED,
    USER_NOT_FOUND,
)
from app.api.routes.parameters import AsOf, AsOfVersion, Cursor, Limit, UserIdPath
from app.api.schemas.users import (
    UserHistoryEntry,
    UserHistoryPage,
    UserOrder,
    UserProfile,
    UserRegistration,
    UserStatus,
    UserSummary,
    UserSummaryPage,
    UserUpdate,
)
from app.api.validation import invalid_parameter
from app.mediator import Mediator
from app.users import read_models
from app.users.commands.deactivate_user import DeactivateUser
from app.users.commands.reactivate_user import ReactivateUser
from app.users.commands.register_user import RegisterUser
from app.users.commands.update_user_profile import UpdateUserProfile
from app.users.queries.get_past_user_profile import GetPastUserProfile
from app.users.queries.get_user_history import GetUserHistory
from app.users.queries.get_user_profile import GetUserProfile
from app.users.queries.list_user_summaries import ListUserSummaries

_WRITTEN = ("ETag", "Consistency-Token")
_CHANGE = (*MESSAGE, USER_NOT_FOUND, CONFLICT)


def users_router(mediator: Mediator) -> APIRouter:
    """The routes under /users."""
    users = APIRouter(prefix="/users", tags=["users"])
    # Routes are tried in order, and most requests read.
    _add_queries(users, mediator)
    _add_commands(users, mediator)
    return users


def _add_commands(users: APIRouter, mediator: Mediator) -> None:
    @users.post(
        "",
        status_code=201,
        summary="Register a user",
        responses=answers(
            201,
            "The user is registered.",
            headers=("Location", *_WRITTEN),
            problems=(*MESSAGE, USER_ALREADY_EXISTS, EMAIL_TAKEN, CONFLICT),
        ),
    )
    async def register_user(registration: UserRegistration, response: Response) -> UserProfile:
        """Register a user, active from then on."""
        profile = await mediator.send(
            RegisterUser(
                user_id=registration.id,
                name=registration.name,
                email=registration.email,
                avatar_url=registration.avatar_url,
                bio=registration.bio,
            )
        )
        response.headers["Location"] = f"/users/{profile.id}"
        return _written(response, profile)

    updated = answers(
        200,
        "The profile after the update.",
        headers=_WRITTEN,
        problems=(*_CHANGE, EMAIL_TAKEN, USER_DEACTIVATED),
    )

    @users.patch("/{user_id}", summary="Update a user", responses=updated)
    async def update_user(
        user_id: UserIdPath, update: UserUpdate, response: Response
    ) -> UserProfile:
        """Change parts of a profile. An update that changes nothing leaves the version as it is."""
        command = UpdateUserProfile(user_id=user_id, **update.changes())
        return _written(response, await mediator.send(command))

    @users.put("/{user_id}", summary="Update a user by PUT", responses=updated)
    async def put_user(user_id: UserIdPath, update: UserUpdate, response: Response) -> UserProfile:
        """Do the same as PATCH: members left out stay as they are."""
        return await update_user(user_id, update, response)

    @users.post(
        "/{user_id}/deactivate",
        summary="Deactivate a user",
        responses=answers(
            200, "The profile, closed to changes.", headers=_WRITTEN, problems=_CHANGE
        ),
    )
    async def deactivate_user(user_id: UserIdPath, response: Response) -> UserProfile:
        """Close a profile to changes. The e-mail address stays taken."""
        return _written(response, await mediator.send(DeactivateUser(user_id)))

    @users.post(
        "/{user_id}/reactivate",
        summary="Reactivate a user",
        responses=answers(200, "The profile, open to changes.", headers=_WRITTEN, problems=_CHANGE),
    )
    async def reactivate_user(user_id: UserIdPath, response: Response) -> UserProfile:
        """Open a profile to changes again."""
        return _written(response, await mediator.send(ReactivateUser(user_id)))


def _add_queries(users: APIRouter, mediator: Mediator) -> None:
    @users.get(
        "",
        summary="List users",
        responses=answers(200, "A page of users.", problems=(*MESSAGE, INVALID_CURSOR)),
    )
    async def list_users(
        status: Annotated[UserStatus, Query(description="Users of this status only.")] = "active",
        q: Annotated[
            str | None,
            Query(
                min_length=1,
                max_length=100,
                description="Users with a word in their name that begins so, whatever the case "
                "and accents.",
                examples=["wonder"],
            ),
        ] = None,
        sort: Annotated[UserOrder, Query(description="`-` in front puts the last first.")] = "name",
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> UserSummaryPage:
        """List users as a dashboard shows them."""
        page = await mediator.send(
            ListUserSummaries(status=status, q=q, sort=sort, limit=limit, cursor=cursor)
        )
        items = [UserSummary.model_validate(each) for each in page.items]
        return UserSummaryPage(items=items, next_cursor=page.next_cursor)

    @users.get(
        "/{user_id}",
        summary="Get a user",
        responses=answers(
            200, "The profile.", headers=("ETag",), problems=(*MESSAGE, USER_NOT_FOUND)
        ),
    )
    async def get_user(
        user_id: UserIdPath,
        response: Response,
        as_of: AsOf = None,
        as_of_version: AsOfVersion = None,
    ) -> UserProfile:
        """Get a profile as it is now, or as it once was."""
        if as_of is not None and as_of_version is not None:
            raise invalid_parameter(
                "query", "as_of_version", "excluded", "Send as_of or as_of_version, not both."
            )
        at = as_of or as_of_version
        profile = await mediator.send(
            GetUserProfile(user_id) if at is None else GetPastUserProfile(user_id, at)
        )
        set_etag(response, profile.version)
        return UserProfile.model_validate(profile)

    @users.get(
        "/{user_id}/history",
        summary="Get a user's history",
        responses=answers(
            200,
            "A page of the history.",
            problems=(*MESSAGE, USER_NOT_FOUND, INVALID_CURSOR),
        ),
    )
    async def get_user_history(
        user_id: UserIdPath, limit: Limit = 20, cursor: Cursor = None
    ) -> UserHistoryPage:
        """List what happened to a user, oldest first."""
        page = await mediator.send(GetUserHistory(user_id, limit=limit, cursor=cursor))
        items = [UserHistoryEntry.model_validate(each) for each in page.items]
        return UserHistoryPage(items=items, next_cursor=page.next_cursor)


def _written(response: Response, profile: read_models.UserProfile) -> UserProfile:
    set_written(response, version=profile.version, position=profile.position)
    return UserProfile.model_validate(profile)
