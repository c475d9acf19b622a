"""What breaks clients is told from what does not."""

import pytest

from app.devtools.openapi import breaking_changes
from tests.unit.api.books import (
    ADD,
    BOOK_FIELDS,
    DOCUMENT,
    GONE,
    JSON_BOOK,
    LIMIT,
    LIST,
    NEW_BOOK,
    ORDER,
    STRING,
    Q,
    edited,
)

NEW_PARAMETER = (*LIST, "parameters", 3)

BREAKING = [
    ((*LIST,), GONE, "GET /books is gone"),
    (
        (*LIST, "operationId"),
        "get_books",
        "GET /books: operationId was 'list_books', is 'get_books'",
    ),
    ((*LIST, "tags"), ["library"], "GET /books: tags was ['books'], is ['library']"),
    (
        (*LIST, "security"),
        [{"key": []}],
        "GET /books no longer takes requests without credentials",
    ),
    (
        (*ADD, "security", 1),
        {"key": ["all", "add"]},
        "POST /books no longer takes {'key': ['all']}",
    ),
    ((*ADD, "security", 1), {"seal": []}, "POST /books no longer takes {'key': ['all']}"),
    (("components", "securitySchemes", "key"), GONE, "the security scheme key is gone"),
    (
        ("components", "securitySchemes", "key", "scheme"),
        "basic",
        "the security scheme key is another",
    ),
    ((*ADD, "responses", "409"), GONE, "POST /books no longer declares 409"),
    ((*ADD, "responses", "201", "headers", "ETag"), GONE, "POST /books, 201, header ETag is gone"),
    (
        ("components", "headers", "ETag", "required"),
        False,
        "POST /books, 201, header ETag may be left out now",
    ),
    (
        ("components", "headers", "ETag", "schema", "type"),
        "integer",
        "POST /books, 201, header ETag may be integer now",
    ),
    (
        (*ADD, "responses", "201", "content"),
        {"text/plain": {}},
        "POST /books, 201 is no longer application/json",
    ),
    ((*Q,), GONE, "GET /books, query parameter q is gone"),
    ((*Q, "name"), "search", "GET /books, query parameter q is gone"),
    ((*Q, "required"), True, "GET /books, query parameter q is required now"),
    (
        (*NEW_PARAMETER,),
        {"name": "shelf", "in": "query", "required": True, "schema": STRING},
        "GET /books, query parameter shelf is new and required",
    ),
    (
        (*LIMIT, "schema", "type"),
        "string",
        "GET /books, query parameter limit no longer takes integer",
    ),
    (
        (*LIMIT, "schema", "maximum"),
        100,
        "GET /books, query parameter limit: maximum was 200, is 100",
    ),
    ((*LIMIT, "schema", "minimum"), 2, "GET /books, query parameter limit: minimum was 1, is 2"),
    (
        (*LIMIT, "schema", "default"),
        50,
        "GET /books, query parameter limit means 50 now when it is left out",
    ),
    (
        (*Q, "schema", "pattern"),
        "^..+$",
        "GET /books, query parameter q: pattern was '^.+$', is '^..+$'",
    ),
    ((*Q, "schema", "minLength"), 3, "GET /books, query parameter q: minLength was None, is 3"),
    ((*Q, "schema", "format"), "uri", "GET /books, query parameter q: format was None, is 'uri'"),
    ((*Q, "schema", "enum"), ["x"], "GET /books, query parameter q takes only ['x'] now"),
    ((*ORDER, "enum"), ["title"], "Order no longer takes '-title'"),
    (
        (*ORDER, "x-enum-varnames"),
        ["TITLE", "ELTIT"],
        "Order: the constant TITLE_DESCENDING is ELTIT now",
    ),
    ((*ADD, "requestBody"), GONE, "POST /books takes no body any more"),
    ((*ADD, "requestBody", "required"), True, "POST /books requires a body now"),
    (
        (*LIST, "requestBody"),
        {"required": True, "content": JSON_BOOK},
        "GET /books requires a body now",
    ),
    ((*NEW_BOOK, "properties", "year"), GONE, "NewBook.year is gone"),
    ((*NEW_BOOK, "properties", "year"), {"type": "integer"}, "NewBook.year no longer takes null"),
    ((*NEW_BOOK, "required"), ["title", "year"], "NewBook.year is required now"),
    ((*NEW_BOOK, "properties", "title", "const"), "Emma", "NewBook.title takes only ['Emma'] now"),
    (
        (*NEW_BOOK, "properties", "authors", "items"),
        STRING,
        "NewBook.authors[] no longer takes anything",
    ),
    (
        (*NEW_BOOK, "properties", "cover", "additionalProperties"),
        STRING,
        "NewBook.cover.* no longer takes anything",
    ),
    (
        (*NEW_BOOK, "properties", "cover", "additionalProperties"),
        False,
        "NewBook.cover takes no further fields now",
    ),
    ((*NEW_BOOK, "minProperties"), 2, "NewBook: minProperties was None, is 2"),
    ((*NEW_BOOK, "not"), {"required": ["x"]}, "NewBook: not was None, is {'required': ['x']}"),
    ((*BOOK_FIELDS, "title"), GONE, "Book.title is gone"),
    ((*BOOK_FIELDS, "title", "type"), "integer", "Book.title may be integer now"),
    ((*BOOK_FIELDS, "title", "maxLength"), 300, "Book.title: maxLength was 200, is 300"),
    ((*BOOK_FIELDS, "title"), {"anyOf": [STRING, {"type": "null"}]}, "Book.title may be null now"),
    ((*BOOK_FIELDS, "title"), {"type": ["string", "null"]}, "Book.title may be null now"),
    ((*BOOK_FIELDS, "title"), {}, "Book.title may be anything now"),
    ((*BOOK_FIELDS, "year", "anyOf", 0, "type"), "number", "Book.year may be number now"),
    ((*BOOK_FIELDS, "medium", "enum"), ["paper", "film", "tape"], "Book.medium may be 'tape' now"),
    (
        (*BOOK_FIELDS, "medium", "enum"),
        GONE,
        "Book.medium may be other than ['paper', 'film'] now",
    ),
    (
        (*BOOK_FIELDS, "names", "additionalProperties"),
        {"type": "integer"},
        "Book.names.* may be integer now",
    ),
    (
        (*BOOK_FIELDS, "maker", "additionalProperties"),
        True,
        "Book.maker may have further fields now",
    ),
    (
        (*BOOK_FIELDS, "maker", "properties"),
        {"name": STRING},
        "Book.maker.name is new, in what had no further fields",
    ),
    (("components", "schemas", "Book", "required"), ["year"], "Book.title may be left out now"),
    (
        (*LIST, "responses", "200", "content", "application/json", "schema", "items"),
        STRING,
        "GET /books, 200[] may be string now",
    ),
    (("components", "schemas", "Page"), GONE, "the schema Page is gone"),
]

