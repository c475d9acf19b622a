"""Routes that hand a request to its endpoint by a plan made once.

FastAPI finds out for each request anew where each parameter is to be found and what it may be.
For endpoints with a few optional headers that is most of what a request costs, see
docs/performance.md.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute, request_response
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.caching import RawHeader, caching_of
from app.api.request_rules import JSON, RequestRules, body_media_types


class DirectRoute(APIRoute):
    """Does for requests that fit their declarations what any route does; FastAPI does the rest.

    For coroutines that take single values of the path, the query and the headers, one JSON body,
    the request and the response, and return the model they declare, whole, or a response. A
    request that does not fit is handed to FastAPI from the beginning, and an error of the
    endpoint as well, so that refusals are the same; the OpenAPI document is the same, too. Where
    its router is included in another, FastAPI answers every request, since the route may have
    gained dependencies on the way.

    Beside what is declared, `RequestRules` hold for the headers of requests. Successful answers of
    reads say how they may be cached.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As `APIRoute`.

        Raises:
            TypeError: the endpoint takes what a `DirectRoute` cannot give it, or declares no
                model and returns no response.

        """
        super().__init__(*arguments, **options)
        self.app = _answering(self, by_fastapi=self.app)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind the rules for headers, with what caches may do."""
        rules, handler = _rules_of(self), super().get_route_handler()
        caching = _caching_of(self)

        async def handle(request: Request) -> Response:
            rules.enforce(request.scope)
            response = await handler(request)
            if "Cache-Control" not in response.headers:
                response.raw_headers.extend(caching)
            return response

        return handle


def _rules_of(route: APIRoute) -> RequestRules:
    takes = [each.alias for each in route.dependant.header_params]
    return RequestRules(takes, body_media_types(route.methods or ()) if route.body_field else ())


def _caching_of(route: APIRoute) -> Sequence[RawHeader]:
    takes = [each.alias.lower().encode() for each in route.dependant.header_params]
    return caching_of(route.methods or (), takes)


def _answering(route: APIRoute, by_fastapi: ASGIApp) -> ASGIApp:
    arguments = _Arguments(route)
    endpoint, written, status = route.endpoint, route.response_field, route.status_code or 200
    caching = _caching_of(route)
    json = (b"content-type", JSON.encode())

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = Response(None, status)
        response.raw_headers[:] = caching
        values = await arguments.of(request, response)
        if values is None:
            await by_fastapi(scope, _again(request), send)
            return
        try:
            result = await endpoint(**values)
        except Exception as error:  # noqa: BLE001 - FastAPI knows who handles it
            await _raising(error)(scope, _again(request), send)
            return
        if written is not None and not isinstance(result, Response):
            response.body = written.serialize_json(result)
            length = str(len(response.body)).encode()
            response.raw_headers[:0] = (b"content-length", length), json
            result = response
        await result(scope, receive, send)

    return answer


def _raising(error: Exception) -> ASGIApp:
    async def handler(_: Request) -> Response:
        raise error

    return request_response(handler)


def _again(request: Request) -> Receive:
    # The body first, which may have been read: the request keeps it.
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            return await request.receive()
        body = await request.body()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


class _Arguments:
    """What an endpoint is called with."""

    def __init__(self, route: APIRoute) -> None:
        needs = route.dependant
        self._path = _by_alias(needs.path_params)
        self._query = _by_alias(needs.query_params)
        self.headers = {each.alias.lower().encode(): each for each in needs.header_params}
        self._rules = _rules_of(route)
        self._media_types = {each.encode() for each in self._rules.media_types}
        self._request, self._response = needs.request_param_name, needs.response_param_name
        self._body = route.body_field
        fields = [*needs.query_params, *needs.header_params]
        self._defaults = {
            each.name: each.get_default() for each in fields if not each.field_info.is_required()
        }
        signature = inspect.signature(route.endpoint, eval_str=True)
        self._names = signature.parameters.keys()
        given: set[str | None] = {each.name for each in (*needs.path_params, *fields)}
        given |= {self._request, self._response, self._body.name if self._body else None}
        limited = route.max_body_size is not None
        if needs.dependencies or limited or not self._names <= given:
            raise TypeError(f"{route.name} takes what a DirectRoute cannot give it")
        returned = signature.return_annotation
        if route.response_field is None and not _is_response(returned):
            raise TypeError(f"{route.name} returns neither a model nor a response")

    async def of(self, request: Request, response: Response) -> dict[str, Any] | None:
        """The arguments for `request`; None if anything about it is out of the ordinary."""
        values = self._defaults.copy()
        if self._request:
            values[self._request] = request
        if self._response:
            values[self._response] = response
        scope = request.scope
        headers = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) and self._rules.finds_repeats(scope["headers"]):
            return None
        try:
            _take(values, self._path, scope["path_params"])
            _take(values, self.headers, headers)
            if scope["query_string"]:
                _take(values, self._query, request.query_params)
            if self._body:
                media_type = headers[b"content-type"].partition(b";")[0]
                if media_type not in self._media_types or b"content-encoding" in headers:
                    return None
                values[self._body.name] = _valid(self._body, from_json(await request.body()))
        except HTTPException:
            raise
        except Exception:  # noqa: BLE001 - FastAPI knows what to say of it
            return None
        return values if len(values) == len(self._names) else None


def _is_response(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Response)


def _by_alias(fields: list[Any]) -> Mapping[str, Any]:
    return {each.alias: each for each in fields}


def _take(values: dict[str, Any], fields: Mapping[Any, Any], given: Mapping[Any, Any]) -> None:
    for name, field in fields.items():
        value = given.get(name)
        if value is not None:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            values[field.name] = _valid(field, text)


def _valid(field: Any, value: Any) -> Any:
    found, errors = field.validate(value)
    if errors:
        raise ValueError(errors)
    return found
