"""Whether a URL of MongoDB makes sense, as its driver sees it."""

import re
import warnings
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

# As greedy as can be: in a URL that makes no sense, what is a password may hold anything.
_PASSWORD = re.compile(r"(?<=://)([^:]*):.*@", re.DOTALL)


def checked_url(url: str) -> str:
    """The URL itself, if it makes sense; the network is not asked, not even for an SRV record.

    Raises:
        ValueError: it does not; what the message quotes of it is no part of the password.

    """
    if not url.startswith(("mongodb://", "mongodb+srv://")):  # the driver takes it for a host
        raise ValueError("expected the form mongodb://user:password@host:port")
    wrong = _wrong(url)
    if wrong is None:
        return url
    if wrong != _wrong(_PASSWORD.sub(r"\1:password@", url)):
        # The driver quotes what it cannot read, and that it cannot read is due to the password.
        wrong = "a character such as @ : / ? # % in the user name or password must be escaped (%40)"
    raise ValueError(wrong)


def _wrong(url: str) -> str | None:
    try:
        with warnings.catch_warnings():
            # An option that is unknown, or has an impossible value, is only warned of.
            warnings.simplefilter("error", UserWarning)
            MongoClient[dict[str, Any]](url, connect=False).close()
    except (PyMongoError, ValueError, OSError, UserWarning) as error:
        return " ".join(str(error).split())
    return None
