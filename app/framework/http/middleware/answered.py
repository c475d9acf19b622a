"""How a step of the edge keeps a request from the application."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Answered(Exception):
    """A request goes no further, mostly as it is refused.

    `answer`, an ASGI application, answers it instead.
    """

    def __init__(self, answer: ASGIApp) -> None:
        super().__init__()
        self.answer = answer


async def no_answer(_: Scope, __: Receive, ___: Send) -> None:
    """For a request whose client is gone."""
