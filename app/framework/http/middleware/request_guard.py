"""Refuses long heads, other hosts, and pages of other origins."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain

from app.framework.http.middleware.answered import Answered
from app.framework.http.middleware.head import Head
from app.framework.http.problems import (
    HEADERS_TOO_LARGE,
    HOST_NOT_ALLOWED,
    MALFORMED_REQUEST,
    NOT_FOUND,
    ORIGIN_NOT_ALLOWED,
)
from app.framework.http.problems.kinds import ProblemType
from app.framework.http.refusals import problem_response

_Refusal = tuple[ProblemType, str]

_TOO_LARGE = HEADERS_TOO_LARGE, HEADERS_TOO_LARGE.example
_BAD_HOST = MALFORMED_REQUEST, "A request has one Host header, with a host and maybe a port."
_REPEATED = MALFORMED_REQUEST, "A request has one Host header, and at most one Origin."
_OTHER_HOST = HOST_NOT_ALLOWED, HOST_NOT_ALLOWED.example
_OTHER_ORIGIN = ORIGIN_NOT_ALLOWED, ORIGIN_NOT_ALLOWED.example
_AMBIGUOUS_PATH = (
    NOT_FOUND,
    "No path here has an encoded slash, a backslash, a control character or a segment `.` or `..`.",
)

_HOST = re.compile(r"([\w.~!$&'()*+,;=%-]*|\[[0-9a-f:.]+\])(:[0-9]*)?", re.ASCII)
_HOSTS_CACHED = 64
_SINGLE = (b"host", b"origin", b"sec-fetch-site")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DEFAULT_PORTS = {b"http": b":80", b"https": b":443"}

# Also if encoded several times: a proxy may decode more than once.
_ENCODED_SEPARATOR = re.compile(rb"%(?:25)*(?:2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:/|$)")


class RequestGuard:
    """Refuses requests of attackers, misconfigured proxies and broken clients, in one pass.

    - 431: path, query and headers of over `limit` bytes together.
    - 400: no Host, a malformed one, or two (RFC 9112, 3.2). HTTP/1.0 may omit it.
    - 421: a Host that is not one of `hosts`. By DNS rebinding a page can reach this service under
      a name of its own, but then the browser sends that name as Host.
    - 403: a method that changes state, from a page of an origin that is neither the host's own nor
      one of `origins`. A form on any page can send one.
    - 404: a path that a proxy in front may have read differently.
    """

    def __init__(
        self,
        limit: int,
        hosts: frozenset[str] | None = None,
        origins: frozenset[str] = frozenset(),
    ) -> None:
        """`hosts` are in lower case, without ports; None allows any, as "*" does in `origins`."""
        self._limit = limit
        self._hosts = hosts
        self._origins = {each.encode() for each in origins}
        self._refusal_of_host = lru_cache(_HOSTS_CACHED)(self._check_host)

    def check(self, head: Head) -> None:
        """Return if the request may pass.

        Raises:
            Answered: it may not.

        """
        refusal = self._refusal(head)
        if refusal:
            kind, detail = refusal
            headers = {"Connection": "close"} if kind is MALFORMED_REQUEST else None
            raise Answered(problem_response(head.scope, kind, detail, headers=headers))

    def _refusal(self, head: Head) -> _Refusal | None:
        scope, headers = head.scope, head.fields
        if head.has_repeats and any(len(head.all_of(each)) > 1 for each in _SINGLE):
            return _REPEATED
        length = len(b"".join(chain.from_iterable(head.lines)))
        path, raw_path = scope["path"], scope["raw_path"]
        if length + len(path) + len(scope["query_string"]) > self._limit:
            return _TOO_LARGE
        host = headers.get(b"host")
        refusal = self._refusal_of_host(host)
        if refusal and (host is not None or scope["http_version"] != "1.0"):
            return refusal
        if scope["method"] not in _SAFE_METHODS and self._is_foreign(headers):
            return _OTHER_ORIGIN
        if b"%" in raw_path or "/." in path or "\\" in path:
            return _AMBIGUOUS_PATH if _is_ambiguous(path, raw_path) else None
        return None

    def _check_host(self, host: bytes | None) -> _Refusal | None:
        found = _HOST.fullmatch(host.decode("latin-1").lower()) if host is not None else None
        if found is None:
            return _BAD_HOST
        name = found[1].removesuffix(".")
        return None if self._hosts is None or name in self._hosts else _OTHER_HOST

    def _is_foreign(self, headers: dict[bytes, bytes]) -> bool:
        # Browsers send these two, and pages cannot set them.
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if origin in self._origins or b"*" in self._origins:
            return False
        if site == b"cross-site":
            return True
        # A proxy may replace the Host, so that the origin seems to be another one.
        return origin is not None and site != b"same-origin" and not is_own_origin(origin, headers)


def is_own_origin(origin: bytes, headers: Mapping[bytes, bytes]) -> bool:
    """Whether an Origin is that of the Host of the same request."""
    # The scheme is not compared: a proxy that terminates TLS uses HTTP behind it.
    scheme, _, authority = origin.lower().partition(b"://")
    port = _DEFAULT_PORTS.get(scheme)
    host = headers.get(b"host", b"").lower()
    return port is not None and authority.removesuffix(port) == host.removesuffix(port) != b""


def _is_ambiguous(path: str, raw_path: bytes) -> bool:
    return bool("\\" in path or _DOT_SEGMENT.search(path) or _ENCODED_SEPARATOR.search(raw_path))
