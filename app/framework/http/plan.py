"""The plan of a route: the places of its endpoint's arguments in a request."""

import inspect
import typing
from collections.abc import Hashable, Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from app.framework.http.request_rules import JSON, RequestRules

_SEVERAL = (list, set, frozenset, tuple)


class Plan:
    """Finds the arguments of an endpoint in ordinary requests."""

    def __init__(self, route: APIRoute, rules: RequestRules) -> None:
        """Plan the endpoint of `route`.

        Raises:
            TypeError: the route uses a feature that cannot be planned; the message names it.

        """
        refused = list(_not_planned(route))
        if refused:
            raise TypeError(f"{route.name}: a PlannedRoute has no {', no '.join(refused)}.")
        needs = route.dependant
        self._path = _by_alias(needs.path_params)
        self._query = _by_alias(needs.query_params)
        self._headers = {each.alias.lower().encode(): each for each in needs.header_params}
        self._rules = rules
        self._media_types = {each.encode() for each in rules.media_types}
        self._request, self._response = needs.request_param_name, needs.response_param_name
        self._body = route.body_field
        fields = (*needs.query_params, *needs.header_params)
        optional = [each for each in fields if not each.field_info.is_required()]
        self._made = [each for each in optional if _is_made_anew(each)]
        self._defaults = {it.name: it.get_default() for it in optional if it not in self._made}
        self._count = len(inspect.signature(route.endpoint).parameters)

    async def arguments(self, request: Request, response: Response) -> dict[str, Any] | None:
        """The arguments for `request`; None if anything about it is unusual or invalid."""
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
            _take(values, self._headers, headers)
            if scope["query_string"]:
                _take(values, self._query, request.query_params)
            _make(values, self._made)
            if self._body:
                media_type = headers[b"content-type"].partition(b";")[0]
                if media_type not in self._media_types or b"content-encoding" in headers:
                    return None
                values[self._body.name] = _valid(self._body, from_json(await request.body()))
        except HTTPException:
            raise
        except Exception:  # noqa: BLE001 - FastAPI writes the refusal
            return None
        return values if len(values) == self._count else None


def _not_planned(route: APIRoute) -> Iterator[str]:
    """The features of `route` that a plan does not support, in words."""
    signature = inspect.signature(route.endpoint, eval_str=True)
    returns_response = _is_a(signature.return_annotation, Response)
    if not inspect.iscoroutinefunction(route.endpoint):
        yield "endpoint that is no coroutine function"
    if route.response_field is None and not returns_response:
        yield "endpoint that declares neither a model nor a response"
    if not isinstance(route.response_class, DefaultPlaceholder) and not returns_response:
        yield "response_class"
    for option in ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none"):
        if getattr(route, f"response_model_{option}"):
            yield f"response_model_{option}"
    if not route.response_model_by_alias:
        yield "response_model_by_alias=False"
    if route.max_body_size is not None:
        yield "max_body_size"
    if not getattr(route.strict_content_type, "value", route.strict_content_type):
        yield "strict_content_type=False"
    yield from _arguments_not_planned(route, signature)


def _arguments_not_planned(route: APIRoute, signature: inspect.Signature) -> Iterator[str]:
    needs, body = route.dependant, route.body_field
    fields = [*needs.path_params, *needs.query_params, *needs.header_params]
    given = {each.name for each in (*fields, *([body] if body else []))}
    given |= {each for each in (needs.request_param_name, needs.response_param_name) if each}
    for each in signature.parameters.values():
        if any(getattr(note, "embed", None) for note in typing.get_args(each.annotation)[1:]):
            yield f"embedded body, as {each.name} is"
        elif each.name not in given:
            yield f"way to give {each.name}"
    if body and getattr(body.field_info, "media_type", JSON) != JSON:
        yield f"body that is no JSON, as {body.name} is"
    for field in fields:
        if field.field_info.validation_alias not in (None, field.alias):
            yield f"validation_alias, as {field.name} has"
        if _is_a(field.field_info.annotation, BaseModel):
            yield f"model of parameters, as {field.name} is"
        if _is_one_or_several(field.field_info.annotation):
            yield f"parameter of one value or several, as {field.name} is"


def _is_made_anew(field: Any) -> bool:
    # A list, say, would be shared by all requests.
    info = field.field_info
    return info.default_factory is not None or not isinstance(info.default, Hashable)


def _is_one_or_several(annotation: Any) -> bool:
    # FastAPI makes a list of one value too, where an annotation has both.
    if typing.get_origin(annotation) not in (typing.Union, UnionType):
        return False
    kinds = [it for it in typing.get_args(annotation) if it is not NoneType]
    several = [it for it in kinds if _is_a(typing.get_origin(it) or it, _SEVERAL)]
    return 0 < len(several) < len(kinds)


def _is_a(annotation: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, kind)


def _by_alias(fields: list[Any]) -> Mapping[str, Any]:
    return {each.alias: each for each in fields}


def _take(values: dict[str, Any], fields: Mapping[Any, Any], given: Mapping[Any, Any]) -> None:
    for name, field in fields.items():
        value = given.get(name)
        if value is not None:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            values[field.name] = _valid(field, text)


def _make(values: dict[str, Any], fields: Iterable[Any]) -> None:
    for each in fields:
        if each.name not in values:
            values[each.name] = each.get_default()


def _valid(field: Any, value: Any) -> Any:
    found, errors = field.validate(value)
    if errors:
        raise ValueError(errors)
    return found
