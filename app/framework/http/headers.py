"""Response headers: how they are set and what the documentation says of them."""

from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response

from app.framework.http.consistency import encode_position
from app.framework.http.entity_tags import entity_tag
from app.framework.http.examples import GENERIC

Documented = dict[str, dict[str, Any]]

HEADERS: Documented = {
    "X-Request-Id": {
        "required": True,
        "description": "The id of the request: the one it came with, or a new one. It is in "
        "every line logged and every event recorded on the way.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        "example": "01977c2a-6a3c-7d52-9f0e-5b1f6f0f8a11",
    },
    "Location": {
        "required": True,
        "description": "Where the new resource is.",
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 8192},
        "example": GENERIC.path,
    },
    "ETag": {
        "required": True,
        "description": "The version of the resource, in double quotes.",
        "schema": {"type": "string", "maxLength": 32, "pattern": '^"[0-9]+"$'},
        "example": '"3"',
    },
    "Consistency-Token": {
        "required": True,
        "description": "Stands for this write and everything before it; opaque.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "example": encode_position(1),
    },
    "Idempotency-Replayed": {
        "description": "That this is the answer to an earlier request with the same "
        "Idempotency-Key; nothing was done anew.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "WWW-Authenticate": {
        "required": True,
        "description": "The scheme of tokens, and with a token the error (RFC 6750).",
        "schema": {"type": "string", "maxLength": 256, "pattern": "^Bearer"},
        "example": 'Bearer error="invalid_token"',
    },
    "Retry-After": {
        "required": True,
        "description": "After how many seconds it makes sense to try again.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 3600},
        "example": 1,
    },
}

RATE_LIMIT_HEADERS: Documented = {
    "RateLimit-Policy": {
        "description": "How much the client may use: `q` units in `w` seconds, which are there "
        "again after as long (draft-ietf-httpapi-ratelimit-headers-11).",
        "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        "example": '"principal";q=100;w=2',
    },
    "RateLimit": {
        "description": "How many units are left, `r`, for the next `t` seconds.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        "example": '"principal";r=73;t=1',
    },
}
"""Those of every answer to a request that a limit applies to."""

BROWSER_HEADERS: Documented = {
    "Access-Control-Allow-Origin": {
        "description": "The origin of the page that sent the request, if the service lets that "
        "page read the answer (`CORS_ORIGINS`).",
        "schema": {"type": "string", "format": "uri", "maxLength": 8192},
        "example": "https://app.example.com",
    },
}
"""Headers that browsers read, not the programs in their pages."""


def header_references(names: Iterable[str]) -> dict[str, Any]:
    """References to these headers for the documentation of a response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def set_location(response: Response, request: Request, path: str) -> None:
    """Set Location to `path`, with the prefix that a proxy strips."""
    response.headers["Location"] = request.scope.get("root_path", "") + path


def set_etag(response: Response, version: int) -> None:
    # Without `headers`, which looks for one of this name first: every read has one.
    response.raw_headers.append((b"etag", entity_tag(version).encode()))


def set_written(response: Response, *, version: int, position: int) -> None:
    """Set the ETag and the Consistency-Token of a write."""
    set_etag(response, version)
    response.headers["Consistency-Token"] = encode_position(position)
