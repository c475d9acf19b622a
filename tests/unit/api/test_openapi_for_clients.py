"""What makes clients that are generated from the OpenAPI document good to use."""

from typing import Any

import pytest

SHADE = {"$ref": "#/components/schemas/Shade"}


def has_example(value: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether a value has an example: its own, or that of a schema it refers to or lists.

    An object counts, as its members are values themselves.
    """
    named = schemas.get(value.get("$ref", "").rpartition("/")[2], {})
    parts = value.get("anyOf", []) + ([value["items"]] if "items" in value else [])
    return (
        not value.keys().isdisjoint({"example", "examples"})
        or not named.keys().isdisjoint({"examples", "properties"})
        or any(has_example(each, schemas) for each in parts)
    )


@pytest.mark.parametrize(
    ("value", "has"),
    [
        ({"type": "string", "examples": ["dark"]}, True),
        (SHADE, True),
        ({"anyOf": [SHADE, {"type": "null"}]}, True),
        ({"type": "array", "items": SHADE}, True),
        ({"$ref": "#/components/schemas/Lamp"}, True),
        ({"$ref": "#/components/schemas/Colour"}, False),
        ({"type": "array", "items": {"type": "string"}}, False),
    ],
)
def test_an_example_may_stand_with_a_named_schema(value, has):
    """Where it is used it need not be repeated."""
    schemas = {
        "Shade": {"type": "string", "examples": ["dark"]},
        "Lamp": {"type": "object", "properties": {"shade": SHADE}},
        "Colour": {"type": "string"},
    }
    assert has_example(value, schemas) == has


def test_every_value_has_a_realistic_example(document, operations):
    """Parameters, headers and members: one of their own, of a schema, or of what they are in.

    That examples fit their schemas is checked by `make lint-openapi`.
    """
    schemas = document["components"]["schemas"]
    values = {f"header {name}": each for name, each in document["components"]["headers"].items()}
    for name, (_, _, operation) in operations.items():
        for each in operation.get("parameters", []):
            values[f"{name} {each['name']}"] = each["schema"]
    for name, schema in schemas.items():
        for member, each in schema.get("properties", {}).items():
            if not any(member in example for example in schema.get("examples", ())):
                values[f"{name}.{member}"] = each
    without = [name for name, each in values.items() if not has_example(each, schemas)]
    assert not without, (
        f"{', '.join(without)}: add `examples=[...]` to its Field, Path, Query or Header, or to "
        "the alias that names its type; or give its model an example of the whole in `model_config`"
    )


def test_every_enumeration_is_named_and_so_are_its_values(document, operations):
    """A client's type and constants have names that people would give them."""
    schemas = document["components"]["schemas"]
    enumerations = [each for each in schemas.values() if "enum" in each]
    anonymous = [
        *(each for it in schemas.values() for each in it.get("properties", {}).values()),
        *(each["schema"] for *_, it in operations.values() for each in it.get("parameters", [])),
    ]
    assert not any("enum" in each for each in anonymous)
    for each in enumerations:
        names = each.get("x-enum-varnames", each["enum"])
        assert each["type"] == "string"
        assert len(names) == len(each["enum"])
        assert all(name.isidentifier() for name in names)


def test_names_are_not_said_twice(document, operations):
    """A title that is the name of a member or parameter in other letters is a comment too many."""
    schemas = document["components"]["schemas"].values()
    members = [each for it in schemas for each in it.get("properties", {}).values()]
    parameters = [
        each["schema"] for *_, it in operations.values() for each in it.get("parameters", [])
    ]
    assert members
    assert parameters
    assert not any("title" in each for each in (*members, *parameters))


def test_pages_say_how_they_follow_each_other(document, operations):
    """What takes a cursor answers a page; generators learn where the next cursor is and goes."""
    schemas = document["components"]["schemas"]
    paged = {}
    for name, (_, _, operation) in operations.items():
        if any(each["name"] == "cursor" for each in operation.get("parameters", [])):
            content = operation["responses"]["200"]["content"]["application/json"]
            paged[name] = content["schema"]["$ref"].rpartition("/")[2]
            assert operation["x-speakeasy-pagination"] == {
                "type": "cursor",
                "inputs": [{"name": "cursor", "in": "parameters", "type": "cursor"}],
                "outputs": {"results": "$.items", "nextCursor": "$.next_cursor"},
            }
        else:
            assert "x-speakeasy-pagination" not in operation
    assert {"list_users", "get_user_history"} <= set(paged)
    for each in paged.values():
        assert each.endswith("Page")
        assert set(schemas[each]["required"]) == {"items", "next_cursor"}
