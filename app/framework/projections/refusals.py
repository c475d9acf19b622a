"""What ends the work on a build, and what is said of errors."""

from app.framework.eventsourcing import EventSourcingError
from app.framework.projections.losses import CONDEMNING
from app.framework.projections.parking import TooManyParked
from app.framework.projections.ports import CannotStore
from app.framework.projections.projection import CannotApply
from app.framework.storage import StorageError

REFUSALS = (*CONDEMNING, CannotApply, CannotStore, EventSourcingError, TooManyParked)
"""What does not pass by itself, as an outage of a storage does."""


def described(error: Exception) -> str:
    """What clients may read: messages of drivers name hosts and users, and are for the log only."""
    if isinstance(error, StorageError):
        words = error.summary
    elif isinstance(error, REFUSALS):
        words = str(error)
    else:
        words = "see the log of the projector"
    return f"{type(error).__name__}: {words}"
