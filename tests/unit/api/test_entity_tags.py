"""Versions as entity tags."""

import re

import pytest

from app.framework.http.entity_tags import (
    ENTITY_TAG_OR_ANY,
    NO_VERSION,
    WEAK_VERSION,
    entity_tag,
    expected_version,
    names_version,
)


def test_a_version_is_a_strong_tag():
    """In double quotes, and found again."""
    assert entity_tag(3) == '"3"'
    assert expected_version(entity_tag(3)) == 3
    assert names_version(entity_tag(3), 3)


@pytest.mark.parametrize("given", [None, "*"])
def test_no_condition_and_any_version_expect_none(given):
    """Whichever there is will do."""
    assert expected_version(given) is None


@pytest.mark.parametrize("given", ['"abc"', '""', '"03"', '"0"', '"99999999999"'])
def test_a_tag_that_was_never_given_out_expects_what_nobody_is_at(given):
    """It is a tag, so the request is well-formed."""
    assert re.fullmatch(ENTITY_TAG_OR_ANY, given)
    assert expected_version(given) == NO_VERSION


@pytest.mark.parametrize("given", ['W/"3"', 'W/"abc"', 'W/""'])
def test_a_weak_tag_expects_what_nobody_is_at(given):
    """If-Match compares strongly; the refusal can say so, since it has a value of its own."""
    assert re.fullmatch(ENTITY_TAG_OR_ANY, given)
    assert expected_version(given) == WEAK_VERSION


@pytest.mark.parametrize("given", ["3", '"3', "", '"3", "4"', "'3'", '"a b"', 'w/"3"'])
def test_what_is_no_tag_is_refused(given):
    """By the pattern that is documented."""
    assert not re.fullmatch(ENTITY_TAG_OR_ANY, given)


@pytest.mark.parametrize("given", ["*", " * ", '"3"', 'W/"3"', '"1", "3"', '"1",W/"3" , "x,y"'])
def test_if_none_match_names_a_version(given):
    """Alone, weakly, or among others."""
    assert names_version(given, 3)


@pytest.mark.parametrize("given", [None, "", '"4"', "3", '"33"', '"1", "30"', '"x3"', '"1"3"'])
def test_if_none_match_names_another_version(given):
    """Or nothing at all."""
    assert not names_version(given, 3)
