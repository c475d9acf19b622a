"""Made-up users; `load.lua` and the ceiling know the same ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A user, by number."""

    id: str
    name: str
    email: str
    avatar_url: str


def person(number: int) -> Person:
    """The user of this number."""
    digits = f"{number:06}"
    return Person(
        id=f"user-{digits}",
        name=f"Ada Lovelace {digits}",
        email=f"ada.lovelace.{digits}@example.com",
        avatar_url=f"https://avatars.example.com/{digits}.png",
    )
