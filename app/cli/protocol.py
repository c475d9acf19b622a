"""HTTP as the server speaks it, where the application has no say yet."""

from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.api.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST
from app.api.problems.kinds import ProblemType
from app.api.refusals import problem_response
from app.eventsourcing import Metadata, request_metadata, uuid7


class Protocol(HttpToolsProtocol):
    """uvicorn's, which answers what it cannot read with a problem, and reads no head without end.

    The parser keeps a head, or the trailers after a body, until it has all of it.
    """

    LIMIT: ClassVar[int] = 64 * 1024
    """How many bytes may come in that complete no head and belong to no body; more than the
    application itself accepts, which can say so in better order."""

    PATIENCE: ClassVar[float] = 2.0
    """For how many seconds a client may take nothing of what it is sent, when the server stops."""

    _kept = 0

    def data_received(self, data: bytes) -> None:
        """Take in what was sent."""
        self._kept += len(data)
        super().data_received(data)
        if self._kept > self.LIMIT and not self.transport.is_closing():
            self._refuse(HEADERS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._kept = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        self._kept = 0
        super().on_body(body)

    def shutdown(self) -> None:
        """Hang up once what is under way is answered, or if the client takes none of it."""
        super().shutdown()
        if unsent := self.transport.get_write_buffer_size():
            self.loop.call_later(self.PATIENCE, self._give_up, unsent)

    def _give_up(self, unsent: int) -> None:
        # Who takes nothing is sent nothing more: what is not sent yet is no less than it was.
        if self.transport.get_write_buffer_size() >= unsent:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it says less than the problem
        """Answer what is not HTTP, and hang up."""
        self._refuse(MALFORMED_REQUEST)

    def _refuse(self, kind: ProblemType) -> None:
        under_way: RequestResponseCycle | None = self.cycle
        if under_way is None or under_way.response_complete:
            self.transport.write(_response(kind, self.root_path))
        elif not under_way.more_body:
            # It came whole before and may have been carried out: it is answered, then we hang up.
            under_way.keep_alive = False
            self.flow.pause_reading()
            return
        self.transport.close()


def _response(kind: ProblemType, root_path: str) -> bytes:
    request_id = str(uuid7())
    token = request_metadata.set(Metadata(correlation_id=request_id))
    try:
        answer = problem_response({"path": "", "root_path": root_path}, kind, kind.example)
    finally:
        request_metadata.reset(token)
    headers = [
        *answer.raw_headers,
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    head = b"".join(b"%b: %b\r\n" % each for each in headers)
    return STATUS_LINE[kind.status] + head + b"\r\n" + bytes(answer.body)
