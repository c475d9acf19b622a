"""The processes that this one can know of, and what they do together."""

import os
import re
import socket
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from app.framework.administration import ProjectionDetails
from app.framework.http.sessions import PREFIX
from app.framework.observability.metrics.declarations import full_name
from app.framework.observability.metrics.slots import LIVE_SECONDS, Report

_DURATIONS = "http_server_request_duration_seconds"
_REFUSALS = full_name("rate_limit_refusals_total")
_READS = ("GET", "HEAD")
_OF_OPERATORS = (PREFIX, "/health", "/metrics")
"""Prefixes of the routes that watch the service: to look at it must not seem a load."""

_UNANSWERED = re.compile("401|403|429|5..")
"""The statuses of reads that were refused, or failed."""


@dataclass(slots=True)
class KnownProcess:
    """A process of the service.

    name: among the processes that share a port; empty for one elsewhere.
    is_silent: whether it has reported nothing for some seconds.
    roles: those that it has; none of one elsewhere are known.
    """

    host: str
    pid: str
    name: str = ""
    is_here: bool = False
    is_silent: bool = False
    roles: Sequence[str] = ()
    builds: list[str] = field(default_factory=list)


def known_processes(
    reports: Collection[Report],
    read_at: float,
    roles: Collection[str],
    projections: Iterable[ProjectionDetails],
) -> Sequence[KnownProcess]:
    """Those that share a port with this one, and those anywhere that work on builds.

    Args:
        reports: of those that share a port.
        read_at: when they were read, in seconds since the epoch.
        roles: of the service at this port; a process that is named like one has that one alone.
        projections: those that are stored.

    """
    host = socket.gethostname()
    others = sorted(set(roles) - {each.process for each in reports})
    found: dict[tuple[str, str], KnownProcess] = {}
    for each in reports:
        place = host, str(each.pid)
        found[place] = KnownProcess(
            *place,
            each.process,
            is_here=each.pid == os.getpid(),
            is_silent=each.at + LIVE_SECONDS <= read_at,
            roles=[each.process] if each.process in roles else others,
        )
    for build in (build for each in projections for build in each.builds):
        if build.holder is not None:
            of_host, pid = ([*build.holder.rsplit(":", 2), "", ""])[:2]
            process = found.setdefault((of_host, pid), KnownProcess(of_host, pid))
            process.builds.append(f"{build.projection} {build.number}")
    return sorted(found.values(), key=lambda it: (not it.is_here, it.host, it.pid))


def reads_of(reports: Iterable[Report]) -> int:
    """How many reads the processes that share a port have answered; the number never goes back.

    Those that were refused, or failed, have no answer: an outage and a flood must not seem reads.
    """
    return sum(
        sum(counts)
        for each in reports
        for (_, method, route, status), (counts, _) in each.states.get(_DURATIONS, ())
        if method in _READS and route and not route.startswith(_OF_OPERATORS)
        if not _UNANSWERED.fullmatch(status)
    )


def refusals_of(reports: Iterable[Report]) -> int:
    """How many requests they have refused, of clients over their limit."""
    return sum(count for each in reports for _, count in each.states.get(_REFUSALS, ()))
