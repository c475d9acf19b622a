"""Backpressure: the service works on as many requests as it can answer in time.

Otherwise every request would wait for all others, and be answered after its client has left.
"""

import logging
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.framework.http.problems import OVERLOADED
from app.framework.http.refusals import problem_response
from app.framework.observability.episodes import Episode

ALWAYS_ADMITTED = ("/health/", "/problems")
"""Prefixes of the paths that are answered at any load: balancers and refused clients need them, and
they are cheap."""

_log = logging.getLogger(__name__)


class Places:
    """The places of requests under way; `refused` counts the requests without a place."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.taken = 0
        self.refused = Episode(
            _log,
            begins=f"Overloaded: {bound} requests are under way, further ones are refused.",
            ended="No longer overloaded; %d requests were refused.",
        )

    @property
    def full(self) -> bool:
        return self.taken >= self.bound


class Admission:
    """Gives a complete request one of `places` until its answer starts, or refuses it.

    So an incomplete body, a stream or a slow reader does not keep a place.
    """

    def __init__(self, app: ASGIApp, places: Places) -> None:
        self._app = app
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        places = self._places
        if scope["type"] != "http" or _is_always_admitted(scope):
            await self._app(scope, receive, send)
            return
        if places.full:
            places.refused.count()
            answer = problem_response(scope, OVERLOADED, OVERLOADED.example)
            await answer(scope, receive, send)
            return
        places.taken += 1
        taken = True

        def send_without_place(message: Message) -> Awaitable[None]:
            nonlocal taken
            if taken:
                taken = False
                places.taken -= 1
            return send(message)

        try:
            await self._app(scope, receive, send_without_place)
        finally:
            if taken:
                places.taken -= 1


def _is_always_admitted(scope: Scope) -> bool:
    path: str = scope["path"]
    if prefix := scope.get("root_path"):
        path = path.removeprefix(prefix)
    return path.startswith(ALWAYS_ADMITTED)
