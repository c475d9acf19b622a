"""The examples in schemas that all contexts share."""

import json
import re

from app.framework.http.application import create_api
from app.framework.http.examples import GENERIC
from app.main import ABOUT, NO_AUTHENTICATION, http_sides
from tests.unit.api.service import MemoryService

[EXAMPLES, *_] = [each.examples for each in http_sides() if each.examples]


def test_they_are_those_of_the_first_context_that_gives_some(document):
    """None of the generic ones is left, and all of the context's are shown."""
    text = json.dumps(document, ensure_ascii=False)
    assert [each for each in GENERIC.texts if each in text] == []
    assert [each for each in EXAMPLES.texts if each not in text] == []


def test_without_a_context_they_are_generic():
    """A document of the machinery alone is whole."""
    text = json.dumps(
        create_api(
            MemoryService(), [], ABOUT, access=NO_AUTHENTICATION, administered=True
        ).openapi(),
        ensure_ascii=False,
    )
    assert [each for each in GENERIC.texts if each not in text] == []


def test_they_are_of_what_is_served(document):
    """The path leads to an operation, the problem is the context's, the member one of a body."""
    paths = [each for each in document["paths"] if f"{{{EXAMPLES.path_parameter}}}" in each]
    assert any(re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), EXAMPLES.path) for each in paths)
    assert EXAMPLES.problem.status == 404
    assert EXAMPLES.problem.code in {kind.problem.code for kind in _mappings()}
    members = document["components"]["schemas"].values()
    assert any(
        EXAMPLES.pointer.removeprefix("#/") in each.get("properties", ()) for each in members
    )


def _mappings():
    return [mapping for each in http_sides() for mapping in each.problems.values()]
