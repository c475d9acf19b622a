"""Limits of file descriptors; each connection takes one."""

import logging
import resource
from pathlib import Path

ENOUGH = 65_536
"""The service needs no more; the limit is raised no further."""

CONNECTIONS = 10_000
"""The most connections of clients, if there are descriptors for them."""

RESERVE = 64
"""Descriptors that are reserved for connections to databases and for files."""

_LEAST = 16

_logger = logging.getLogger(__name__)


def raise_limit() -> None:
    """Raise the limit of open files of this process and its children as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_bound() -> int:
    """The most connections of clients, given the files that are open now."""
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
