"""A generic async mediator: one handler per message type, behaviours around them.

    result = await mediator.send(CancelOrder(order_id="order123"))

The static type of `result` is the `R` of `class CancelOrder(Command[R])`. This
package imports the standard library and `app.framework.request`, and knows nothing of the rest.
"""

from app.framework.mediator.behaviours import Deadline, Log
from app.framework.mediator.errors import (
    DuplicateHandler,
    HandlerMissing,
    HandlersMissing,
    MediatorError,
)
from app.framework.mediator.mediator import Behaviour, Mediator, Proceed
from app.framework.mediator.messages import Command, Message, Query, Registration

__all__ = [
    "Behaviour",
    "Command",
    "Deadline",
    "DuplicateHandler",
    "HandlerMissing",
    "HandlersMissing",
    "Log",
    "Mediator",
    "MediatorError",
    "Message",
    "Proceed",
    "Query",
    "Registration",
]
