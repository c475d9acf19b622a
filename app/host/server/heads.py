"""Heads of requests: their target, and their form without an upgrade."""

import httptools

_SCHEMES = (b"http", b"https")


class UnreadableHead(Exception):
    """The head is invalid; the text says why, for the client."""


def origin_form(target: bytes, method: str) -> tuple[bytes, bytes | None]:
    """A request target as path and query, and the host it names, if it does (RFC 9112, 3.2).

    Raises:
        UnreadableHead: it is not valid for an origin server.

    """
    if b"#" in target:
        raise UnreadableHead("a request target has no fragment")
    if target.startswith(b"/") or (target == b"*" and method == "OPTIONS"):
        return target, None
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise UnreadableHead("the request target is neither a path nor a URL") from None
    if not url.schema or url.schema.lower() not in _SCHEMES or url.userinfo is not None:
        raise UnreadableHead("the request target is neither a path nor an http URL")
    rest = target.partition(b"://")[2]
    authority = rest.partition(b"/")[0].partition(b"?")[0]
    relative = rest[len(authority) :]
    return relative if relative.startswith(b"/") else b"/" + relative, authority


def without_upgrade(
    method: str, target: bytes, version: str, headers: list[tuple[bytes, bytes]]
) -> bytes:
    """A head without its `Upgrade`, which this server ignores."""
    lines = [b"%b: %b\r\n" % each for each in headers if each[0] != b"upgrade"]
    start = b"%b %b HTTP/%b\r\n" % (method.encode(), target, version.encode())
    return b"%b%b\r\n" % (start, b"".join(lines))
