"""Values in requests are of their JSON type, where Pydantic would take others for them."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from app.framework.http.parameters import INTEGER, SentTime

ADAPTER = TypeAdapter[int](Annotated[int, Field(ge=1, le=10, examples=[5]), INTEGER])


@pytest.mark.parametrize("value", [5, 5.0])
def test_an_integer_in_a_body_is_a_number(value):
    """With a fraction of zero, too, as JSON Schema has it."""
    assert ADAPTER.validate_python(value) == 5
    assert {"type": "integer", "minimum": 1, "maximum": 10}.items() <= ADAPTER.json_schema().items()


@pytest.mark.parametrize("value", ["5", True, 5.5, None, [5], 11])
def test_what_is_no_integer_in_a_body_is_refused(value):
    """Whether Pydantic would take it for one or not."""
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(value)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-03-14T09:26:53.589793Z", datetime(2026, 3, 14, 9, 26, 53, 589000, UTC)),
        ("2026-03-14t10:26:53+01:00", datetime(2026, 3, 14, 9, 26, 53, 0, UTC)),
    ],
)
def test_a_time_in_a_body_is_as_documents_keep_it(sent, kept):
    """In UTC and to the millisecond, so that a command answers as the view does."""
    assert TypeAdapter(SentTime).validate_python(sent) == kept


@pytest.mark.parametrize(
    "sent", [1, "2026-03-14", "2026-03-14T09:26:53", "0001-01-01T00:00:00+01:00", "1"]
)
def test_what_is_no_time_is_refused_in_a_body(sent):
    """Pydantic would take most of it; and one has no time in UTC."""
    with pytest.raises(ValidationError):
        TypeAdapter(SentTime).validate_python(sent)
