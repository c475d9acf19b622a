"""The limits of time nest, so that a caller hears within 5 s, and in the most telling words."""

import pytest

from app import bootstrap
from app.adapters.mongo import client as mongo
from app.adapters.postgres import connection as postgres

PROMISED_SECONDS = 5.0
ROOM = 0.25
"""What a busy loop may need to pass a failure on."""


def test_a_message_ends_within_the_time_that_is_promised():
    """With room for the answer's way out."""
    assert bootstrap.MESSAGE_SECONDS + ROOM <= PROMISED_SECONDS


@pytest.mark.parametrize("adapter", [mongo, postgres])
def test_an_adapter_gives_up_before_the_message(adapter):
    """It can say which database is silent."""
    assert adapter.ANSWER_SECONDS + ROOM <= bootstrap.MESSAGE_SECONDS


def test_the_driver_gives_up_before_the_adapter():
    """It can say what is wrong with the connection."""
    assert mongo.DRIVER_SECONDS + ROOM <= mongo.ANSWER_SECONDS


def test_a_connection_is_given_up_before_the_call_that_waits_for_it():
    """So that the driver may try another server."""
    assert mongo.CONNECT_SECONDS + ROOM <= mongo.DRIVER_SECONDS
