"""The audit log: who did what, to what, and how it ended, as one JSON object a line.

It has ids and no values: no part of a profile, no text of a search, no token and no key.
"""

import enum
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from app import IDENTIFIER
from app.framework.observability import timestamps
from app.framework.observability.handlers import AuditFile, StandardError, write_only_to
from app.framework.principal import Principal, PrincipalKind

LOGGER = "app.audit"

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""The form of ids: neither an e-mail address nor a JWT has it."""

_CREDENTIALS = re.compile(rf"{IDENTIFIER}_[0-9A-Za-z]+_|eyJ[\w-]+\.", re.ASCII)
"""The beginnings of API keys and of JWTs."""

_log = logging.getLogger(LOGGER)


class AuditOutcome(enum.StrEnum):
    """How something ended.

    DONE: as asked.
    REFUSED: nothing was changed.
    FAILED: whether something was changed is not known.
    """

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


def audit(
    operation: str | None,
    outcome: AuditOutcome,
    *,
    principal: Principal | None = None,
    address: str | None = None,
    resource: Mapping[str, str] | None = None,
    request_id: str | None = None,
    **further: str | int | None,
) -> None:
    """Write a line, unless it cannot be written: that is no error.

    Args:
        operation: its id in the OpenAPI document, or the command; None if there is no such
            operation.
        outcome: how it ended.
        principal: who sent it; None if that is not known.
        address: where it came from; written only if the principal is not known.
        resource: the ids of what it is about, by the names of their parameters. What has another
            form than an id is left out: it may be an address or a token.
        request_id: as in the lines of the log.
        further: members of this kind of line; None is left out.

    """
    if not _log.isEnabledFor(logging.INFO):
        return
    line = {
        "timestamp": timestamps.now(),
        "logger": LOGGER,
        "operation": operation,
        "outcome": outcome.value,
        "principal": _described(principal, address),
        "resource": _with_form(resource or {}),
        "request_id": request_id,
        **further,
    }
    known = {name: it for name, it in line.items() if it is not None}
    try:
        text = to_json(known, ensure_ascii=True).decode()
    except PydanticSerializationError:  # of what is no text, as the name of an account may be
        text = json.dumps(known, separators=(",", ":"))
    # `info` looks for its caller, which takes as long as all of this.
    _log.handle(logging.LogRecord(LOGGER, logging.INFO, "", 0, text, None, None))


def direct(file: Path | None) -> None:
    """Append the lines to `file`, which may be rotated, or write them to standard error.

    Their form and level do not depend on those of the log.
    """
    write_only_to(AuditFile(file) if file else StandardError(), _log)


def has_credentials(text: str) -> bool:
    """Whether a text that clients choose, an id for one, has an API key or a JWT in it."""
    return _CREDENTIALS.search(text) is not None


def _with_form(resource: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: value
        for name, value in resource.items()
        if _ID.fullmatch(value) and not has_credentials(value)
    }


def _described(principal: Principal | None, address: str | None) -> Mapping[str, Any]:
    if principal is None or principal.kind is PrincipalKind.ANYONE:
        return {"kind": PrincipalKind.ANYONE.value} | ({"address": address} if address else {})
    known = {"issuer": principal.issuer, "subject": principal.subject}
    return {"kind": principal.kind.value} | {name: value for name, value in known.items() if value}
