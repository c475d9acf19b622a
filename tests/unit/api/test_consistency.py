"""Consistency tokens."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.framework.http.consistency import InvalidConsistencyToken, decode_position, encode_position


@given(st.integers(0, 2**63 - 1))
def test_a_token_gives_its_position_back(position):
    """Whatever the position; and the token can stand in a header or a URL as it is."""
    token = encode_position(position)

    assert decode_position(token) == position
    assert len(token) == 12
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "token", ["", "7", "AQAAAAAAAAA", "AQAAAAAAAAAB!", "AgAAAAAAAAAB", "AQAAAAAAAAABAAAA", "\u00e9"]
)
def test_anything_else_is_refused(token):
    """Too short, too long, another alphabet, another version."""
    with pytest.raises(InvalidConsistencyToken):
        decode_position(token)


@given(st.text())
def test_text_of_any_kind_is_a_token_or_refused(text):
    """Nothing but a position or InvalidConsistencyToken comes of it."""
    with contextlib.suppress(InvalidConsistencyToken):
        assert encode_position(decode_position(text)) == text
