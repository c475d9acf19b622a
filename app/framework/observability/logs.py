"""Logging: every line, also those of libraries, in one form on standard error.

Lines may contain text of clients, for example in paths. Control characters are escaped, so such
text cannot forge a line or control the terminal.
"""

import io
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from app.framework.observability import access_log, audit, tracing
from app.framework.observability.handlers import StandardError
from app.framework.request import logged_request_id

_TOO_TALKATIVE = ("alembic", "asyncio", "pymongo", "uvicorn")
"""Libraries that log warnings and errors only."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line separators, and controls of the direction of text."""


def configure(level: str, form: Literal["console", "json"], audit_log: Path | None = None) -> None:
    """Send log lines of `logging` and `structlog` to standard error.

    Lines carry the ids of the current request and its trace. Those of the audit log go to the file
    `audit_log`, if there is one.
    """
    audit.direct(audit_log)
    access_log.direct()
    shared: list[Processor] = [
        _add_ids,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(form))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _add_ids(_: object, __: str, entry: EventDict) -> EventDict:
    if ids := logged_request_id.get():
        entry["request_id"], internal_id = ids
        if internal_id != entry["request_id"]:
            entry["internal_request_id"] = internal_id
    if traced := tracing.current_ids():
        entry["trace_id"], entry["span_id"] = traced
    return entry


def _rendering(form: Literal["console", "json"]) -> list[Processor]:
    cleaned: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _without_colours,
    ]
    if form == "json":
        return [
            *cleaned,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(_safe_json, ensure_ascii=False, default=str),
        ]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr is not None and sys.stderr.isatty(),
        exception_formatter=_indented_traceback,
    )
    return [*cleaned, _safe_texts, console]


def _without_colours(_: object, __: str, entry: EventDict) -> EventDict:
    """The line without uvicorn's second copy of it in colour."""
    entry.pop("color_message", None)
    return entry


def escaped(text: str) -> str:
    """`text` with its control characters escaped."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _safe_texts(_: object, __: str, entry: EventDict) -> EventDict:
    for key, value in entry.items():
        if isinstance(value, str) and key != "stack":
            entry[key] = escaped(value.rstrip("\n"))
    return entry


def _safe_json(entry: EventDict, **options: Any) -> str:
    written = json.dumps(entry, **options)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _indented_traceback(out: TextIO, error: ExcInfo) -> None:
    """Write a traceback whose lines cannot be taken for lines of the log.

    A plain one: richer ones show local variables, which may hold passwords and personal data.
    """
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, error)
    out.writelines(f"\n  {escaped(line)}" for line in plain.getvalue().strip("\n").split("\n"))
