"""Plain ASGI middleware around every request, the first listed outermost.

RequestIds   gives the request an id, for the answer, the logs and the events; completes headers
Auditing     writes the audit log
CrossOrigin  lets pages of allowed origins call, if there are any
LastResort   answers unhandled exceptions, and logs them
RequestGuard refuses long heads, other hosts, and pages of other origins
Authentication finds out the principal, and refuses requests without one
RateLimiting refuses requests of clients that have used up their limit
BodyLimit    reads the whole body, and refuses long ones
Admission    refuses requests when all places are taken

Those that only pass something on are no coroutines, as each costs a part of a microsecond.
"""

from app.framework.http.middleware.admission import ALWAYS_ADMITTED, Admission, Places
from app.framework.http.middleware.auditing import Auditing
from app.framework.http.middleware.authentication import Authentication
from app.framework.http.middleware.body_limit import BodyLimit
from app.framework.http.middleware.cross_origin import CrossOrigin
from app.framework.http.middleware.last_resort import LastResort
from app.framework.http.middleware.rate_limiting import RateLimiting
from app.framework.http.middleware.request_guard import RequestGuard
from app.framework.http.middleware.request_ids import RequestIds

__all__ = [
    "ALWAYS_ADMITTED",
    "Admission",
    "Auditing",
    "Authentication",
    "BodyLimit",
    "CrossOrigin",
    "LastResort",
    "Places",
    "RateLimiting",
    "RequestGuard",
    "RequestIds",
]
