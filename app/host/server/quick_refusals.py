"""Problems for thousands of refusals a second, without a new document for each."""

import json
from collections.abc import Iterable
from urllib.parse import quote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.framework.eventsourcing import uuid7
from app.framework.http.caching import with_safe_defaults
from app.framework.http.last_answer import CLOSE
from app.framework.http.problems.kinds import ProblemType
from app.framework.http.refusals import problem_response
from app.framework.http.request_id import REQUEST_ID, acceptable_id, set_request_id

Headers = Iterable[tuple[bytes, bytes]]

_PATH, _ID = "/path-of-the-request", "id-of-the-request"


class QuickRefusal:
    """Answers with one kind of problem, like `problem_response`, which it calls once.

    The parts that differ between requests are inserted.
    """

    def __init__(self, kind: ProblemType, root_path: str = "") -> None:
        scope = {"path": _PATH, "root_path": root_path}
        set_request_id(scope, _ID, _ID)
        answer = problem_response(scope, kind, kind.example)
        headers = with_safe_defaults(answer.raw_headers)
        head = b"".join(b"%b: %b\r\n" % each for each in headers if each[0] != b"content-length")
        self._root_path = root_path
        self._head = STATUS_LINE[kind.status] + head
        body = bytes(answer.body).replace(b"%", b"%%")
        self._body = body.replace(_PATH.encode(), b"%b").replace(_ID.encode(), b"%b")

    def answer(
        self, url: bytes, headers: Headers, default_headers: Headers, *, last: bool
    ) -> bytes:
        """The answer to a request for `url`; `last` says that it is the last of the connection."""
        request_id = next(
            (value for name, value in headers if name == REQUEST_ID and acceptable_id(value)), b""
        )
        request_id = request_id or uuid7().encode()
        path = self._root_path + quote(url.partition(b"?")[0], safe="/%")
        body = self._body % (path.encode(), json.dumps(request_id.decode()).encode()[1:-1])
        more = [each for each in default_headers if each != CLOSE]
        if last:
            more.append(CLOSE)
        return b"%bcontent-length: %d\r\n%b: %b\r\n%b\r\n%b" % (
            self._head,
            len(body),
            REQUEST_ID,
            request_id,
            b"".join(b"%b: %b\r\n" % each for each in more),
            body,
        )
