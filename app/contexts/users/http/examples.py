"""What the OpenAPI document shows of users in the schemas that all contexts share."""

from dataclasses import replace

from app.contexts.users.domain.events import UserNameChanged
from app.contexts.users.domain.user import USERS
from app.contexts.users.http.problems import USER_NOT_FOUND
from app.contexts.users.projections.user_profiles import USER_PROFILES
from app.framework.http.examples import Examples

USER_EXAMPLES = Examples(
    problem=replace(
        USER_NOT_FOUND, meaning="No user has the id, or had it at the time that was asked about."
    ),
    path="/users/user123",
    path_parameter="user_id",
    pointer="#/email",
    detail="An email address must have an @-sign.",
    projection=USER_PROFILES.name,
    stream_id=f"{USERS.stream_type}-user123",
    event_type=UserNameChanged.event_type,
)
