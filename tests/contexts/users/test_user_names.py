"""The accepted forms of the name of a user."""

import pytest

from app.contexts.users.domain import values


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
