"""Why a command or query on users is refused.

UserError
|-- UserNotFound        no user has the id (at the time asked about)
|-- UserAlreadyExists   the id is taken
|-- EmailTaken          another user has the e-mail address
`-- UserIsDeactivated   the user must be reactivated first
"""


class UserError(Exception):
    """A command or query on users is refused; the message is for its sender."""


class UserNotFound(UserError):
    """No user has the id."""

    def __init__(self, user_id: str, at: str = "") -> None:
        super().__init__(f"User with ID {user_id} not found{at}.")


class UserAlreadyExists(UserError):
    """A user has the id already."""

    def __init__(self, user_id: str) -> None:
        super().__init__(f"User with ID {user_id} already exists.")


class EmailTaken(UserError):
    """Another user has the e-mail address, in upper or lower case."""

    def __init__(self, email: str) -> None:
        super().__init__(f"The e-mail address {email} belongs to another user.")


class UserIsDeactivated(UserError):
    """The profile of a deactivated user cannot be changed."""

    def __init__(self, user_id: str) -> None:
        super().__init__(f"User with ID {user_id} is deactivated; reactivate it first.")
