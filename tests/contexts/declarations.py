"""What each context declares for the tests that hold for every context.

A context `app.contexts.<name>` declares STORED_EVENTS and EXAMPLES in
`tests/contexts/<name>/examples.py`.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
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


class Call:
    """A call of an operation, in order.

    A path parameter that is left out is the id of what was last created.
    """

    def __init__(
        self, operation: str, body: dict[str, Any] | None = None, **parameters: Any
    ) -> None:
        self.operation = operation
        self.body = body
        self.parameters = parameters


@dataclass(frozen=True)
class Example:
    """A call that succeeds once those of `given` were made, in their order.

    given: for a command, those that make the aggregate, which the last one changes or creates;
        for a query of pages, what makes at least two items.
    another: for a command, the same one with another body; without a body, on another path. Sent
        under the same Idempotency-Key it is refused.
    """

    call: Call
    given: Sequence[Call] = ()
    another: Call | None = None


def name_of(context: Context) -> str:
    """What a context is called: the last part of its package."""
    return context.package.rpartition(".")[2]


def declared_by(context: Context) -> ModuleType:
    """What a context declares."""
    module = f"tests.contexts.{name_of(context)}.examples"
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or "-"):
            raise
    else:
        if {"EXAMPLES", "STORED_EVENTS"} <= vars(found).keys():
            return found
    path = f"{module.replace('.', '/')}.py"
    pytest.fail(
        f"There is no {path} with EXAMPLES and STORED_EVENTS, which the tests of every context "
        "need; docs/adding-a-context.md shows one.",
        pytrace=False,
    )
