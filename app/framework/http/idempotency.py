"""The Idempotency-Key of a request.

See draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from app.framework.http.principals import principal_of
from app.framework.request import IdempotencyKey


def idempotency_key(
    key: str | None, request: Request, body: BaseModel | None, further: Mapping[str, Any]
) -> IdempotencyKey | None:
    """The idempotency key of the command of `request`; None without a `key`.

    Keys of one principal mean nothing for another. `further` are the values that the operation
    takes beside those in the path and the body.
    """
    if key is None:
        return None
    realm = principal_of(request.scope).realm
    own = f"{realm}:{key}" if realm else key
    return IdempotencyKey(own, _fingerprint(request, body, further))


def _fingerprint(request: Request, body: BaseModel | None, further: Mapping[str, Any]) -> str:
    # Of the parsed body, as a client may write the same content differently. Without the prefix
    # that a proxy strips, so that a key stays valid when ROOT_PATH changes.
    content = body.model_dump(mode="json", exclude_unset=True) if body else None
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    asked = [request.method, path, content, *([further] if further else [])]
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
