"""Users over HTTP: wire schema to message, result to wire schema."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.consistency import consistent_with
from app.api.direct import DirectRoute
from app.api.entity_tags import expected_version, has_version
from app.api.headers import set_etag, set_location, set_written
from app.api.idempotency import carried_out_once
from app.api.problems import (
    CONFLICT,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_CURSOR,
    ORIGIN_NOT_ALLOWED,
    VERSION_MISMATCH,
)
from app.api.problems.users import (
    EMAIL_TAKEN,
    USER_ALREADY_EXISTS,
    USER_DEACTIVATED,
    USER_NOT_FOUND,
)
from app.api.responses import BODY, MESSAGE, QUERY, answers, links_to, not_modified
from app.api.routes.parameters import (
    AsOf,
    AsOfVersion,
    ConsistencyToken,
    Cursor,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    Limit,
    UserIdPath,
)
from app.api.schemas.users import (
    UserHistoryPage,
    UserOrder,
    UserProfile,
    UserRegistration,
    UserStatus,
    UserSummaryPage,
    UserUpdate,
)
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

_WRITTEN = ("ETag", "Consistency-Token", "Idempotency-Replayed")
_WRITE = (*MESSAGE, CONFLICT, IDEMPOTENCY_KEY_REUSED, ORIGIN_NOT_ALLOWED)
_CHANGE = (*_WRITE, USER_NOT_FOUND, VERSION_MISMATCH)

_THIS_USER = {"user_id": "$response.body#/id"}
_THIS_WRITE = {"Consistency-Token": "$response.header.Consistency-Token"}
_TO_CHANGES = links_to(
    "update_user",
    "put_user",
    "deactivate_user",
    "reactivate_user",
    description="Change the user, unless somebody else has done so since.",
    parameters={**_THIS_USER, "If-Match": "$response.header.ETag"},
)
_TO_READS_AND_CHANGES = {
    **links_to(
        "get_user",
        "get_user_history",
        description="Read what was written here.",
        parameters={**_THIS_USER, **_THIS_WRITE},
    ),
    **links_to(
        "list_users",
        description="List the users, as they are after this write.",
        parameters=_THIS_WRITE,
    ),
    **_TO_CHANGES,
}


def users_router(mediator: Mediator) -> APIRouter:
    """The routes under /users."""
    users = APIRouter(prefix="/users", tags=["users"], route_class=DirectRoute)
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
            links=_TO_READS_AND_CHANGES,
            problems=(*_WRITE, *BODY, USER_ALREADY_EXISTS, EMAIL_TAKEN),
        ),
    )
    async def register_user(
        registration: UserRegistration,
        request: Request,
        response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> UserProfile:
        """Register a user, active from then on."""
        command = RegisterUser(
            user_id=registration.id,
            name=registration.name,
            email=registration.email,
            avatar_url=registration.avatar_url,
            bio=registration.bio,
        )
        with carried_out_once(idempotency_key, request, registration, response):
            profile = await mediator.send(command)
        set_location(response, request, f"/users/{profile.id}")
        return _written(response, profile)

    updated = answers(
        200,
        "The profile after the update.",
        headers=_WRITTEN,
        links=_TO_READS_AND_CHANGES,
        problems=(*_CHANGE, *BODY, EMAIL_TAKEN, USER_DEACTIVATED),
    )

    @users.patch("/{user_id}", summary="Update a user", responses=updated)
    async def update_user(
        user_id: UserIdPath,
        update: UserUpdate,
        request: Request,
        response: Response,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> UserProfile:
        """Change parts of a profile. An update that changes nothing leaves the version as it is."""
        command = UpdateUserProfile(
            user_id=user_id, expected_version=expected_version(if_match), **update.changes()
        )
        with carried_out_once(idempotency_key, request, update, response):
            profile = await mediator.send(command)
        return _written(response, profile)

    @users.put("/{user_id}", summary="Update a user by PUT", responses=updated)
    async def put_user(
        user_id: UserIdPath,
        update: UserUpdate,
        request: Request,
        response: Response,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> UserProfile:
        """Do the same as PATCH: members left out stay as they are."""
        return await update_user(user_id, update, request, response, if_match, idempotency_key)

    @users.post(
        "/{user_id}/deactivate",
        summary="Deactivate a user",
        responses=answers(
            200,
            "The profile, closed to changes.",
            headers=_WRITTEN,
            links=_TO_READS_AND_CHANGES,
            problems=_CHANGE,
        ),
    )
    async def deactivate_user(
        user_id: UserIdPath,
        request: Request,
        response: Response,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> UserProfile:
        """Close a profile to changes. The e-mail address stays taken."""
        command = DeactivateUser(user_id, expected_version=expected_version(if_match))
        with carried_out_once(idempotency_key, request, None, response):
            profile = await mediator.send(command)
        return _written(response, profile)

    @users.post(
        "/{user_id}/reactivate",
        summary="Reactivate a user",
        responses=answers(
            200,
            "The profile, open to changes.",
            headers=_WRITTEN,
            links=_TO_READS_AND_CHANGES,
            problems=_CHANGE,
        ),
    )
    async def reactivate_user(
        user_id: UserIdPath,
        request: Request,
        response: Response,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> UserProfile:
        """Open a profile to changes again."""
        command = ReactivateUser(user_id, expected_version=expected_version(if_match))
        with carried_out_once(idempotency_key, request, None, response):
            profile = await mediator.send(command)
        return _written(response, profile)


def _add_queries(users: APIRouter, mediator: Mediator) -> None:
    @users.get(
        "",
        summary="List users",
        responses=answers(200, "A page of users.", problems=(*QUERY, INVALID_CURSOR)),
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
        sort: Annotated[UserOrder, Query(description="What comes first.")] = "name",
        limit: Limit = 20,
        cursor: Cursor = None,
        consistency_token: ConsistencyToken = None,
    ) -> UserSummaryPage:
        """List users as a dashboard shows them."""
        query = ListUserSummaries(status=status, q=q, sort=sort, limit=limit, cursor=cursor)
        with consistent_with(consistency_token):
            page = await mediator.send(query)
        return UserSummaryPage.model_validate(page)

    @users.get(
        "/{user_id}",
        summary="Get a user",
        response_model=UserProfile,
        responses={
            **answers(
                200,
                "The profile.",
                headers=("ETag",),
                links=_TO_CHANGES,
                problems=(*QUERY, USER_NOT_FOUND),
            ),
            **not_modified(),
        },
    )
    async def get_user(
        user_id: UserIdPath,
        response: Response,
        as_of: AsOf = None,
        as_of_version: AsOfVersion = None,
        if_none_match: IfNoneMatch = None,
        consistency_token: ConsistencyToken = None,
    ) -> UserProfile | Response:
        """Get a profile as it is now, or as it once was."""
        at = (as_of, as_of_version)
        query = GetPastUserProfile(user_id, *at) if any(at) else GetUserProfile(user_id)
        with consistent_with(consistency_token):
            profile = await mediator.send(query)
        set_etag(response, profile.version)
        if has_version(if_none_match, profile.version):
            return Response(None, 304, response.headers)
        return UserProfile.model_validate(profile)

    @users.get(
        "/{user_id}/history",
        summary="Get a user's history",
        responses=answers(
            200,
            "A page of the history.",
            problems=(*QUERY, USER_NOT_FOUND, INVALID_CURSOR),
        ),
    )
    async def get_user_history(
        user_id: UserIdPath,
        limit: Limit = 20,
        cursor: Cursor = None,
        consistency_token: ConsistencyToken = None,
    ) -> UserHistoryPage:
        """List what happened to a user, oldest first."""
        with consistent_with(consistency_token):
            page = await mediator.send(GetUserHistory(user_id, limit=limit, cursor=cursor))
        return UserHistoryPage.model_validate(page)


def _written(response: Response, profile: read_models.UserProfile) -> UserProfile:
    set_written(response, version=profile.version, position=profile.position)
    return UserProfile.model_validate(profile)
