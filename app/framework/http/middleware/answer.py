"""The answer to a request, on its way out."""

from collections.abc import Awaitable, Sequence
from time import perf_counter

from starlette.types import Message, Send

from app.framework.http.caching import RawHeader, with_safe_defaults
from app.framework.http.middleware.access_lines import AccessLines
from app.framework.http.middleware.auditing import Auditing
from app.framework.http.middleware.head import Head
from app.framework.http.middleware.measuring import measure_answer
from app.framework.http.middleware.places import Places
from app.framework.http.request_id import REQUEST_ID


class Answer:
    """Passes an answer on, with what every answer gets.

    When it starts, its place is given back, it is measured, its lines in the audit log and in the
    access log are written, and its headers are completed: with `limit_headers`, with the id of the
    request, and by `with_safe_defaults`.
    """

    __slots__ = (
        "_access_lines",
        "_auditing",
        "_began",
        "_head",
        "_id",
        "_places",
        "_send",
        "has_started",
        "limit_headers",
    )

    def __init__(
        self,
        head: Head,
        request_id: str,
        send: Send,
        auditing: Auditing,
        access_lines: AccessLines | None,
    ) -> None:
        self._began = perf_counter()
        self._head = head
        self._id = (REQUEST_ID, request_id.encode())
        self._send = send
        self._auditing = auditing
        self._access_lines = access_lines
        self._places: Places | None = None
        self.has_started = False
        self.limit_headers: Sequence[RawHeader] = ()

    def send(self, message: Message) -> Awaitable[None]:
        # Not a coroutine, which would cost every message some time.
        self.has_started = True
        if self._places is not None:
            self.give_place_back()
        if message["type"] == "http.response.start":
            scope, status = self._head.scope, message["status"]
            seconds = perf_counter() - self._began
            measure_answer(scope, status, seconds)
            if self._access_lines is not None:
                self._access_lines.write(self._head, status, seconds)
            if self._auditing.wants(scope, status):
                self._auditing.write(self._head, message)
            headers = (*message.get("headers", ()), *self.limit_headers)
            message["headers"] = with_safe_defaults(headers, self._id)
        return self._send(message)

    def take_place(self, places: Places) -> None:
        """Take one of `places`, until the answer starts."""
        places.take()
        self._places = places

    def give_place_back(self) -> None:
        """Give the place back, if one was taken and not given back before."""
        if self._places is not None:
            self._places.give_back()
            self._places = None
