"""How names are sorted and searched: case, accents and punctuation do not matter."""

import re
import unicodedata

PREFIX_LENGTHS = (1, 2, 3)
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
    """The first one, two and three characters of each of `words`, sorted.

    An index on these finds the names that a search may mean; the search looks at the rest
    of the characters itself. Longer prefixes would make each name's index entries many.
    """
    return sorted({word[:length] for word in words.split() for length in PREFIX_LENGTHS})


def first_prefix(words: str) -> str:
    """That one of `word_prefixes` under which a name matching the start of `words` is found."""
    first_word = words.partition(" ")[0]
    return first_word[: max(PREFIX_LENGTHS)]


def _is_of_a_word(character: str) -> bool:
    # The marks that `folded` leaves are no accents: Hindi, Thai and others write vowels so.
    return character.isalnum() or unicodedata.category(character).startswith("M")
