"""The Idempotency-Key of a request, and the answer to a repeat.

As the draft standard of the IETF has it (draft-ietf-httpapi-idempotency-key-header).
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator

from fastapi import Request, Response
from pydantic import BaseModel

from app.eventsourcing import IdempotencyKey, idempotent


@contextlib.contextmanager
def carried_out_once(
    key: str | None, request: Request, body: BaseModel | None, response: Response
) -> Iterator[None]:
    """Have the command sent within carried out once for all requests with this `key`.

    `response` says so if it had been before.
    """
    if key is None:
        yield
        return
    with idempotent(IdempotencyKey(key, _fingerprint(request, body))) as command:
        yield
    if command.replayed:
        response.headers["Idempotency-Replayed"] = "true"


def _fingerprint(request: Request, body: BaseModel | None) -> str:
    # Of what the body says: a client may write the same thing in another way. Without the prefix
    # that a proxy strips: a key stays valid when ROOT_PATH changes.
    content = body.model_dump(mode="json", exclude_unset=True) if body else None
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    asked = json.dumps([request.method, path, content], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
