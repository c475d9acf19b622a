"""The OpenAPI document: what routes declare of their answers, and the parts all of them share."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from app.api.answers import MEDIA_TYPE
from app.api.headers import HEADERS
from app.api.problems import (
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_CONSISTENCY_TOKEN,
    INVALID_REQUEST,
    MISDIRECTED_REQUEST,
    OVERLOADED,
    PAYLOAD_TOO_LARGE,
    READ_MODEL_BEHIND,
    STORAGE_UNAVAILABLE,
    ProblemType,
)
from app.api.schemas.changes import UserChange
from app.api.schemas.problem import Problem, ProblemError

Responses = dict[int | str, dict[str, Any]]
Links = dict[str, dict[str, Any]]

_REFERENCE = "#/components/schemas/{model}"

# In the words of the generator that defined them; others read them too.
_PAGINATION = {
    "type": "cursor",
    "inputs": [{"name": "cursor", "in": "parameters", "type": "cursor"}],
    "outputs": {"results": "$.items", "nextCursor": "$.next_cursor"},
}

ALWAYS = (PAYLOAD_TOO_LARGE, HEADERS_TOO_LARGE, INTERNAL_ERROR)
"""The problems of every route."""

MESSAGE = (*ALWAYS, INVALID_REQUEST, MISDIRECTED_REQUEST, OVERLOADED, STORAGE_UNAVAILABLE)
"""The problems of every route that sends a message."""

QUERY = (*MESSAGE, INVALID_CONSISTENCY_TOKEN, READ_MODEL_BEHIND)
"""The problems of every route that sends a query."""


def reference(model: type[BaseModel]) -> dict[str, str]:
    """What stands for the schema of `model` where FastAPI puts none."""
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def answers(
    status: int,
    description: str,
    *,
    headers: Iterable[str] = (),
    content: Mapping[str, Any] | None = None,
    links: Links | None = None,
    problems: Iterable[ProblemType],
) -> Responses:
    """What a route declares: its one success, with `headers`, and the problems it may answer.

    The problems are those of `MESSAGE` (or `ALWAYS`) and its own. The content is what FastAPI
    finds by itself, unless it is given.
    """
    success: dict[str, Any] = {
        "description": description,
        "headers": _headers(headers),
        "links": links or {},
    }
    if content is not None:
        success["content"] = content
    by_status = sorted(problems, key=lambda each: each.status)
    return {
        status: success,
        **{each: _refusal(list(same)) for each, same in groupby(by_status, lambda it: it.status)},
    }


def not_modified() -> Responses:
    """What a route declares that answers 304 to If-None-Match."""
    return {304: {"description": "The client has it already.", "headers": _headers(["ETag"])}}


def links_to(*operation_ids: str, description: str, parameters: Mapping[str, str]) -> Links:
    """Where an answer leads: calls of these operations, each with the same `parameters`.

    The values are runtime expressions, such as `$response.body#/id`. A link is the same
    wherever it stands: two to one operation must have the same parameters.
    """
    return {
        each: {"operationId": each, "parameters": dict(parameters), "description": description}
        for each in operation_ids
    }


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """`document` as FastAPI makes it, brought into the form that clients are generated from.

    It has the components that routes refer to, and says how the pages of a list follow
    each other.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (Problem, ProblemError, UserChange):
        schema = model.model_json_schema(ref_template=_REFERENCE, mode="serialization")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["schemas"] = {name: _tidied(each, schemas) for name, each in sorted(schemas.items())}
    components["headers"] = HEADERS
    components["examples"] = {}
    components["links"] = {}
    for path in document["paths"].values():
        for operation in path.values():
            parameters = operation.get("parameters", ())
            for each in parameters:
                _tidy_parameter(each)
            if any(each["name"] == "cursor" for each in parameters):
                operation["x-speakeasy-pagination"] = _PAGINATION
            for response in operation["responses"].values():
                response.setdefault("headers", {}).update(_headers(["X-Request-Id"]))
                problems = response.get("content", {}).get(MEDIA_TYPE, {})
                components["examples"].update(_taken(problems, "examples"))
                components["links"].update(_taken(response, "links"))
    return {**document, "security": []}


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


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refusal(problems: list[ProblemType]) -> dict[str, Any]:
    waits = any(each.retry_after is not None for each in problems)
    return {
        "description": " or ".join(f"{each.title} (`{each.code}`)" for each in problems),
        "headers": _headers(["Retry-After"] if waits else []),
        "content": {
            MEDIA_TYPE: {
                "schema": reference(Problem),
                "examples": {
                    each.code: {"summary": each.title, "value": _example(each)} for each in problems
                },
            }
        },
    }


def _example(kind: ProblemType) -> dict[str, Any]:
    problem = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.example,
        "instance": "/a/path",
        "code": kind.code,
        "request_id": "01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11",
    }
    if kind is INVALID_REQUEST:
        detail = "An email address must have an @-sign."
        problem["errors"] = [{"pointer": "#/email", "code": "value-error", "detail": detail}]
    return problem
