"""Made-up people whose names look like real ones."""

import random
import unicodedata
from dataclasses import dataclass

_GIVEN = tuple(
    """
    Aïcha Alejandro Alice Amara Anaïs Andrzej Anna Aoife Åsa Beatriz Björn Bronisław Carmen
    Chiara Chidi Daniel Deniz Dmitri Élodie Emeka Emma Eszter Fatima François Freya Gabriela
    Giulia Hana Hans Haruto Hélène Hugo Ingrid Isabel Ivan Jana João José Jürgen Kaito Karin
    Kwame Lars Layla Léa Liam Linh Lucía Łukasz Mamadou Maria Märta Matteo Mehmet Mei Miguel
    Milica Mohammed Nadia Ngozi Nikolai Noor Oksana Olivia Omar Paolo Pedro Petra Priya Quinn
    Rania Renée Ricardo Rosa Ryo Saoirse Siân Sofia Søren Svetlana Tariq Tomáš Uma Valentina
    Viktor Wanjiru Xavier Yara Yusuf Zainab Zdeněk Žofia
    """.split()  # noqa: SIM905 - a list of quoted words would not be read by anybody
)
_FAMILY = tuple(
    """
    Abdullahi Almeida Andersson Bauer Bergström Bianchi Castro Čapek Chukwu Da-Silva
    Dąbrowski De-Vries Demir Dubois Dvořák Eriksen Fernández Fischer García González Gruber
    Haddad Hansen Hernández Horváth Ibrahim Ivanova Jansen Jensen Johansson Kaya Keane
    Khalil Kim Kovács Kowalska Kumar Lefèvre Lindqvist López MacLeod Mbeki Mensah Moreau
    Müller Mwangi Nagy Nakamura Ndiaye Nguyễn Nielsen Novák O'Brien O'Connor Okafor Özdemir
    Papadopoulos Patel Petrović Popescu Rahman Rossi Sánchez Schäfer Schneider Sharma Silva
    Smith Sørensen Suzuki Świątek Takahashi Tan Tóth Tremblay Van-den-Berg Vargas Virtanen
    Wagner Wang Weber Wójcik Yamamoto Zając Zhang Zieliński
    """.split()  # noqa: SIM905 - as above
)
_HOSTS = ("example.com", "example.org", "mail.example.net", "post.example.com")
_PASTIMES = ("bakes", "climbs", "codes", "gardens", "paints", "reads", "rows", "sings", "writes")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone, and what becomes of them: a new name, then a bio."""

    id: str
    name: str
    email: str
    avatar_url: str | None
    new_name: str
    bio: str


def person(number: int) -> Person:
    """The person of this number; always the same one, and no two have an address in common."""
    chance = random.Random(number)
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    name = f"{given} {family}".replace("-", " ")
    local = "".join(each for each in _ascii(f"{given}.{family}").lower() if each not in "' ")
    return Person(
        id=f"{_ascii(given).lower()}-{number}",
        name=name,
        email=f"{local}{number}@{chance.choice(_HOSTS)}",
        avatar_url=f"https://avatars.example.com/{number}.png" if chance.random() < 0.7 else None,
        new_name=f"{given} {chance.choice(_FAMILY)}-{family}",
        bio=f"{given} {chance.choice(_PASTIMES)}.\n{'…' * (number % 9)}",
    )


def _ascii(text: str) -> str:
    stripped = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return stripped.replace("ø", "o").encode("ascii", "ignore").decode()
