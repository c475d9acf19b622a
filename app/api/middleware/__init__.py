"""Plain ASGI middleware: what happens around every request, the first listed outermost.

RequestIds   names the request, for the answer, the logs and the events; completes the headers
CrossOrigin  lets pages of the origins that are allowed to call, if there are any
LastResort   answers what nothing else has answered, and logs it
RequestGuard refuses what is for another host, or comes from another origin
HeaderLimit  refuses heads over a number of bytes
BodyLimit    refuses bodies over a number of bytes
"""

from app.api.middleware.body_limit import BodyLimit
from app.api.middleware.cross_origin import CrossOrigin
from app.api.middleware.header_limit import HeaderLimit
from app.api.middleware.last_resort import LastResort
from app.api.middleware.request_guard import RequestGuard
from app.api.middleware.request_ids import RequestIds

__all__ = ["BodyLimit", "CrossOrigin", "HeaderLimit", "LastResort", "RequestGuard", "RequestIds"]
