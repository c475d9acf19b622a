"""Logging: every line, whoever writes it, in one form on standard error."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor

_TOO_TALKATIVE = ("alembic", "asyncio", "pymongo", "uvicorn")
"""Libraries of which only warnings and worse are worth a line."""


def configure(level: str, form: Literal["console", "json"]) -> None:
    """Send what is logged through `logging` or `structlog` to standard error.

    Lines carry the context variables bound with structlog, the request id for one.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
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
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    # Plain tracebacks: richer ones show local variables, and with them passwords and persons.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [*cleaned, console]


def _without_colours(_: object, __: str, entry: EventDict) -> EventDict:
    """The line without uvicorn's second copy of it in colour."""
    entry.pop("color_message", None)
    return entry
