"""How many cores this process may use."""

import contextlib
import math
import os
from pathlib import Path
from typing import Any

_CGROUPS = Path("/sys/fs/cgroup")


def cores(cgroups: Path = _CGROUPS) -> int:
    """The cores that the affinity and the quota of this process allow, at least one.

    A container with a limit sees all the cores of its machine, and may use the time of a few.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    quota = _quota(cgroups)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def parsed_workers(value: Any) -> Any:
    """The number of workers that the setting `value` stands for."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word == "auto":
        return cores()
    if not word.isdecimal():
        raise ValueError(f"{value} is no number; use 1 or more, or auto for one a core")
    return int(word)


def _quota(cgroups: Path) -> float | None:
    """How many cores' time the control group allows; None without a limit."""
    # Version 2 has both numbers in one file, version 1 has a file for each.
    for files in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        with contextlib.suppress(OSError, ValueError):
            quota, period = " ".join((cgroups / each).read_text() for each in files).split()
            if quota not in {"max", "-1"}:
                return int(quota) / int(period)
    return None
