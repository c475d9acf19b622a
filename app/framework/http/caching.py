"""Cache headers of answers (RFC 9111): `no-store`, unless an answer says otherwise.

So a proxy cannot serve a new kind of answer stale, nor one principal's to another. Documents that
never change have a lifetime.
Reads of the views may be cached by their client only, which validates them each time
(`If-None-Match`).
"""

from collections.abc import Collection, Sequence

RawHeader = tuple[bytes, bytes]

_CACHE_CONTROL = b"cache-control"
# Vary names the headers that an answer depends on, for a cache that ignores the rest, too.
_BY_DEFAULT: tuple[RawHeader, ...] = ((_CACHE_CONTROL, b"no-store"), (b"vary", b"Authorization"))
_NO_SNIFFING: RawHeader = (b"x-content-type-options", b"nosniff")

_TOKEN = b"consistency-token"
_OF_READS: tuple[RawHeader, ...] = (
    (_CACHE_CONTROL, b"private, no-cache"),
    (b"vary", b"Authorization, Consistency-Token"),
)


def caching_of(methods: Collection[str], request_headers: Collection[bytes]) -> Sequence[RawHeader]:
    """The cache headers of a route, from its methods and headers; none if the default is right.

    A route for GET that takes a Consistency-Token reads the views.
    """
    return _OF_READS if "GET" in methods and _TOKEN in request_headers else ()


def with_safe_defaults(headers: Sequence[RawHeader], *further: RawHeader) -> list[RawHeader]:
    """`headers` and `further`, with the headers of every response.

    These are `nosniff`, and `no-store` for each principal if there are no cache headers.
    """
    for name, _ in headers:
        if name == _CACHE_CONTROL:
            return [*headers, _NO_SNIFFING, *further]
    return [*headers, *_BY_DEFAULT, _NO_SNIFFING, *further]
