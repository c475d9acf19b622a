"""What comes with an event."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.framework.eventsourcing import Metadata, RecordedEvent
from tests.unit.eventsourcing.shelf import Put


def test_only_what_is_known_is_stored():
    """Parts of the metadata that are None are left out."""
    assert Metadata().as_data() == {}
    assert Metadata(actor="alice").as_data() == {"actor": "alice"}
    assert Metadata("request", "command", "alice").as_data() == {
        "correlation_id": "request",
        "causation_id": "command",
        "actor": "alice",
    }


@given(metadata=st.builds(Metadata, *[st.none() | st.text()] * 3))
def test_metadata_comes_back_as_it_was(metadata):
    """An empty text is not the same as nothing."""
    assert Metadata.from_data(metadata.as_data()) == metadata


def test_metadata_of_other_versions_can_be_read():
    """What is not known is passed over, what is missing is None."""
    assert Metadata.from_data({"actor": "alice", "tenant": 7}) == Metadata(actor="alice")


@pytest.mark.parametrize(
    ("stream_id", "aggregate_id"), [("user-alice", "alice"), ("user-a-b-c", "a-b-c"), ("user-", "")]
)
def test_an_aggregate_id_is_the_stream_id_less_its_type(stream_id, aggregate_id):
    """Hyphens after the first are the id's own."""
    recorded = RecordedEvent(
        1, stream_id, 1, Put("book"), Metadata(), datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert recorded.aggregate_id == aggregate_id
