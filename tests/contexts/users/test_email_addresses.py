"""The accepted forms of e-mail addresses, and the keys by which they are compared."""

import contextlib
import string
import unicodedata

import idna
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.users.domain import values


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


LETTERS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~.", min_size=1)
HOSTS = st.text(string.ascii_letters + string.digits + "-.", min_size=1)


@settings(max_examples=200)
@given(address=st.builds("{}@{}".format, LETTERS, HOSTS), data=st.data())
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
