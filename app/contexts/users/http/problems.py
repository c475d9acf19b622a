"""The ways in which the context of users refuses."""

from app.contexts.users.domain.errors import (
    EmailTaken,
    UserAlreadyExists,
    UserIsDeactivated,
    UserNotFound,
)
from app.framework.http.problems.kinds import ErrorMapping, ErrorMappings, ProblemType

USER_NOT_FOUND = ProblemType(
    404,
    "user-not-found",
    "User not found",
    example="User with ID user123 not found.",
    meaning="No user has the id, or had it at the time or version that was asked about. A user "
    "who was registered just now may not be in the views yet: send the Consistency-Token "
    "of the registration with the read.",
)
USER_ALREADY_EXISTS = ProblemType(
    409,
    "user-already-exists",
    "User already exists",
    example="User with ID user123 already exists.",
    meaning="The id is taken. Choose another, or leave it out and be given one. A registration "
    "that is repeated under its Idempotency-Key gets its first answer instead.",
)
EMAIL_TAKEN = ProblemType(
    409,
    "email-taken",
    "E-mail address taken",
    example="The e-mail address alice@example.com belongs to another user.",
    meaning="Another user, active or deactivated, has the e-mail address, in upper or lower case.",
)
USER_DEACTIVATED = ProblemType(
    409,
    "user-deactivated",
    "User deactivated",
    example="User with ID user123 is deactivated; reactivate it first.",
    meaning="The profile of a deactivated user is closed to changes. Reactivate the user, then "
    "send the update again.",
)

USER_PROBLEMS: ErrorMappings = {
    UserNotFound: ErrorMapping(USER_NOT_FOUND),
    UserAlreadyExists: ErrorMapping(USER_ALREADY_EXISTS),
    EmailTaken: ErrorMapping(EMAIL_TAKEN),
    UserIsDeactivated: ErrorMapping(USER_DEACTIVATED),
}
