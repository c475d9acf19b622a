"""How names are sorted and searched."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contexts.users.domain.names import (
    FOLLOWING,
    INDEXED_LENGTHS,
    LONGEST_PREFIX,
    MOST_PREFIXES,
    first_prefix,
    folded,
    later_prefixes,
    prefixes_to_find,
    search_words,
    sort_key,
    word_prefixes,
)

WORDS = st.lists(st.text("abcdo1", min_size=1, max_size=5), max_size=4)
"""Words of few letters, so that many begin alike."""

ACCENTS = ["", "", "\u0301", "\u0308", "\u030a\u0323"]
BETWEEN = [" ", "  ", "-", "'", ". ", " / ", "\u00a0", "\u2014"]


def written(words: list[str], chance) -> str:
    """`words` as somebody may write them: letters of any case and accent, parted by anything."""
    parts = [chance.choice(["", "", " ", "¡"])]
    for word in words:
        parts += (chance.choice([each, each.upper()]) + chance.choice(ACCENTS) for each in word)
        parts.append(chance.choice(BETWEEN))
    return unicodedata.normalize(chance.choice(["NFC", "NFD"]), "".join(parts))


def found(name: str, query: str) -> bool:
    """Whether the search finds `name`: by the indexes first, then by all of the query.

    In the order of names and of time, and as processes of an older release search.
    """
    words, wanted = search_words(name), search_words(query)
    key, every = sort_key(name), {*word_prefixes(words)}
    by_time = every & {*prefixes_to_find(wanted)}
    later = {*later_prefixes(words, key)} & {*prefixes_to_find(wanted)}
    by_name = later or (wanted and key.startswith(wanted[:LONGEST_PREFIX]))
    formerly = first_prefix(wanted) in every
    matches = f" {wanted}" in f" {words}"
    outcomes = {bool(each) and matches for each in (by_name, by_time, formerly)}
    assert len(outcomes) == 1, (words, wanted)
    return outcomes.pop()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Zoë", "zoe"),
        ("ÅNGSTRÖM", "angstrom"),
        ("Nguyễn", "nguyen"),
        ("Straße", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("İpek", "ipek"),
        ("ﬁnn", "finn"),
        ("\U0001d400\U0001d4f5\U0001d55a\U0001d4b8\u24d4", "alice"),
        ("\uff21\uff4c\uff49\uff43\uff45", "alice"),
        ("O'Neil", "o'neil"),
        ("李小龍", "李小龍"),
        ("", ""),
    ],
)
def test_folded_text_has_neither_case_nor_accents(text, plain):
    """Letters that differ in case, accent or style only become the same."""
    assert folded(text) == plain


@settings(max_examples=300)
@given(text=st.text())
def test_folding_is_final(text):
    """Folded text is folded to itself, whichever way its characters were composed."""
    assert folded(folded(text)) == folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


@settings(max_examples=300)
@given(text=st.text(st.characters(exclude_characters="\u0131", exclude_categories=["Cs"])))
def test_folding_ignores_case(text):
    """All in capitals, or in none, it is the same; but for Turkish, whose two i share an I."""
    assert folded(text.upper()) == folded(text.lower()) == folded(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Alice  Smith", "alice smith"),
        ("O'Neil-Jones, Jr.", "o neil jones jr"),
        (" (Ann) ", "ann"),
        ("R2-D2", "r2 d2"),
        ("हिन्दी नाम", "हिनदी नाम"),
        ("สมชาย ใจดี", "สมชาย ใจดี"),
        ("🎨", ""),
        ("-- !", ""),
    ],
)
def test_search_words_are_letters_and_digits(text, words):
    """Punctuation and blanks part words; vowel signs are part of theirs."""
    assert search_words(text) == words


@settings(max_examples=300)
@given(text=st.text())
def test_search_words_are_final_and_parted_by_single_spaces(text):
    """Search words of search words are the same, without blanks around them."""
    words = search_words(text)
    assert search_words(words) == words
    assert words.split(" ") == (words.split() or [""])


def test_prefixes_of_the_later_words_are_indexed():
    """They run on over the words after; names that begin so are found by their order."""
    assert later_prefixes("ann lee b", "ann lee b") == ["b", "l", "le", "lee", "lee b"]
    assert later_prefixes("ann", "ann") == []
    assert later_prefixes("", "!") == []


def test_a_first_word_that_its_order_does_not_show_is_indexed_too():
    """As where a name begins with punctuation, or has some soon after."""
    assert later_prefixes("o b", "o'b") == ["b", "o", "o ", "o b"]
    assert later_prefixes("al", "(al)") == ["a", "al"]


def test_prefixes_of_all_words_are_indexed():
    """Of one, two and three characters, then each second; up to a length that few names share."""
    assert word_prefixes("alma b") == ["a", "al", "alm", "alma ", "alma b", "b"]
    assert word_prefixes("") == []
    longest = "x" * LONGEST_PREFIX
    assert word_prefixes("x" * 150) == [longest[:each] for each in INDEXED_LENGTHS]


def test_where_a_search_cannot_list_what_follows_every_length_is_indexed():
    """As before the letters of other alphabets, and where the name ends."""
    assert word_prefixes("иванов") == ["и", "ив", "ива", "иван", "ивано", "иванов"]
    assert word_prefixes("anna\u0142y") == ["a", "an", "ann", "anna", "annał", "annały"]
    assert word_prefixes("anna") == ["a", "an", "ann", "anna"]
    assert "anna" not in word_prefixes("annab")


def test_a_search_looks_into_few_places():
    """At one for most lengths; between two that are indexed, at one for each next character."""
    assert prefixes_to_find("al") == ("al",)
    assert prefixes_to_find("alice") == ("alice", "\nali")
    between = prefixes_to_find("alic")
    assert {"alic", "alice", "alic1", "alic ", "\nali"} <= {*between}
    assert len(between) == 2 + len(FOLLOWING)


@pytest.mark.parametrize("words", [" ".join(map(chr, range(0x4E00, 0x4E64))), "abcd " * 39 + "x"])
def test_a_crowded_name_has_few_prefixes_and_is_found(words):
    """It costs MongoDB no more than others do, and nothing is hidden."""
    for prefixes in (later_prefixes(words, words), word_prefixes(words)):
        assert len(prefixes) <= 2 * MOST_PREFIXES
    rest = words[len(words) // 2 :].partition(" ")[2]
    for length in range(1, 60):
        assert not rest[:length].strip() or found(words, rest[:length])


@pytest.mark.parametrize(
    ("words", "prefix"),
    [("alice", "ali"), ("al", "al"), ("al smith", "al"), ("smithson j", "smi"), ("", "")],
)
def test_the_first_prefix_is_one_of_the_index(words, prefix):
    """Up to three characters of the first word of a query."""
    assert first_prefix(words) == prefix


@pytest.mark.parametrize(
    ("name", "query", "matches"),
    [
        ("Alice Smith", "ali", True),
        ("Alice Smith", "SMI", True),
        ("Alice Smith", "alice s", True),
        ("Alice Smith", "smith", True),
        ("Alice Smith", "lice", False),
        ("Alice Smith", "smith alice", False),
        ("Alice Smith", "al s", False),
        ("Alice Smith", "smiths", False),
        ("Zoë Ångström", "zoe ang", True),
        ("Zoe Angstrom", "ÅNG", True),
        ("Jean-Luc", "luc", True),
        ("Jean-Luc", "jean luc", True),
        ("O'Neil", "o'n", True),
        ("\U0001d400lice", "alice", True),
        ("हिन्दी", "हि", True),
        ("हिन्दी", "न", False),
        ("Alice", "!", False),
    ],
)
def test_a_query_finds_the_beginnings_of_words(name, query, matches):
    """A name is found when one of its words, and what follows it, begins as the query does."""
    assert found(name, query) == matches


@settings(max_examples=500)
@given(name=WORDS, query=WORDS.filter(bool), chance=st.randoms(use_true_random=False))
def test_search_agrees_with_a_naive_one(name, query, chance):
    """However name and query are written, the words alone decide."""
    *whole, last = query
    expected = any(
        name[start : start + len(whole)] == whole
        and len(name) > start + len(whole)
        and name[start + len(whole)].startswith(last)
        for start in range(len(name))
    )
    assert found(written(name, chance), written(query, chance)) == expected


@settings(max_examples=300)
@given(name=st.text(min_size=1), cut=st.integers(1, 20))
def test_the_index_hides_no_match(name, cut):
    """Every beginning of a name's words finds the name, in whatever script it is."""
    beginning = search_words(name)[:cut]
    assert not beginning or found(name, beginning)
