"""The accepted forms of the values of a profile."""

import contextlib
import time
import unicodedata

import idna
import pytest
from email_validator import EmailNotValidError, validate_email
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
    ("text", "name"),
    [
        ("Alice", "Alice"),
        ("  Alice Smith\u00a0", "Alice Smith"),
        ("Alice\n", "Alice"),
        ("Zoe\u0308", "Zoë"),
        ("李 小龍", "李 小龍"),
        ("👩‍🚀", "👩‍🚀"),
        ("x" * 200, "x" * 200),
        ("e\u0301" * 200, "é" * 200),
        (" " * 500 + "Al", "Al"),
    ],
)
def test_a_name_is_accepted_in_its_normal_form(text, name):
    """NFC, without blanks around it; the bound counts what is left."""
    assert values.name(text) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 200"),
        (" \t\n", "1 to 200"),
        ("x" * 201, "1 to 200"),
        ("Al\x00ice", r"U\+0000"),
        ("Al\nice", r"U\+000A"),
        ("Al\tice", r"U\+0009"),
        ("Al\x7fice", r"U\+007F"),
        ("Al\x9bice", r"U\+009B"),
        ("Al\ud800ice", r"U\+D800"),
    ],
)
def test_another_name_is_refused(text, why):
    """Empty, too long, or with characters that control a terminal or break an encoding."""
    with pytest.raises(ValueError, match=why):
        values.name(text)


@pytest.mark.parametrize(
    "text",
    [
        "\u200b",
        "\u200d",
        "\u3164",
        "\u2800",
        "\ufeff",
        "\u00ad",
        "\u0301",
        "\u115f\u1160",
        "\uffa0",
        "\u200e\u200f",
        "\ufe0f",
        "\U000e0067\U000e007f",
        "\U000e0001",
        "\uffff",
        " \u200b \u3164 ",
    ],
    ids=ascii,
)
def test_a_name_of_nothing_visible_is_refused(text):
    """Nobody could tell such a user in a list."""
    with pytest.raises(ValueError, match="can be seen"):
        values.name(text)


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


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d🚀",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "❤\ufe0f",
        "\u0645\u06cc\u200c\u062e",
        "क्\u200dष",
        "\u05d0\u200f!",
        "\uf8ff",
        "\u3164가",
        "\U00010d4a",
    ],
    ids=ascii,
)
def test_joiners_and_selectors_stay_in_a_name(text):
    """Emoji and many scripts need them; each version of Unicode brings new letters."""
    assert values.name(text) == text


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
    ("text", "email"),
    [
        ("alice@example.com", "alice@example.com"),
        ("Alice.Smith+tag@Example.COM", "Alice.Smith+tag@Example.COM"),
        ("zoe\u0308@example.com", "zoë@example.com"),
        ("a@b", "a@b"),
        ("a" * 242 + "@example.com", "a" * 242 + "@example.com"),
    ],
)
def test_an_email_address_is_accepted_in_its_normal_form(text, email):
    """NFC; the case of its letters is kept."""
    assert values.email(text) == email


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name@domain"),
        ("alice", "name@domain"),
        ("@example.com", "name@domain"),
        ("alice@", "name@domain"),
        ("a@b@c", "name@domain"),
        ("al ice@example.com", "name@domain"),
        ("alice@example.com ", "name@domain"),
        ("alice@example.com\n", "name@domain"),
        ("al\u00a0ice@example.com", "name@domain"),
        ("a" * 243 + "@example.com", "at most 254"),
        ("al\x00ice@example.com", r"U\+0000"),
        ("alice@exam\ud800ple.com", r"U\+D800"),
    ],
)
def test_another_email_address_is_refused(text, why):
    """Without both sides of one @, with blanks or control characters, or too long."""
    with pytest.raises(ValueError, match=why):
        values.email(text)


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


@settings(max_examples=200)
@given(address=st.emails(), data=st.data())
def test_the_key_of_an_address_does_not_depend_on_case(address, data):
    """However the letters of an address are mixed, its key is the same, and is its own key."""
    cases = data.draw(st.lists(st.booleans(), min_size=len(address), max_size=len(address)))
    letters = zip(address, cases, strict=True)
    mixed = "".join(each.upper() if upper else each.lower() for each, upper in letters)
    key = values.email_key(address)
    assert values.email_key(mixed) == values.email_key(key) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ZOË@EXAMPLE.COM", "zoë@example.com"),
        ("ΣΊΣΥΦΟΣ@example.com", "σίσυφος@example.com"),
        ("STRASSE@example.com", "straße@example.com"),
    ],
)
def test_the_key_follows_the_case_of_every_script(one, other):
    """Case is what Unicode says it is, not only that of A to Z."""
    assert values.email_key(values.email(one)) == values.email_key(values.email(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("al@straße.de", "al@strasse.de"),
        ("al@faß.straße.de", "al@fass.straße.de"),
        ("al@βόλος.com", "al@βόλο\u03c3.com"),
        ("ß@straße.de", "ß@strasse.de"),
    ],
)
def test_domains_that_idna_tells_apart_have_keys_of_their_own(one, other):
    """They may belong to different people, who cannot do anything about each other."""
    assert values.email_key(one) != values.email_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AL@STRAßE.DE", "al@straße.de"),
        ("weiss@straße.de", "Weiß@Straße.de"),
        ("\ufb01@example.com", "fi@example.com"),
        ("\ufb01@bücher.de", "FI@BÜCHER.DE"),
        ("al@bu\u0308cher.de", "al@bücher.de"),
    ],
)
def test_before_the_at_sign_case_is_folded(one, other):
    """As it always was, so that a letter and its look in capitals are one."""
    assert values.email_key(values.email(one)) == values.email_key(values.email(other))


LABELS = st.text("a\u00e4z\u00dfs\u03c2\u03c3\u0301\u0431\u200c-1\u05d0", min_size=1, max_size=6)
FORMS = (str.upper, str.casefold, lambda each: unicodedata.normalize("NFD", each), lambda _: "b")


@settings(max_examples=300)
@given(label=LABELS, form=st.sampled_from(FORMS))
def test_domains_are_one_if_their_a_labels_are(label, form):
    """Of what the edge makes of them, in the very form in which it is stored."""
    addresses = [f"al@{each}.example.com" for each in (label, form(label))]
    try:
        found = [validate_email(each, check_deliverability=False) for each in addresses]
    except EmailNotValidError:
        return
    keys = [values.email_key(each.normalized) for each in found]
    assert (keys[0] == keys[1]) == (found[0].ascii_domain == found[1].ascii_domain)


def test_folding_changes_two_letters_of_idna_only():
    """Those that the key of a domain leaves alone; a later version of Unicode may bring more."""
    changed = set()
    for letter in map(chr, range(0x80, 0x110000)):
        folded = unicodedata.normalize("NFC", letter.casefold())
        if folded != letter and unicodedata.category(letter)[0] in "LM":
            with contextlib.suppress(idna.IDNAError):
                idna.alabel(f"a{letter}a")
                changed.add(letter)
    assert changed == {"\u00df", "\u03c2"}


def test_different_addresses_have_different_keys():
    """Nothing but case is made equal: no dots, tags or accents."""
    addresses = ["ab@x.com", "a.b@x.com", "ab+tag@x.com", "äb@x.com", "ab@x.co", "a@bx.com"]
    assert len({values.email_key(each) for each in addresses}) == len(addresses)
