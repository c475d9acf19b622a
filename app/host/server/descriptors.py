"""File descriptors, of which each connection takes one."""

import logging
import resource
from pathlib import Path

ENOUGH = 65_536
"""More than the service has a use for; the limit is raised no further."""

CONNECTIONS = 10_000
"""How many connections of clients there may be, if there are descriptors for them."""

RESERVE = 64
"""How many descriptors are kept for what the process itself opens: connections to the databases,
files."""

_LEAST = 16

_logger = logging.getLogger(__name__)


def raise_limit() -> None:
    """Let this process and those it starts open as many files as they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_bound() -> int:
    """How many connections of clients there may be, with what is open by now."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return CONNECTIONS
    bound = limit - sum(1 for _ in Path("/dev/fd").iterdir()) - RESERVE
    if bound >= CONNECTIONS:
        return CONNECTIONS
    bound = max(bound, _LEAST)
    _logger.warning(
        "At most %d connections at once, because at most %d files may be open (ulimit -n).",
        bound,
        limit,
    )
    return bound
