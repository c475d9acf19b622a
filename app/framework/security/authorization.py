"""The behaviour that enforces policies."""

from collections.abc import Awaitable

from app.framework.mediator import Message
from app.framework.mediator.mediator import Proceed, ResultT
from app.framework.request import RequestContext
from app.framework.security.policies import Policies


class Authorize:
    """Sends a message on only if its policy allows that; only what measures is further out.

    It decides by the message and the principal alone, before anything is looked up, so a refusal
    does not tell whether what the message is about exists.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def __call__(
        self, message: Message[ResultT], context: RequestContext, proceed: Proceed[ResultT]
    ) -> Awaitable[ResultT]:
        """Not a coroutine, which would cost every message some time.

        Raises:
            Forbidden: the principal may not send the message.

        """
        self._policies[type(message)].check(message, context.principal)
        return proceed(message, context)
