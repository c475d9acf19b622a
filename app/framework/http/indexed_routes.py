"""Routes requests at once, where the framework would try one route after the other."""

from typing import NoReturn

from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from app.framework.http.operation_index import operation_of

_ROUTE = "route"
_TRACED = "fastapi.telemetry"  # its spans are named by the route that the framework selects


class IndexedRoutes(BaseRoute):
    """Stands before the routes of a router: passes a request on to the operation that was found.

    The route itself says whether it is for the request. What is out of the ordinary, and what no
    operation was found for, is left to the routes behind.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and _TRACED not in scope and (found := operation_of(scope)):
            match, child_scope = found.matches(scope)
            if match is Match.FULL:
                return match, child_scope
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        # FastAPI's routes put themselves into the scope when they match.
        await scope[_ROUTE].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> NoReturn:
        raise NoMatchFound(name, path_params)
