"""The account of the program at the other end of a connection on this machine."""

import os
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOCAL, _REMOTE, _STATE, _ACCOUNT = 1, 2, 3, 7  # their columns
_ESTABLISHED = "01"  # one that ended no longer has an account, and shows root's
_ROOT = 0

_End = tuple[IPv4Address | IPv6Address, int]


def is_of_own_account(client: tuple[str, int], server: tuple[str, int]) -> bool:
    """Whether the program that connected from `client` to `server` has our account, or is root's.

    Only Linux says so; elsewhere every program on this machine counts as one of ours.
    """
    if sys.platform != "linux":
        return True
    ours = {_ROOT, os.geteuid()}
    wanted = _end(*client), _end(*server)
    return any(ends == wanted and account in ours for ends, account in _connections())


def _connections() -> Iterator[tuple[tuple[_End, _End], int]]:
    """The ends of each connection of this machine, and the account at the first."""
    for table in _TABLES:
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[_STATE] == _ESTABLISHED:
                ends = _parsed(columns[_LOCAL]), _parsed(columns[_REMOTE])
                yield ends, int(columns[_ACCOUNT])


def _parsed(written: str) -> _End:
    digits, _, port = written.partition(":")
    given = bytes.fromhex(digits)
    words = [given[start : start + 4] for start in range(0, len(given), 4)]
    packed = b"".join(each[::-1] if sys.byteorder == "little" else each for each in words)
    return _end(ip_address(packed).compressed, int(port, 16))


def _end(host: str, port: int) -> _End:
    address = ip_address(host)
    # A socket of IPv6 may have an address of IPv4.
    return getattr(address, "ipv4_mapped", None) or address, port
