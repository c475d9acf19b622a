"""What concerns every request: one ASGI layer around the application, the `Edge`.

Its steps, in their order; each may answer the request itself:

request_ids     gives the request an id, for the answer, the logs and the events
cross_origin    lets pages of allowed origins call, if there are any
request_guard   refuses long heads, other hosts, and pages of other origins
authentication  finds out the principal, and refuses requests without one
rate_limiting   refuses requests of clients that have used up their limit
body_limit      reads the whole body, and refuses long ones
admission       refuses requests when all places are taken

On its way out the answer passes `Answer`: the audit log and the access log get their lines, and the
headers are completed. Requests that fail are answered by `last_resort`.
"""

from app.framework.http.middleware.access_lines import AccessLines
from app.framework.http.middleware.admission import ALWAYS_ADMITTED, Admission
from app.framework.http.middleware.auditing import Auditing
from app.framework.http.middleware.authentication import Authentication
from app.framework.http.middleware.body_limit import BodyLimit
from app.framework.http.middleware.cross_origin import CrossOrigin
from app.framework.http.middleware.edge import Edge
from app.framework.http.middleware.places import Places
from app.framework.http.middleware.rate_limiting import RateLimiting
from app.framework.http.middleware.request_guard import RequestGuard

__all__ = [
    "ALWAYS_ADMITTED",
    "AccessLines",
    "Admission",
    "Auditing",
    "Authentication",
    "BodyLimit",
    "CrossOrigin",
    "Edge",
    "Places",
    "RateLimiting",
    "RequestGuard",
]
