"""How names are sorted and searched: case, accents and punctuation do not matter."""

import re
import string
import unicodedata
from collections.abc import Sequence

SHORTEST_PREFIXES = 3
LONGEST_PREFIX = 31
INDEXED_LENGTHS = (1, 2, *range(SHORTEST_PREFIXES, LONGEST_PREFIX + 1, 2))
"""The lengths of indexed prefixes. A search for a length between searches for all prefixes that are
one character longer."""

_LENGTHS = [
    (*(each for each in INDEXED_LENGTHS if each < whole), whole)
    for whole in range(LONGEST_PREFIX + 1)
]

FOLLOWING = string.digits + string.ascii_lowercase + " "
"""The characters that normally follow. Before any other, prefixes of every length are indexed."""

MOST_PREFIXES = 200
"""A name with more prefixes is crowded: it has dozens of words. Its index entries would cost
MongoDB as much as those of many names, so only prefixes of up to SHORTEST_PREFIXES characters are
indexed."""

CROWDED = "\n"
"""Marks a prefix of crowded names. No word has it."""

SORTED_CHARACTERS = 100

_ASCII_WORD = re.compile("[0-9a-z]+")


def folded(text: str) -> str:
    """`text` without case and accents, and with plain letters for styled ones."""
    if text.isascii():
        return text.lower()  # same result, faster
    # Styled letters, the bold ones of mathematics say, have a case only once they are plain.
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in plain if not unicodedata.combining(each))


def sort_key(text: str) -> str:
    """The start of the folded `text`, long enough to sort by and short enough for a cursor."""
    return folded(text)[:SORTED_CHARACTERS]


def search_words(text: str) -> str:
    """The folded words of `text`, with single spaces; letters, vowel signs and digits only."""
    plain = folded(text)
    if plain.isascii():
        return " ".join(_ASCII_WORD.findall(plain))
    kept = (each if _is_of_a_word(each) else " " for each in plain)
    return " ".join("".join(kept).split())


def word_prefixes(words: str) -> list[str]:
    """The prefixes of the text from each of `words` on, sorted.

    They continue into the following words, so that each search is one look-up in an index.
    """
    return _prefixes(_rests(words))


def later_prefixes(words: str, key: str) -> list[str]:
    """The `word_prefixes` without those of the first word, if the sort key begins with it.

    For the order by name: there the names that begin with the search text are adjacent.
    """
    rests = _rests(words)
    return _prefixes(rests[1:] if rests and key.startswith(rests[0]) else rests)


def prefixes_to_find(words: str) -> tuple[str, ...]:
    """The prefixes to search for: each name that matches `words` has one of them."""
    prefix = words[:LONGEST_PREFIX]
    if len(prefix) <= SHORTEST_PREFIXES:
        return (prefix,)
    longer = () if len(prefix) in INDEXED_LENGTHS else (prefix + each for each in FOLLOWING)
    return (prefix, *longer, CROWDED + words[:SHORTEST_PREFIXES])


def first_prefix(words: str) -> str:
    """Up to three characters of the first of `words`, which version 1 of the view indexes."""
    return words.partition(" ")[0][:SHORTEST_PREFIXES]


def _rests(words: str) -> list[str]:
    rests = [words[:LONGEST_PREFIX]] if words else []
    blank = words.find(" ")
    while blank >= 0:
        rests.append(words[blank + 1 : blank + 1 + LONGEST_PREFIX])
        blank = words.find(" ", blank + 1)
    return rests


def _prefixes(rests: Sequence[str]) -> list[str]:
    prefixes = {each[:length] for each in rests for length in _LENGTHS[len(each)]}
    for each in rests:
        if not each.isascii():
            prefixes.update(each[:at] for at in range(1, len(each)) if each[at] not in FOLLOWING)
    if len(prefixes) <= MOST_PREFIXES:
        return sorted(prefixes)
    short = {each for each in prefixes if len(each) <= SHORTEST_PREFIXES}
    return sorted(short | {CROWDED + each[:SHORTEST_PREFIXES] for each in rests})


def _is_of_a_word(character: str) -> bool:
    # The remaining marks are no accents: Hindi, Thai and others write vowels with them.
    return character.isalnum() or unicodedata.category(character).startswith("M")
