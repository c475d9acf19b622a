"""The form of API keys: what scanners find, and what is refused without a look-up."""

import re
import zlib
from pathlib import Path

import pytest

from app.adapters.identity.key_form import KEY_FORM, checksum, digest_of, id_of, new_key
from app.framework.security import InvalidToken

KEY = "diptych_0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"
"""All but the checksum."""


def test_a_new_key_has_the_form_that_scanners_look_for():
    """Also within other text; and no two are the same."""
    keys = {new_key() for _ in range(200)}
    assert len(keys) == 200
    for each in keys:
        assert re.findall(KEY_FORM, f"TOKEN={each}\n") == [each]
        assert each.split("_")[1] == id_of(each)


def test_a_key_fits_into_an_authorization_header():
    """By RFC 6750, section 2.1."""
    assert re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", new_key())


def test_the_checksum_is_the_crc_in_base_62():
    """As in GitHub's tokens: six digits, with zeros before it."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for text in ("", "a", KEY):
        number = 0
        for each in checksum(text):
            number = number * 62 + digits.index(each)
        assert number == zlib.crc32(text.encode())
        assert len(checksum(text)) == 6
    assert checksum("") == "000000"


def test_any_wrong_character_is_noticed():
    """One that is left out, doubled, or another: of the id, the secret or the checksum."""
    key = KEY + checksum(KEY)
    assert id_of(key) == "0123456789"
    for place in range(len(key)):
        other = "x" if key[place] != "x" else "y"
        wrong = (key[:place] + other + key[place + 1 :], key[:place] + key[place + 1 :])
        for each in (*wrong, key[:place] + key[place] + key[place:]):
            with pytest.raises(InvalidToken):
                id_of(each)


@pytest.mark.parametrize("odd", ["", "diptych_", f"{KEY}00000é", f" {KEY}", "a.b.c", "_" * 55])
def test_what_is_no_key_is_refused(odd):
    """Without anything of it in the message."""
    with pytest.raises(InvalidToken) as refused:
        id_of(odd)
    assert str(refused.value) == "It is no complete API key: a character is missing or wrong."


def test_the_digest_is_of_the_whole_key():
    """So a digest belongs to one id."""
    assert digest_of("a") == bytes.fromhex(
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )


def test_the_form_for_scanners_is_documented():
    """As operators give it to theirs."""
    page = Path(__file__).parents[3] / "docs/security.md"
    assert f"`{KEY_FORM}`" in page.read_text(encoding="utf-8")
