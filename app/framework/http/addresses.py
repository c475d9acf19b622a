"""Addresses of clients.

They are those of the connection, or, if that comes from a proxy in FORWARDED_ALLOW_IPS, those that
the proxy names: the server has put them into the scope.
"""

import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

_CACHED = 4096
_LONGEST = 64


def client_address(scope: Mapping[str, Any]) -> str | None:
    """The address of the client; None if it is unknown."""
    return _address(_host(scope)[:_LONGEST])


def client_network(scope: Mapping[str, Any]) -> str | None:
    """What limits count as one client: an address, of IPv6 its /64, which one client has whole.

    None if it is unknown. A proxy may name clients otherwise: then it is the name.
    """
    host = _host(scope)[:_LONGEST]
    return _network(host) if host else None


def _host(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return client[0] if client else ""


@functools.lru_cache(_CACHED)
def _address(host: str) -> str | None:
    address = _parsed(host)
    return None if address is None else str(address)


@functools.lru_cache(_CACHED)
def _network(host: str) -> str:
    address = _parsed(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return host if address is None else str(address)


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
