"""The rules of a profile's fields, and the JSON Schema that goes with them."""

import functools
import re
import unicodedata
from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.contexts.users.domain import values
from app.contexts.users.http import fields as user_fields

NAME = TypeAdapter(user_fields.Name)
EMAIL = TypeAdapter(user_fields.Email)
AVATAR_URL = TypeAdapter(user_fields.AvatarUrl)
BIO = TypeAdapter(user_fields.Bio)
USER_ID = TypeAdapter(user_fields.UserId)

URL = st.from_regex(values.AVATAR_URL_PATTERN)


@functools.cache
def schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The schema of a text, be it optional."""
    schema = adapter.json_schema()
    return schema.get("anyOf", [schema])[0]


def fits(adapter: TypeAdapter[Any], text: str) -> bool:
    """Whether `text` fits the schema's length and pattern, as a client would check them."""
    schema = schema_of(adapter)
    return (
        schema.get("minLength", 0) <= len(text) <= schema["maxLength"]
        and re.search(schema["pattern"].removesuffix("$") + r"\Z", text) is not None
    )


@pytest.mark.parametrize(
    ("adapter", "given_value", "accepted"),
    [
        (NAME, "Alice Smith", "Alice Smith"),
        (NAME, " \u3000Alice\t", "Alice"),
        (NAME, "Zoe\u0308", "Zo\u00eb"),
        (NAME, "x" * 200, "x" * 200),
        (NAME, f"  {'x' * 200}  ", "x" * 200),
        (NAME, "$where", "$where"),
        (NAME, "\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        (EMAIL, "alice@example.com", "alice@example.com"),
        (EMAIL, "Alice+tag@EXAMPLE.com", "Alice+tag@example.com"),
        (EMAIL, "al@xn--bcher-kva.example.com", "al@b\u00fccher.example.com"),
        (AVATAR_URL, "https://example.com/a.png?s=1#x", "https://example.com/a.png?s=1#x"),
        (AVATAR_URL, "https://127.0.0.1:8443/%7Ea", "https://127.0.0.1:8443/%7Ea"),
        (AVATAR_URL, None, None),
        (BIO, "", ""),
        (BIO, "one\r\n\ttwo", "one\r\n\ttwo"),
        (BIO, "x" * 1000, "x" * 1000),
        (BIO, None, None),
        (USER_ID, "a", "a"),
        (USER_ID, "Az09_-" + "x" * 58, "Az09_-" + "x" * 58),
    ],
)
def test_accepted(adapter, given_value, accepted):
    """The value is taken in its accepted form."""
    assert adapter.validate_python(given_value) == accepted


@pytest.mark.parametrize(
    ("adapter", "refused"),
    [
        (NAME, ""),
        (NAME, " \u2003"),
        (NAME, "x" * 201),
        (NAME, "a\x00b"),
        (NAME, "a\nb"),
        (NAME, "a\x85b"),
        (NAME, "a\ud800b"),
        (NAME, None),
        (NAME, 7),
        (EMAIL, "alice"),
        (EMAIL, "alice@"),
        (EMAIL, "@example.com"),
        (EMAIL, "a b@example.com"),
        (EMAIL, "alice@example"),
        (EMAIL, "alice@localhost"),
        (EMAIL, "a@b@example.com"),
        (EMAIL, "Alice <alice@example.com>"),
        (EMAIL, f"{'x' * 250}@example.com"),
        (EMAIL, "al\x00ice@example.com"),
        (EMAIL, None),
        (AVATAR_URL, ""),
        (AVATAR_URL, "http://example.com/a.png"),
        (AVATAR_URL, "javascript:alert(1)"),
        (AVATAR_URL, "https://"),
        (AVATAR_URL, "https://[::1]/a.png"),
        (AVATAR_URL, "https://example.com/{size}.png"),
        (AVATAR_URL, "https://example.com/\u00e9.png"),
        (AVATAR_URL, "https://example.com/a b.png"),
        (AVATAR_URL, f"https://example.com/{'x' * 2048}"),
        (BIO, "x" * 1001),
        (BIO, "a\x00b"),
        (BIO, "a\x1bb"),
        (NAME, "\u200b"),
        (NAME, "a\u202eb"),
        (EMAIL, "a\u202eb@example.com"),
        (BIO, "a" + "\u0300" * 31),
        (USER_ID, "me"),
        (USER_ID, ""),
        (USER_ID, "x" * 65),
        (USER_ID, "a b"),
        (USER_ID, "a/b"),
        (USER_ID, "abc\n"),
        (USER_ID, "\u00e9"),
    ],
)
def test_refused(adapter, refused):
    """A value outside the rules is a validation error, never anything worse."""
    with pytest.raises(ValidationError):
        adapter.validate_python(refused)


def is_accepted(adapter: TypeAdapter[Any], text: str) -> bool:
    """Whether the rule accepts `text`."""
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("adapter", [NAME, BIO])
def test_the_schema_refuses_the_characters_that_the_rule_refuses(adapter):
    """One by one, inside a text and alone, for all that could be a control or a blank."""
    for number in range(0x3100):
        for text in (f"a{chr(number)}b", chr(number)):
            accepted = is_accepted(adapter, text)
            if unicodedata.category(text[0])[0] != "M":  # of those it lists the usual
                assert accepted >= fits(adapter, text), ascii(text)
            if len(text) == 3:
                assert accepted == fits(adapter, text), ascii(text)


@given(st.text(max_size=values.NAME_MAX))
def test_a_name_that_fits_the_schema_is_accepted(text):
    """But for the few characters that NFC makes longer, and names that show nothing.

    No schema can count the former, and one that listed all characters that show nothing would be a
    page long: it lists the usual ones.
    """
    assume(fits(NAME, text) and len(unicodedata.normalize("NFC", text)) <= values.NAME_MAX)
    assume(any(map(values._is_visible, text)))

    assert NAME.validate_python(text) == unicodedata.normalize("NFC", text).strip()


@given(st.text(max_size=200))
def test_a_bio_that_fits_the_schema_is_accepted(text):
    """As for names."""
    assume(fits(BIO, text))

    assert BIO.validate_python(text) == unicodedata.normalize("NFC", text)


@given(st.from_regex(BIO.json_schema()["anyOf"][0]["pattern"].replace("$", r"\Z")))
def test_a_bio_made_from_the_pattern_is_accepted(text):
    """The pattern leaves out every control character that the rule refuses."""
    assume(len(unicodedata.normalize("NFC", text)) <= values.BIO_MAX)

    BIO.validate_python(text)


@given(URL | st.tuples(URL, st.characters()).map("".join) | st.text())
def test_a_url_is_accepted_if_it_fits_the_schema_and_only_then(text):
    """Here the schema says all there is to say."""
    assert is_accepted(AVATAR_URL, text) is fits(AVATAR_URL, text)


@given(st.one_of(st.from_regex(values.USER_ID_PATTERN), st.text(max_size=66)))
def test_an_id_is_accepted_if_it_fits_the_schema_and_only_then(text):
    """Here too."""
    assert is_accepted(USER_ID, text) is fits(USER_ID, text)


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("alice@corp.local", False),
        ("alice@test", False),
        ("alice@example.Test", False),
        ("alice@test.example.com", True),
        ("alice@latest.com", True),
        ("test@example.contest", True),
    ],
)
def test_the_schema_refuses_reserved_domains_as_the_rule_does(address, accepted):
    """Nobody has an address there, and clients can know."""
    assert is_accepted(EMAIL, address) is accepted
    assert (re.search(schema_of(EMAIL)["not"]["pattern"], address) is None) is accepted


_LOCAL_PARTS = st.text("aB9.+-_!\u00e9", min_size=1, max_size=66)
_DOMAINS = st.sampled_from(
    [
        "example.com",
        "EXAMPLE.com",
        "xn--bcher-kva.example.com",
        "b\u00fccher.example.com",
        "x",
        "a..b",
    ]
)


@given(st.emails() | st.builds("{}@{}".format, _LOCAL_PARTS, _DOMAINS))
def test_an_address_is_what_the_library_makes_of_it(text):
    """Though it is asked once for a domain, and not again for each address there."""
    try:
        due = validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        due = None
    assume(len(text) <= values.EMAIL_MAX)

    assert is_accepted(EMAIL, text) is (due is not None)
    if due is not None:
        assert EMAIL.validate_python(text) == due


@given(st.emails())
def test_an_address_is_accepted_in_one_form_or_refused(text):
    """What comes out is accepted again, unchanged; what is refused is a validation error."""
    try:
        accepted = EMAIL.validate_python(text)
    except ValidationError:
        return
    assert EMAIL.validate_python(accepted) == accepted
