"""Addresses of clients.

They are those of the connection, or, if that comes from a proxy in FORWARDED_ALLOW_IPS, those that
the proxy names: the server has put them into the scope.
"""

import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

_CACHED = 4096


def client_address(scope: Mapping[str, Any]) -> str | None:
    """The address of the client; None if it is unknown."""
    found = _parsed(_host(scope))
    return None if found is None else str(found)


def client_network(scope: Mapping[str, Any]) -> str | None:
    """What limits count as one client: an address, of IPv6 its /64, which one client has whole.

    None if it is unknown.
    """
    return _network(_host(scope))


def _host(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return client[0] if client else ""


@functools.lru_cache(_CACHED)
def _network(host: str) -> str | None:
    address = _parsed(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return None if address is None else str(address)


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
