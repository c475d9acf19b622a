"""How names are sorted and searched: case, accents and punctuation do not matter."""

import re
import unicodedata
from collections.abc import Sequence

SHORTEST_PREFIXES = 3
LONGEST_PREFIX = 32
MOST_PREFIXES = 200
"""A name with more prefixes is crowded: it has dozens of words. Its index entries would cost
MongoDB as much as those of many names, so only prefixes of up to SHORTEST_PREFIXES characters are
indexed."""

CROWDED = "\n"
"""Marks a prefix under which crowded names are found. It is in no word."""

SORTED_CHARACTERS = 100

_ASCII_WORD = re.compile("[0-9a-z]+")


def folded(text: str) -> str:
    """`text` without case and accents, and in plain letters where it has letters of a style."""
    if text.isascii():
        return text.lower()  # what the rest comes to, sooner
    # Styled letters, the bold ones of mathematics say, have a case only once they are plain.
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in plain if not unicodedata.combining(each))


def sort_key(text: str) -> str:
    """The start of the folded `text`, long enough to sort by and short enough for a cursor."""
    return folded(text)[:SORTED_CHARACTERS]


def search_words(text: str) -> str:
    """The folded words of `text`, parted by single spaces; letters, vowel signs and digits only."""
    plain = folded(text)
    if plain.isascii():
        return " ".join(_ASCII_WORD.findall(plain))
    kept = (each if _is_of_a_word(each) else " " for each in plain)
    return " ".join("".join(kept).split())


def word_prefixes(words: str) -> list[str]:
    """Every prefix of what begins at each of `words`, up to LONGEST_PREFIX, sorted.

    It runs on over the words that follow, so that each search is one look into an index.
    """
    return _prefixes(_rests(words))


def later_prefixes(words: str, key: str) -> list[str]:
    """The `word_prefixes` without those of the first word, if the sort key begins as that does.

    For the order of names: there the names that begin with what is searched for stand together.
    """
    rests = _rests(words)
    return _prefixes(rests[1:] if rests and key.startswith(rests[0]) else rests)


def prefixes_to_find(words: str) -> tuple[str, ...]:
    """The prefixes of which each name that the search for `words` finds has one."""
    if len(words) <= SHORTEST_PREFIXES:
        return (words,)
    return (words[:LONGEST_PREFIX], CROWDED + words[:SHORTEST_PREFIXES])


def first_prefix(words: str) -> str:
    """Up to three characters of the first of `words`: what version 1 of the view indexes."""
    return words.partition(" ")[0][:SHORTEST_PREFIXES]


def _rests(words: str) -> list[str]:
    starts = (0, *(each.end() for each in re.finditer(" ", words)))
    return [words[start : start + LONGEST_PREFIX] for start in starts if start < len(words)]


def _prefixes(rests: Sequence[str]) -> list[str]:
    prefixes = {each[:length] for each in rests for length in range(1, len(each) + 1)}
    if len(prefixes) <= MOST_PREFIXES:
        return sorted(prefixes)
    short = {each for each in prefixes if len(each) <= SHORTEST_PREFIXES}
    return sorted(short | {CROWDED + each[:SHORTEST_PREFIXES] for each in rests})


def _is_of_a_word(character: str) -> bool:
    # The marks that `folded` leaves are no accents: Hindi, Thai and others write vowels so.
    return character.isalnum() or unicodedata.category(character).startswith("M")
