"""The schemas and examples of the OpenAPI document, of which types are generated."""

import re
from typing import Any


def references(value):
    """Every $ref anywhere in `value`."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_schema_is_named_and_described(document):
    """No anonymous bodies, and nothing of the framework's own errors."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert schema["description"], name


def test_every_body_refers_to_a_schema(operations):
    """Requests and responses alike, so that generated types have names."""
    for name, (_, _, operation) in operations.items():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for media_type, content in body.get("content", {}).items():
                is_stream = media_type == "text/event-stream"
                schema = content["schema"]["contentSchema"] if is_stream else content["schema"]
                assert set(schema) == {"$ref"}, name


def test_requests_and_responses_are_apart(operations):
    """No schema is sent in both directions."""
    sent = {each for *_, it in operations.values() for each in references(it.get("requestBody"))}
    answered = {each for *_, it in operations.values() for each in references(it["responses"])}
    assert sent
    assert not sent & answered


async def test_a_cursor_fits_its_schema(client, service, operations):
    """Of Unicode names, too; and what fits it fits into the head of a request."""
    for number in range(2):
        body = {"name": "\U0001f469" * 200, "email": f"user{number}@example.com"}
        assert (await client.post("/users", json=body)).status_code == 201
    await service.project()
    parameters = operations["list_users"][2]["parameters"]
    [schema] = [each["schema"] for each in parameters if each["name"] == "cursor"]

    cursor = (await client.get("/users", params={"limit": 1})).json()["next_cursor"]

    assert re.fullmatch(schema["pattern"], cursor)
    assert schema["pattern"].isascii()
    assert len(cursor) <= schema["maxLength"]


def test_every_integer_says_how_many_bits_it_takes(document):
    """32 where it is bounded so; clients would take 32 for granted of positions as well."""
    formats = {}
    parts: list[tuple[tuple[str, ...], Any]] = [((), document)]
    for where, part in parts:
        members = part.items() if isinstance(part, dict) else enumerate(part)
        parts += [((*where, str(k)), each) for k, each in members if isinstance(each, dict | list)]
        if isinstance(part, dict) and part.get("type") == "integer":
            formats[where] = part["format"]
            fits = part.get("maximum", 2**31) < 2**31
            assert (part["format"] == "int32") is fits, where
    wide = {where for where, each in formats.items() if each == "int64"}
    assert {(where[2], where[4]) for where in wide if where[0] == "components"} >= {
        ("UserChange", "position"),
        *(("ProjectionStatus", each) for each in ("position", "head", "lag")),
    }
    assert ("paths", "/changes", "get", "parameters") in {where[:4] for where in wide}


def test_every_reference_leads_somewhere(document):
    """And no component is there for nothing."""
    found = set(references(document))
    found |= {
        f"#/components/securitySchemes/{name}"
        for item in document["paths"].values()
        for operation in item.values()
        for each in operation["security"]
        for name in each
    }
    components = {
        f"#/components/{kind}/{name}"
        for kind, named in document["components"].items()
        for name in named
    }
    assert found == components


def test_bodies_say_what_is_refused(document):
    """Unknown members, an empty update, and a null for what cannot be cleared."""
    schemas = document["components"]["schemas"]
    for name in ("UserRegistration", "UserUpdate"):
        assert schemas[name]["additionalProperties"] is False
    assert schemas["UserRegistration"]["required"] == ["name", "email"]
    update = schemas["UserUpdate"]
    assert (update["minProperties"], update.get("required", [])) == (1, [])
    assert update["properties"]["name"]["type"] == "string"
    assert {"type": "null"} in update["properties"]["bio"]["anyOf"]
    assert not any("default" in each for each in update["properties"].values())


def test_examples_of_schemas_are_whole(document):
    """Each has every member that its schema requires, and none that it does not know."""
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()) if schema["type"] == "object" else ():
            missing = set(schema.get("required", [])) - set(example)
            unknown = set(example) - set(schema["properties"])
            assert not missing, f"{name}: add to its example: {sorted(missing)}"
            assert not unknown, f"{name}: take out of its example: {sorted(unknown)}"


def test_examples_have_their_members_in_the_order_of_answers(document):
    """Also within others; they are read by people."""
    schemas = document["components"]["schemas"]
    for name in ("UserRegistration", "UserProfile", "UserSummary", "Problem", "Health"):
        for example in schemas[name]["examples"]:
            assert list(example) == [
                each for each in schemas[name]["properties"] if each in example
            ]
    [page] = schemas["UserSummaryPage"]["examples"]
    assert [list(each) for each in page["items"]] == [["id", "name", "avatar_url"]]


async def test_examples_of_requests_are_accepted(client, document):
    """Whoever copies one from the documentation succeeds."""
    schemas = document["components"]["schemas"]
    registered = await client.post("/users", json=schemas["UserRegistration"]["examples"][1])
    assert registered.status_code == 201
    for example in schemas["UserUpdate"]["examples"]:
        assert (await client.patch("/users/user123", json=example)).status_code == 200


def test_every_value_is_bounded(document):
    """Texts, lists and integers: what is sent by its own bound, what is answered by one, too."""
    parts: list[tuple[str, Any]] = [
        *document["components"]["schemas"].items(),
        *(("header", each) for each in document["components"]["headers"].values()),
        *(
            (f"{operation['operationId']} {each['name']}", each["schema"])
            for item in document["paths"].values()
            for operation in item.values()
            for each in operation.get("parameters", ())
        ),
    ]
    bounds = {
        "string": [{"maxLength"}, {"enum"}, {"const"}],
        "array": [{"maxItems"}],
        "integer": [{"minimum", "maximum"}],
    }
    for name, part in parts:
        if isinstance(part, dict):
            has = [each <= part.keys() for each in bounds.get(str(part.get("type")), [set()])]
            assert any(has), (name, part)
            inner = {**part, **part.get("properties", {})}
            parts += [(name, each) for key, each in inner.items() if key != "examples"]
        elif isinstance(part, list):
            parts += [(name, each) for each in part]
