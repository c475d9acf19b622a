"""Why a supervisor could not start the service."""


class StartFailed(Exception):
    """A process ended before the service was ready; the message says why.

    status: the exit status for it.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
