"""Entity tags (RFC 9110, section 8.8.3): the version of a resource in double quotes."""

import re

ENTITY_TAG_OR_ANY = r'^(\*|(W/)?"[!#-~]*")$'
"""The accepted forms of If-Match: one entity tag, or `*`."""

_ENTITY_TAG = re.compile(r'(?:W/)?"([!#-~\x80-\xff]*)"')
_WEAK = "W/"
_VERSION = re.compile(r'"([1-9][0-9]{0,9})"')

NO_VERSION = 0
"""A version that no aggregate has."""

WEAK_VERSION = -1
"""Another such version, for weak entity tags in If-Match."""


def entity_tag(version: int) -> str:
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that If-Match expects, compared strongly; None for any.

    A weak tag never matches (RFC 9110, section 13.1.1): it expects `WEAK_VERSION`.
    """
    if if_match is None or if_match == "*":
        return None
    if if_match.startswith(_WEAK):
        return WEAK_VERSION
    found = _VERSION.fullmatch(if_match)
    return int(found[1]) if found else NO_VERSION


def names_version(if_none_match: str | None, version: int) -> bool:
    """Whether If-None-Match, a list of entity tags or `*`, names `version`, compared weakly."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or str(version) in _ENTITY_TAG.findall(if_none_match)
