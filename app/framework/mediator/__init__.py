"""A generic async mediator: one handler per message type, behaviours around them.

    result = await mediator.send(CancelOrder(order_id="order123"))

The static type of `result` is the `R` of `class CancelOrder(Command[R])`. This
package imports the standard library, `app.framework.request`, metrics and spans, and knows nothing
of the rest.
"""

from app.framework.mediator.behaviours import Measure, Trace
from app.framework.mediator.deadline import Deadline
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
    "Measure",
    "Mediator",
    "MediatorError",
    "Message",
    "Proceed",
    "Query",
    "Registration",
    "Trace",
]
