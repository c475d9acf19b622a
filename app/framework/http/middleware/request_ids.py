"""The ids of a request."""

from app.framework.eventsourcing import uuid7
from app.framework.http.middleware.head import Head
from app.framework.http.request_id import REQUEST_ID, acceptable_id


def ids_of(head: Head) -> tuple[str, str]:
    """The X-Request-Id of a request, and an internal id, which no other request has.

    An id that is not 1 to 128 visible ASCII characters, or has a token or an API key in it, is
    replaced by the internal one.
    """
    internal_id = uuid7()
    for value in head.all_of(REQUEST_ID):
        if acceptable_id(value):
            return str(value, "ascii"), internal_id
    return internal_id, internal_id