COMPATIBLE = {
    "a new operation": (("paths", "/films"), {"get": {"operationId": "list_films"}}),
    "a new method": (("paths", "/books", "delete"), {"operationId": "burn_books"}),
    "an operation that became public": ((*ADD, "security"), []),
    "credentials that need not be sent": ((*ADD, "security", 2), {}),
    "a scope that need not be had": ((*ADD, "security", 1, "key"), []),
    "another way to credentials": ((*LIST, "security"), [{"key": []}, {}]),
    "another form of tokens": (
        ("components", "securitySchemes", "key", "bearerFormat"),
        "opaque",
    ),
    "a new status": ((*LIST, "responses", "503"), {"content": {}}),
    "a new header": ((*LIST, "responses", "200", "headers"), {"ETag": {"schema": STRING}}),
    "a new optional parameter": (
        NEW_PARAMETER,
        {"name": "shelf", "in": "query", "schema": STRING},
    ),
    "a new optional field to send": ((*NEW_BOOK, "properties", "pages"), {"type": "integer"}),
    "a new field of an answer": ((*BOOK_FIELDS, "pages"), {"type": "integer"}),
    "a parameter that takes more": ((*LIMIT, "schema", "maximum"), 500),
    "a parameter without a limit": ((*LIMIT, "schema", "minimum"), GONE),
    "a parameter that takes fractions": ((*LIMIT, "schema", "type"), "number"),
    "a parameter of any form": ((*Q, "schema", "pattern"), GONE),
    "a new order": (
        ORDER,
        {
            "type": "string",
            "enum": ["title", "year", "-title"],
            "x-enum-varnames": ["TITLE", "YEAR", "TITLE_DESCENDING"],
        },
    ),
    "a field that may be null": (
        (*NEW_BOOK, "properties", "title"),
        {"anyOf": [{"type": "string", "maxLength": 200}, {"type": "null"}]},
    ),
    "a field that may be left out": ((*NEW_BOOK, "required"), []),
    "a body that takes more fields": ((*NEW_BOOK, "additionalProperties"), True),
    "an answer that is never null": ((*BOOK_FIELDS, "year"), {"type": "integer"}),
    "an answer that is always there": (
        ("components", "schemas", "Book", "required"),
        ["title", "year", "medium", "sequel"],
    ),
    "an answer of fewer kinds": ((*BOOK_FIELDS, "medium", "enum"), ["paper"]),
    "an answer that is shorter": ((*BOOK_FIELDS, "title", "maxLength"), 100),
    "a schema that got a name": ((*BOOK_FIELDS, "medium"), {"$ref": "#/components/schemas/Medium"}),
    "another description": ((*BOOK_FIELDS, "title", "description"), "On its cover."),
    "an extension": ((*BOOK_FIELDS, "title", "x-shelf"), 7),
    "a warning": ((*LIST, "deprecated"), True),
}


@pytest.mark.parametrize(("path", "value", "said"), BREAKING, ids=[each[2] for each in BREAKING])
def test_what_breaks_clients_is_found(path, value, said):
    """Whatever is taken away, made stricter to send or wider to answer; it is said where."""
    assert said in breaking_changes(DOCUMENT, edited(path, value))


@pytest.mark.parametrize(("path", "value"), COMPATIBLE.values(), ids=COMPATIBLE)
def test_what_breaks_no_client_passes(path, value):
    """Whatever is added, taken more of, or answered less of."""
    assert breaking_changes(DOCUMENT, edited(path, value)) == []


def test_a_change_is_said_once():
    """Where a schema is used does not matter; one that refers to itself is no endless one."""
    changes = breaking_changes(DOCUMENT, edited((*BOOK_FIELDS, "medium"), GONE))
    assert changes == ["Book.medium is gone"]


def test_directions_are_opposite():
    """What may be made wider in what is sent may be made narrower in what is answered."""
    wider = edited((*NEW_BOOK, "properties", "title", "maxLength"), 300)
    assert breaking_changes(DOCUMENT, wider) == []
    assert breaking_changes(wider, DOCUMENT) == ["NewBook.title: maxLength was 300, is 200"]


def test_a_union_may_grow_where_it_is_sent():
    """Each of its schemas is compared with the one that it was, others come on top."""
    a, b = ({"$ref": f"#/components/schemas/{each}"} for each in ("Book", "NewBook"))
    one, both = ({"oneOf": each} for each in ([a], [b, a]))
    sent = (*ADD, "requestBody", "content", "application/json", "schema")
    assert breaking_changes(edited(sent, one), edited(sent, both)) == []
    assert breaking_changes(edited(sent, both), edited(sent, one)) != []
