"""Checks a URL of PostgreSQL; asyncpg would check it only when it connects."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_FORM = "expected the form postgresql://user:password@host:port/database"
_ESCAPE = "a character such as @ / ? # % in the user name or password must be escaped (%40)"

_HOST = re.compile(r"(?:/.*|\[[^\[\]]+\]|[^\[\]:/]*)(?::(?P<port>[^:]*))?")

_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "target_session_attrs": (
        "any",
        "primary",
        "standby",
        "prefer-standby",
        "read-write",
        "read-only",
    ),
}
_FILES = ("sslcert", "sslkey", "sslrootcert", "sslcrl")


def checked_url(url: str) -> str:
    """The URL itself, if it is valid; nothing is connected.

    PostgreSQL checks options that asyncpg does not know.

    Raises:
        ValueError: it is invalid; the message quotes nothing that could be a password.

    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(_FORM) from None
    names_one = parts.netloc or parts.path or parts.query
    if parts.scheme not in {"postgresql", "postgres"} or not names_one:
        raise ValueError(_FORM)
    user, _, hosts = parts.netloc.rpartition("@")
    # A wrong password shows in other parts: / ? and # end the part of the password.
    if "@" in user or parts.fragment or ("@" not in parts.netloc and "@" in parts.path):
        raise ValueError(_ESCAPE)
    options = _options(parts)
    number = _check_hosts(unquote(hosts) or options.get("host", ""))
    _check_ports(options.get("port", ""), number)
    _check_values(options)
    return url


def _options(parts: SplitResult) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError("its options must have the form ?name=value&name=value") from None


def _check_hosts(hosts: str) -> int:
    """Return how many there are."""
    each_host = hosts.split(",")
    for host in each_host:
        match = _HOST.fullmatch(host)
        if match is None or (not host and len(each_host) > 1):
            raise ValueError("its host must be a name or an address, one of IPv6 in [ ]")
        _check_ports(match["port"] or "", 1)
    return len(each_host)


def _check_ports(ports: str, hosts: int) -> None:
    """Ports are one for all the hosts, or one for each."""
    each_port = ports.split(",") if ports else []
    for port in each_port:
        if not port.isdecimal() or not 0 < int(port) <= 65535:  # noqa: PLR2004 - of TCP
            raise ValueError("its port must be a number from 1 to 65535")
    if len(each_port) > 1 and len(each_port) != hosts:
        raise ValueError("it must have one port, or as many as hosts")


def _check_values(options: Mapping[str, str]) -> None:
    for name, choices in _CHOICES.items():
        if options.get(name, choices[0]) not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}")
    for name in _FILES:
        if name in options and not Path(options[name]).is_file():
            raise ValueError(f"{name} names no file")
