"""Routes that answer a request by a plan that is made once.

FastAPI analyses the parameters of a route for each request. For endpoints with a few optional
headers that is most of the cost of a request, see docs/performance.md.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from fastapi.utils import is_body_allowed_for_status_code
from pydantic import TypeAdapter

from app.framework.http.caching import RawHeader, caching_of
from app.framework.http.plan import Plan
from app.framework.http.request_rules import JSON, RequestRules, body_media_types

_TRACED = "fastapi.telemetry"
"""What FastAPI puts into the scope of a request that it makes spans for, also for its parts."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PlannedRoute(APIRoute):
    """Answers requests that fit their declarations as any route does; FastAPI answers the rest.

    For coroutines that take values of the path, the query and the headers, one JSON body, the
    request and the response, and return the model they declare, or a response. FastAPI answers a
    request that does not fit, so refusals are its own. It also answers each request that it traces,
    and all requests to a route that has dependencies: its own, or those of the application or of a
    router it is included in. The OpenAPI document is FastAPI's in any case.

    Beside what is declared, `RequestRules` hold for the headers of requests. Successful answers of
    reads say how they may be cached.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As `APIRoute`.

        Raises:
            TypeError: the endpoint takes what the plan cannot give it, or an option asks for what
                the plan does not do.

        """
        self._plan: Plan | None = None
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        """FastAPI's hook: it calls this when the route is made, and again if it is included."""
        rules = _rules_of(self)
        caching = _caching_of(self)
        by_fastapi = super().get_route_handler()

        async def answer_by_fastapi(request: Request) -> Response:
            rules.enforce(request.scope)
            response = await by_fastapi(request)
            if "Cache-Control" not in response.headers:
                response.raw_headers.extend(caching)
            return response

        is_included = self._plan is not None
        self._plan = plan = self._plan or Plan(self, rules)
        if is_included or self.dependant.dependencies:
            return answer_by_fastapi
        return _answering(self, plan, caching, answer_by_fastapi)


def _rules_of(route: APIRoute) -> RequestRules:
    takes = [each.alias for each in route.dependant.header_params]
    return RequestRules(takes, body_media_types(route.methods or ()) if route.body_field else ())


def _caching_of(route: APIRoute) -> Sequence[RawHeader]:
    takes = [each.alias.lower().encode() for each in route.dependant.header_params]
    return caching_of(route.methods or (), takes)


def _answering(
    route: APIRoute, plan: Plan, caching: Sequence[RawHeader], by_fastapi: Handler
) -> Handler:
    endpoint, status = route.endpoint, route.status_code or 200
    model = route.response_model
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    json = (b"content-type", JSON.encode())

    async def answer(request: Request) -> Response:
        if _TRACED in request.scope:
            return await by_fastapi(request)
        response = Response(None, status)
        response.raw_headers[:] = caching
        values = await plan.arguments(request, response)
        if values is None:
            return await by_fastapi(request)
        result = await endpoint(**values)
        if isinstance(result, Response):
            return result
        if type(result) is not model:
            # For example a subclass, whose further members are not for clients.
            result = adapter.validate_python(result, from_attributes=True)
        if is_body_allowed_for_status_code(response.status_code):
            response.body = adapter.dump_json(result, by_alias=True)
            length = str(len(response.body)).encode()
            response.raw_headers[:0] = (b"content-length", length), json
        return response

    return answer
