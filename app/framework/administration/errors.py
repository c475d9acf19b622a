"""The errors of administration.

AdministrationError
|-- ProjectionNotFound    no projection has the name
|-- BuildNotFound         the projection never had a build of the number
|-- ProjectionBusy        another build of it is being made, or another operator was first
|-- BuildNotReady         the build cannot serve as it is
|-- BuildServes           the build serves, so it cannot be retired
|-- DocumentNotParked     the build that serves has no parked document of the key
|-- CannotBeVerified      no build of it serves, or this process cannot fold it
`-- VerificationNotFound  there is no such verification
"""

from app.framework.projections import BuildRecord


class AdministrationError(Exception):
    """What an operator asked for is refused; nothing was changed."""


class ProjectionNotFound(AdministrationError):
    """No projection of this name was ever begun."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no projection {name}.")


class BuildNotFound(AdministrationError):
    """The projection never had a build of this number."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} has no build {number}.")


class ProjectionBusy(AdministrationError):
    """The projection has to come to rest first; `reason` says what is going on."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is busy: {reason}.")


class BuildNotReady(AdministrationError):
    """Queries would lose by this build; `reason` says why."""

    def __init__(self, build: BuildRecord, reason: str) -> None:
        super().__init__(f"Build {build.number} of {build.name} cannot serve: {reason}.")


class DocumentNotParked(AdministrationError):
    """The build that serves has no parked document of this key."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__(f"The document {key!r} of {name} is not parked.")


class CannotBeVerified(AdministrationError):
    """This process cannot verify the projection; `reason` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be verified: {reason}.")


class VerificationNotFound(AdministrationError):
    """There is no such verification: it may have ended with its process."""

    def __init__(self, name: str, verification: str) -> None:
        super().__init__(f"There is no verification {verification} of {name}.")


class BuildServes(AdministrationError):
    """The build that serves cannot be retired."""

    def __init__(self, build: BuildRecord) -> None:
        super().__init__(
            f"Build {build.number} of {build.name} serves; let another one serve before you "
            "retire it."
        )
