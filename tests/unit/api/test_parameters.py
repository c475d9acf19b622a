"""Values in requests are of their JSON type, where Pydantic would take others for them."""

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from app.framework.http.parameters import INTEGER

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
