"""The session of a browser at the console: a cookie that holds its token.

Only pages under `PREFIX` take it, and they take no other token. So no page of another site, and no
client of the API, is ever served by it.
"""

from collections.abc import Iterable

from app import IDENTIFIER

PREFIX = "/console"
COOKIE = f"{IDENTIFIER}_console"

_BEGIN = f"{COOKIE}=".encode()


def has_session(path: str) -> bool:
    """Whether a request for `path` is identified by its cookie."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def token_of_session(cookies: Iterable[bytes]) -> bytes | None:
    """The token in the cookie headers of a request; None if there is none, or several."""
    found = [
        pair.strip().removeprefix(_BEGIN)
        for line in cookies
        for pair in line.split(b";")
        if pair.strip().startswith(_BEGIN)
    ]
    return found[0] if len(found) == 1 else None
