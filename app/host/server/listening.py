"""The socket that the service listens on."""

import errno
import socket
import sys

UNTAKEN_SECONDS = 30
"""How long a client may not read its answer. The kernels of both sides buffer megabytes, so nothing
else would show it, and a stream would keep its place for ever."""


class CannotListen(Exception):
    """The service cannot listen on the address; the message names HOST or PORT and the cause."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            message = f"PORT: {address} is in use; stop what listens there, or set another PORT"
        elif error.errno == errno.EACCES:
            message = f"PORT: listening on {address} is not permitted; set a PORT from 1024 up"
        else:
            message = f"HOST: {host} cannot be listened on: {error.strerror or error}"
        super().__init__(message)


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address; it does not listen yet.

    Raises:
        CannotListen: the address is in use, not permitted or unknown.

    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(host, port, error) from error
    except UnicodeError as error:  # a part of it is empty or too long
        raise CannotListen(host, port, OSError("it is no name of a host")) from error
    try:
        # Old connections of an earlier run do not block the address.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":  # only Linux has this limit; connections inherit it
            bound.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNTAKEN_SECONDS * 1000)
            )
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise CannotListen(host, port, error) from error
    return bound


def base_url(bound: socket.socket) -> str:
    """The address of `bound` for a browser on this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound to
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
