"""What each context declares for the tests that hold for every context.

A context `app.contexts.<name>` has it in `tests/contexts/<name>/examples.py`.
"""

import importlib
from types import ModuleType
from typing import Any

import pytest

from app.framework.contexts import Context
from app.framework.eventsourcing import Event

StoredEvents = list[tuple[str, int, dict[str, Any], Event]]
"""Every name, schema version and payload that may be stored, and the event it stands for today.

Logs hold them for ever, so rows are added (a new event, a new schema version) and never taken
away; the first three columns of a row never change.
"""


def name_of(context: Context) -> str:
    """What a context is called: the last part of its package."""
    return context.package.rpartition(".")[2]


def declared_by(context: Context) -> ModuleType:
    """What a context declares."""
    module = f"tests.contexts.{name_of(context)}.examples"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or "-"):
            raise
    path = f"{module.replace('.', '/')}.py"
    pytest.fail(
        f"There is no {path}, which the tests of every context need; "
        "docs/adding-a-context.md shows one.",
        pytrace=False,
    )
