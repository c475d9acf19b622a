"""The committed OpenAPI document is a contract with clients."""

import json
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.cli.openapi import document
from app.devtools.openapi import breaking_changes

COMMITTED = Path(__file__).parents[2] / "openapi.json"


@pytest.fixture(scope="module")
def served() -> str:
    """The document that the application serves, in the form it is committed in."""
    return document()


def test_clients_of_the_committed_document_are_not_broken(served):
    """Whatever they were generated to send is taken, and what they expect is answered."""
    changes = breaking_changes(json.loads(COMMITTED.read_bytes()), json.loads(served))
    assert not changes, "\n".join(["clients of openapi.json would break:", *changes])


def test_the_committed_document_is_the_one_that_is_served(served):
    """To the letter, so that a review sees what changes for clients."""
    is_current = COMMITTED.read_text(encoding="utf-8") == served
    assert is_current, "openapi.json is behind; `make openapi` brings it up to date"


def test_the_document_is_valid(served):
    """By the schema of OpenAPI 3.1, references and all."""
    OpenAPIV31SpecValidator(json.loads(served)).validate()
