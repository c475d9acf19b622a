"""Plain ASGI middleware: what happens around every request, the first listed outermost.

RequestIds   names the request, for the answer, the logs and the events; completes the headers
CrossOrigin  lets pages of the origins that are allowed to call, if there are any
LastResort   answers what nothing else has answered, and logs it
RequestGuard refuses heads that are too long, for another host, or of another origin's page
BodyLimit    waits for the whole body, and refuses those over a number of bytes
Admission    refuses what is too much at once

Where one only passes something on it is no coroutine, since each costs a part of a microsecond.
"""

from app.framework.http.middleware.admission import ALWAYS_ADMITTED, Admission, Places
from app.framework.http.middleware.body_limit import BodyLimit
from app.framework.http.middleware.cross_origin import CrossOrigin
from app.framework.http.middleware.last_resort import LastResort
from app.framework.http.middleware.request_guard import RequestGuard
from app.framework.http.middleware.request_ids import RequestIds

__all__ = [
    "ALWAYS_ADMITTED",
    "Admission",
    "BodyLimit",
    "CrossOrigin",
    "LastResort",
    "Places",
    "RequestGuard",
    "RequestIds",
]
