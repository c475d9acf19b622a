"""Checks a URL of MongoDB, by means of its driver."""

import re
import warnings
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

# Greedy: in an invalid URL the password may contain any character.
_PASSWORD = re.compile(r"(?<=://)([^:]*):.*@", re.DOTALL)


def checked_url(url: str) -> str:
    """The URL itself, if it is valid; the network is not used, not even for an SRV record.

    Raises:
        ValueError: it is invalid; the message quotes no part of the password.

    """
    if not url.startswith(("mongodb://", "mongodb+srv://")):  # the driver would take it for a host
        raise ValueError("expected the form mongodb://user:password@host:port")
    wrong = _wrong(url)
    if wrong is None:
        return url
    if wrong != _wrong(_PASSWORD.sub(r"\1:password@", url)):
        # The driver quotes the part that it cannot parse, and the password causes that.
        wrong = "a character such as @ : / ? # % in the user name or password must be escaped (%40)"
    raise ValueError(wrong)


def _wrong(url: str) -> str | None:
    try:
        with warnings.catch_warnings():
            # For an unknown option or a wrong value the driver only warns.
            warnings.simplefilter("error", UserWarning)
            MongoClient[dict[str, Any]](url, connect=False).close()
    except (PyMongoError, ValueError, OSError, UserWarning) as error:
        return " ".join(str(error).split())
    return None
