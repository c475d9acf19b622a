"""The OpenAPI document of a service that lends books, to be edited."""

import copy
from typing import Any

GONE = object()
BOOK = {"$ref": "#/components/schemas/Book"}
JSON_BOOK = {"application/json": {"schema": BOOK}}

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/books": {
            "get": {
                "operationId": "list_books",
                "tags": ["books"],
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 20},
                    },
                    {"name": "q", "in": "query", "schema": {"type": "string", "pattern": "^.+$"}},
                    {
                        "name": "sort",
                        "in": "query",
                        "schema": {"$ref": "#/components/schemas/Order"},
                    },
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"type": "array", "items": BOOK}}
                        },
                    },
                },
            },
            "post": {
                "operationId": "add_book",
                "tags": ["books"],
                "security": [{"key": ["add"]}, {"key": ["all"]}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewBook"}}
                    }
                },
                "responses": {
                    "201": {
                        "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                        "content": JSON_BOOK,
                    },
                    "409": {"content": {"application/problem+json": {"schema": {}}}},
                },
            },
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
        "schemas": {
            "Order": {
                "type": "string",
                "enum": ["title", "-title"],
                "x-enum-varnames": ["TITLE", "TITLE_DESCENDING"],
            },
            "Medium": {"type": "string", "enum": ["paper", "film"]},
            "Page": {"type": "object"},
            "NewBook": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title"],
                "properties": {
                    "title": {"type": "string", "maxLength": 200},
                    "year": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "authors": {"type": "array"},
                    "cover": {"type": "object"},
                },
            },
            "Book": {
                "type": "object",
                "required": ["title", "year", "medium"],
                "properties": {
                    "title": {"type": "string", "maxLength": 200, "description": "On its back."},
                    "year": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "medium": {"type": "string", "enum": ["paper", "film"]},
                    "sequel": {"anyOf": [BOOK, {"type": "null"}]},
                    "names": {"type": "object", "additionalProperties": {"type": "string"}},
                    "maker": {"type": "object", "additionalProperties": False},
                },
            },
        },
    },
}

LIST = ("paths", "/books", "get")
ADD = ("paths", "/books", "post")
LIMIT = (*LIST, "parameters", 0)
Q = (*LIST, "parameters", 1)
ORDER = ("components", "schemas", "Order")
NEW_BOOK = ("components", "schemas", "NewBook")
BOOK_FIELDS = ("components", "schemas", "Book", "properties")
STRING = {"type": "string"}


def edited(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """DOCUMENT with `value` at `path`, or without what was there if it is to be GONE."""
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    *parents, last = path
    for each in parents:
        place = place[each]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return document
