"""Types of aggregates, and what their streams may be called."""

import pytest

from app.framework.eventsourcing import AggregateType
from tests.unit.eventsourcing.shelf import Shelf


@pytest.mark.parametrize("stream_type", ["", "shelf-board", "-"])
def test_a_stream_type_that_cannot_be_told_from_an_id_is_refused(stream_type):
    """The first hyphen of a stream's id is where its aggregate's id begins."""
    with pytest.raises(ValueError, match="is empty or has a hyphen"):
        AggregateType(stream_type, Shelf)
