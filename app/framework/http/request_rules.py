"""Rules for the headers of requests that hold for every route."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import Scope

RawHeaders = Iterable[tuple[bytes, bytes]]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

_LISTS = frozenset({b"if-none-match"})
"""Headers whose lines form one list (RFC 9110, section 5.3)."""


class RepeatedHeader(ValueError):
    """A header with a single value came more than once."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The header {name} came more than once; send it once.")


def body_media_types(methods: Collection[str]) -> tuple[str, ...]:
    """The media types of a body: JSON, and JSON merge patch for PATCH."""
    return (MERGE_PATCH, JSON) if "PATCH" in methods else (JSON,)


class RequestRules:
    """The rules for the headers of requests to one route.

    takes: the names of the headers that the route takes.
    media_types: the media types of its body; none if it takes no body.
    """

    def __init__(self, takes: Iterable[str], media_types: Sequence[str]) -> None:
        names = [*takes, *(["Content-Type"] if media_types else [])]
        self._names = {each.lower().encode(): each for each in names}
        self.media_types = media_types
        self._accepted = {"Accept": ", ".join(media_types)}
        if MERGE_PATCH in media_types:
            self._accepted["Accept-Patch"] = self._accepted["Accept"]

    def finds_repeats(self, headers: RawHeaders) -> bool:
        """Whether a header that the route takes came more than once."""
        names = [name for name, _ in headers if name in self._names]
        return len(names) != len(set(names))

    def enforce(self, scope: Scope) -> None:
        """Join the lines of each list in the headers of `scope`.

        Raises:
            RepeatedHeader: a header that is no list came more than once.
            HTTPException: 415, the body is of another media type, or encoded.

        """
        values: dict[bytes, list[bytes]] = defaultdict(list)
        for name, value in scope["headers"]:
            values[name].append(value)
        for name in self._names:
            if len(values[name]) > 1:
                if name not in _LISTS:
                    raise RepeatedHeader(self._names[name])
                others = [each for each in scope["headers"] if each[0] != name]
                scope["headers"] = [*others, (name, b", ".join(values[name]))]
        if self.media_types:
            self._check_body(values)

    def _check_body(self, values: Mapping[bytes, Sequence[bytes]]) -> None:
        codings = b",".join(values[b"content-encoding"]).split(b",")
        if any(each.strip().lower() not in {b"", b"identity"} for each in codings):
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "The body has a Content-Encoding; send it without one.",
                {"Accept-Encoding": "identity"},
            )
        given = b"".join(values[b"content-type"])
        media_type = given.partition(b";")[0].strip().lower().decode("latin-1")
        # A missing body has no media type; it is refused later.
        if media_type not in self.media_types and (given or _has_content(values)):
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"The body must be sent with Content-Type: {' or '.join(self.media_types)}.",
                self._accepted,
            )


def _has_content(values: Mapping[bytes, Sequence[bytes]]) -> bool:
    length = b"".join(values[b"content-length"])
    return bool(values[b"transfer-encoding"]) or length not in {b"", b"0"}
