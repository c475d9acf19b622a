"""The accepted forms of the values of a profile."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.users.domain import values

TRICKY = st.text(
    st.characters() | st.sampled_from("\u0301\u0345 \u00a0\u2000\u212b\x00\x1f\x85\r\n\t@.")
)
"""Any text, surrogate halves too, rich in what normalisation and trimming change."""


def accepted(check, text):
    """What `check` makes of `text`, or None if it refuses it."""
    try:
        return check(text)
    except ValueError:
        return None


@pytest.mark.parametrize("text", ["a", "user123", "A-Z_09", "-", "x" * 64])
def test_an_id_is_accepted_as_it_is(text):
    """Letters, digits, hyphens and underscores, up to 64 of them."""
    assert values.user_id(text) == text


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "a\n", "a.b", "a/b", "ä", "a:b", "\uff11"])
def test_another_id_is_refused(text):
    """Nothing else is an id, not even a trailing line break."""
    with pytest.raises(ValueError, match="1 to 64 letters"):
        values.user_id(text)


def test_the_id_me_is_reserved():
    """It will stand for the user who asks; other cases of it are ids like any."""
    with pytest.raises(ValueError, match="The id me is reserved"):
        values.user_id("me")
    assert values.user_id("Me") == "Me"


@pytest.mark.parametrize(
    "control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ids=ascii
)
@pytest.mark.parametrize(
    ("check", "text"), [(values.name, "Al{}ice"), (values.email, "al{}@b.com")]
)
def test_what_turns_the_direction_of_text_is_refused(check, text, control):
    """It would go on behind the name, in whatever text the name stands."""
    with pytest.raises(ValueError, match=f"U\\+{ord(control):04X} is not allowed"):
        check(text.format(control))


CHECKS = [
    (values.name, "{}", values.NAME_MAX),
    (values.email, "{}@example.com", values.EMAIL_MAX),
    (values.bio, "{}", values.BIO_MAX),
]


@pytest.mark.parametrize(("check", "form", "longest"), CHECKS)
def test_a_text_too_long_for_its_normal_form_is_refused_unread(check, form, longest):
    """Composing a megabyte of marks in the wrong order takes an hour."""
    began = time.thread_time()
    with pytest.raises(ValueError, match=f"{longest} characters"):
        check(form.format("a" + "\u0315\u0300\u0316\u05ae" * 250_000))
    assert time.thread_time() - began < 0.05


@pytest.mark.parametrize(("check", "form", "longest"), CHECKS)
def test_a_run_of_more_than_thirty_marks_is_refused(check, form, longest):
    """As stream-safe text has it, whatever the length of the whole."""
    thirty = "a" + "\u0315\u0300\u0316" * 10
    assert check(form.format(thirty * (longest // 100)))
    with pytest.raises(ValueError, match="30 combining marks"):
        check(form.format(thirty + "\u05ae"))


@pytest.mark.parametrize(
    ("check", "text", "normal"),
    [
        (values.name, "\u03b1\u0313\u0300\u0345" * 200, "ᾂ" * 200),
        (
            values.email,
            "\u03b1\u0313\u0300\u0345" * 242 + "@example.com",
            "ᾂ" * 242 + "@example.com",
        ),
        (values.bio, "\u03b1\u0313\u0300\u0345" * 1000, "ᾂ" * 1000),
    ],
)
def test_the_bounds_count_the_normal_form(check, text, normal):
    """Four characters that become one are one, up to the last."""
    assert check(text) == normal


def test_no_text_becomes_shorter_than_a_quarter():
    """Which is what the look at the length before relies on; of single characters it is known."""
    longest = max(len(unicodedata.normalize("NFD", chr(each))) for each in range(0x110000))
    assert longest == values.NFC_SHORTENS


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "https://example.com/a.png?size=64#top",
        "https://EXAMPLE.com:8443/a;b=(c)*/@d",
        "https://127.0.0.1?",
        "https://xn--bcher-kva.example/%C3%A4",
        "https://example.com/" + "a" * 2028,
    ],
)
def test_an_avatar_url_is_accepted_as_it_is(text):
    """An https URL with a host, of up to 2,048 characters."""
    assert values.avatar_url(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://example.com/",
        "//example.com/",
        "/a.png",
        "https:///a.png",
        "https://:443/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https://example.com/a b",
        "https://example.com/\n",
        " https://example.com/",
        "https://bücher.example/",
        "https://[::1]/",
        "https://example.com@example.org/",
        "https://example.com:port/",
        'https://example.com/"',
        "https://example.com/{size}",
        "https://example.com/a\\b",
        "https://example.com/100%",
        "https://example.com/%zz",
        "https://example.com/#a#b",
    ],
)
def test_another_avatar_url_is_refused(text):
    """Another scheme, no host, a user's name before it, or characters a URL does not have."""
    with pytest.raises(ValueError, match="starts with https"):
        values.avatar_url(text)


def test_an_avatar_url_that_is_too_long_is_refused():
    """From 2,049 characters on."""
    with pytest.raises(ValueError, match="at most 2048"):
        values.avatar_url("https://example.com/" + "a" * 2029)


@pytest.mark.parametrize(
    ("text", "bio"),
    [
        ("", ""),
        (" Reads.\r\n\tWrites. ", " Reads.\r\n\tWrites. "),
        ("Zoe\u0308", "Zoë"),
        ("x" * 1000, "x" * 1000),
        ("e\u0301" * 1000, "é" * 1000),
    ],
)
def test_a_bio_is_accepted_in_its_normal_form(text, bio):
    """NFC; blanks and line breaks are the author's."""
    assert values.bio(text) == bio


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 1001, "at most 1000"),
        ("a\x00", r"U\+0000"),
        ("a\x0b", r"U\+000B"),
        ("a\x1b[2J", r"U\+001B"),
        ("a\udfff", r"U\+DFFF"),
    ],
)
def test_another_bio_is_refused(text, why):
    """Too long, or with control characters other than line breaks and tabs."""
    with pytest.raises(ValueError, match=why):
        values.bio(text)


@pytest.mark.parametrize(
    ("check", "bound"),
    [
        (values.user_id, 64),
        (values.name, 200),
        (values.email, 254),
        (values.avatar_url, 2048),
        (values.bio, 1000),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
@settings(max_examples=150)
@given(
    text=TRICKY | TRICKY.map(lambda text: f"https://a{text}") | TRICKY.map(lambda text: f"a@{text}")
)
def test_an_accepted_form_is_final(check, bound, text):
    """It is accepted as it is, is within the bound, can be stored as UTF-8, controls nothing."""
    form = accepted(check, text)
    if form is not None:
        assert check(form) == form
        assert len(form) <= bound
        assert form.encode().decode() == form
        allowed = "\r\n\t" if check is values.bio else ""
        assert not [
            each for each in form if unicodedata.category(each) == "Cc" and each not in allowed
        ]


@settings(max_examples=100)
@given(size=st.integers(0, 230), letter=st.sampled_from(["x", "é", "e\u0301", "\ufb2c", "🎨"]))
def test_the_bound_of_a_name_is_counted_after_normalisation(size, letter):
    """What is accepted depends on the length of the normal form, not of what was sent."""
    length = len(unicodedata.normalize("NFC", letter * size))
    assert (accepted(values.name, letter * size) is not None) == (1 <= length <= 200)
