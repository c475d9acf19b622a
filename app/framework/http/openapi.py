"""The OpenAPI document: what FastAPI makes of the routes, completed for generators of clients."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from app.framework.http.examples import GENERIC, Examples, with_examples
from app.framework.http.headers import (
    BROWSER_HEADERS,
    HEADERS,
    RATE_LIMIT_HEADERS,
    header_references,
)
from app.framework.http.openapi_bounds import bound_answers, bound_by_patterns
from app.framework.http.openapi_security import (
    document_security,
    limit_headers,
    security_schemes,
)
from app.framework.http.refusals import MEDIA_TYPE
from app.framework.http.request_rules import body_media_types
from app.framework.http.responses import REFERENCE
from app.framework.http.schemas.problem import Problem, ProblemError

# An extension of the generator Speakeasy, which other generators read too.
_PAGINATION = {
    "type": "cursor",
    "inputs": [{"name": "cursor", "in": "parameters", "type": "cursor"}],
    "outputs": {"results": "$.items", "nextCursor": "$.next_cursor"},
}

_OF_ALL = ("X-Request-Id", *BROWSER_HEADERS)
_INT32_MAX = 2**31 - 1


def complete(
    document: dict[str, Any],
    streamed: Iterable[type[BaseModel]] = (),
    examples: Examples = GENERIC,
    discovery_urls: Sequence[str] = (),
) -> dict[str, Any]:
    """`document` as FastAPI makes it, brought into the form that clients are generated from.

    It has the components that routes refer to, the schemas of `streamed`, the data of events,
    among them, with `examples` in those that all contexts share. It says how the pages of a list
    follow each other, how many bits an integer takes, and who may use an operation, with tokens of
    the issuers at `discovery_urls`.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    models: Sequence[type[BaseModel]] = (Problem, ProblemError, *streamed)
    for model in models:
        schema = model.model_json_schema(ref_template=REFERENCE, mode="serialization")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["schemas"] = {name: _tidied(each, schemas) for name, each in sorted(schemas.items())}
    components["securitySchemes"] = security_schemes(discovery_urls)
    components["headers"] = deepcopy({**HEADERS, **RATE_LIMIT_HEADERS, **BROWSER_HEADERS})
    components["examples"] = {}
    components["links"] = {}
    for place, path in document["paths"].items():
        headers = header_references((*_OF_ALL, *limit_headers(place)))
        for method, operation in path.items():
            _name_media_types(method, operation)
            document_security(place, operation, discovery_urls)
            parameters = operation.get("parameters", ())
            for each in parameters:
                _tidy_parameter(each)
            if any(each["name"] == "cursor" for each in parameters):
                operation["x-speakeasy-pagination"] = _PAGINATION
            for response in operation["responses"].values():
                response.setdefault("headers", {}).update(headers)
                problems = response.get("content", {}).get(MEDIA_TYPE, {})
                components["examples"].update(_taken(problems, "examples"))
                components["links"].update(_taken(response, "links"))
    bound_by_patterns([components["schemas"], document["paths"]])
    bound_answers(components["schemas"], _sent(document))
    _name_formats(document)
    return {**with_examples(document, examples), "security": []}


def _name_media_types(method: str, operation: dict[str, Any]) -> None:
    # FastAPI knows one for each body.
    body = operation.get("requestBody")
    if body:
        [content] = body["content"].values()
        body["content"] = dict.fromkeys(body_media_types({method.upper()}), content)


def _sent(document: dict[str, Any]) -> set[str]:
    return {
        content["schema"]["$ref"].rpartition("/")[2]
        for path in document["paths"].values()
        for operation in path.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    }


def _name_formats(part: Any) -> None:
    # In languages with integers of several sizes a client would take the smaller for granted.
    if isinstance(part, list):
        for each in part:
            _name_formats(each)
    elif isinstance(part, dict):
        if part.get("type") == "integer":
            bounded = part.get("maximum", _INT32_MAX + 1) <= _INT32_MAX
            part["format"] = "int32" if bounded else "int64"
        for each in part.values():
            _name_formats(each)


def _tidied(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    # The titles of members are their names in other letters, and become comments in clients.
    for each in schema.get("properties", {}).values():
        each.pop("title", None)
    if "examples" in schema:
        schema["examples"] = [_in_order(each, schema, schemas) for each in schema["examples"]]
    return schema


def _tidy_parameter(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"] = _never_null(parameter["schema"])
    schema.pop("title", None)
    if parameter["required"] and "examples" in schema:
        # Swagger UI fills in this example, and none of those of a schema.
        parameter["example"] = schema["examples"][0]


def _in_order(example: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    # Pydantic sorts the members of examples by name; they are shown as they are answered.
    if "$ref" in schema:
        return _in_order(example, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "items" in schema:
        return [_in_order(each, schema["items"], schemas) for each in example]
    if "properties" in schema:
        members = schema["properties"]
        return {
            name: _in_order(example[name], members.get(name, {}), schemas)
            for name in dict.fromkeys([*members, *example])
            if name in example
        }
    return example


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A parameter that may be left out has None for its default, but no client can send null.
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{name: value for name, value in schema.items() if name != "anyOf"}}


def _taken(owner: dict[str, Any], kind: str) -> dict[str, Any]:
    # The same ones are in many places: references keep the document small.
    taken: dict[str, Any] = owner.pop(kind, {})
    if taken:
        owner[kind] = {name: {"$ref": f"#/components/{kind}/{name}"} for name in taken}
    return taken
