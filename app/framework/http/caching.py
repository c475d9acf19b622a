"""What caches may do with an answer (RFC 9111): nothing, unless it says otherwise.

So an answer of a kind that is yet to come cannot be served stale by a proxy. Documents that never
change say how long they may be kept; reads of the views may be kept by their client alone, which
asks each time whether they still hold (`If-None-Match`).
"""

from collections.abc import Collection, Sequence

RawHeader = tuple[bytes, bytes]

_CACHE_CONTROL = b"cache-control"
_NO_STORE: RawHeader = (_CACHE_CONTROL, b"no-store")
_NO_SNIFFING: RawHeader = (b"x-content-type-options", b"nosniff")

_TOKEN = b"consistency-token"
# Vary has what the answer depends on beside its address, also for a cache that ignores the rest.
_OF_READS: tuple[RawHeader, ...] = (
    (_CACHE_CONTROL, b"private, no-cache"),
    (b"vary", b"Authorization, Consistency-Token"),
)


def caching_of(methods: Collection[str], request_headers: Collection[bytes]) -> Sequence[RawHeader]:
    """The headers of what a route answers, by what it takes; none where the default is right.

    What answers GET and takes a Consistency-Token reads the views.
    """
    return _OF_READS if "GET" in methods and _TOKEN in request_headers else ()


def with_safe_defaults(headers: Sequence[RawHeader], *further: RawHeader) -> list[RawHeader]:
    """`headers` and `further`, with what every response has.

    That is `nosniff`, and `no-store` unless they say how the response may be cached.
    """
    for name, _ in headers:
        if name == _CACHE_CONTROL:
            return [*headers, _NO_SNIFFING, *further]
    return [*headers, _NO_STORE, _NO_SNIFFING, *further]
