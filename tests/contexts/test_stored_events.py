"""What is stored of any context can be read for ever."""

import dataclasses

import pytest

from app.bootstrap import CONTEXTS, event_registry
from app.framework.contexts import Context
from tests.contexts.declarations import StoredEvents, declared_by, name_of


@pytest.mark.parametrize("context", CONTEXTS, ids=name_of)
def test_what_is_stored_can_be_read_for_ever(context):
    """Each stored name, version and payload stands for an event of today."""
    registry = event_registry()
    for event_type, version, payload, event in declared_by(context).STORED_EVENTS:
        assert registry.decode(event_type, version, {**payload}) == event


@pytest.mark.parametrize("context", CONTEXTS, ids=name_of)
def test_what_is_stored_today_is_declared(context):
    """A renamed event, or one with other fields, is stored in another form than before."""
    missing = missing_rows(context, declared_by(context).STORED_EVENTS)
    if missing:
        pytest.fail(
            "If fields of an event have changed, raise its schema_version first. Then add to "
            f"STORED_EVENTS in tests/contexts/{name_of(context)}/examples.py, with values for the "
            "dots, and keep the rows that are there:\n" + "\n".join(missing),
            pytrace=False,
        )


def missing_rows(context: Context, declared: StoredEvents) -> list[str]:
    """The rows that `declared` lacks of today's events, with gaps for the values."""
    rows = []
    pinned = {(event_type, version, *sorted(data)) for event_type, version, data, _ in declared}
    for each in context.events:
        fields = [field.name for field in dataclasses.fields(each)]
        if (each.event_type, each.schema_version, *sorted(fields)) not in pinned:
            payload = ", ".join(f'"{name}": ...' for name in fields)
            rows.append(
                f'    ("{each.event_type}", {each.schema_version}, {{{payload}}}, '
                f"{each.__name__}({', '.join('...' for _ in fields)})),"
            )
    return rows
