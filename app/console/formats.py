"""How values are written on a page."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_UNKNOWN = "\u2013"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def number(value: float | None) -> str:
    """A number, as in the words of errors; a dash if it is not known."""
    if value is None:
        return _UNKNOWN
    digits = 0 if value >= 10 or value == round(value) else 1  # noqa: PLR2004
    return f"{value:,.{digits}f}"


def rate(value: float | None) -> str:
    """A rate, in something a second."""
    return _UNKNOWN if value is None else f"{number(value)}/s"


def duration(seconds: float | None) -> str:
    """A span of time, in its largest unit."""
    if seconds is None:
        return _UNKNOWN
    if seconds < _MINUTE:
        return f"{round(seconds)} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"{round(seconds / _HOUR)} h"
    return f"{round(seconds / _DAY)} days"


def ago(time: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was."""
    if time is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - time).total_seconds()
    return "just now" if seconds < 2 else f"{duration(seconds)} ago"  # noqa: PLR2004


def utc(time: datetime) -> str:
    """A time to the millisecond."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03}"


def clock(time: datetime) -> str:
    """The time of day, to the millisecond."""
    return utc(time)[11:]


def plain(value: Any) -> str:
    """A value of a document, on one line if it is short."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return utc(value)
    return json.dumps(value, ensure_ascii=False, default=_default, indent=None)


def pretty(value: Any) -> str:
    """A document, as JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, default=_default, indent=2)


def _default(value: object) -> object:
    return utc(value) if isinstance(value, datetime) else str(value)


FILTERS: Mapping[str, Any] = {
    "number": number,
    "rate": rate,
    "duration": duration,
    "ago": ago,
    "utc": utc,
    "clock": clock,
    "plain": plain,
    "pretty": pretty,
}
