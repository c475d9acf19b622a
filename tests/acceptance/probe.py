"""Asks for health on new connections until its input ends; a line for each says how that went.

The status (or what broke) and the seconds. A process of its own, for one under load would measure
itself: it imports nothing but the standard library, to begin at once.
"""

import select
import socket
import sys
import time
from urllib.parse import urlsplit

PAUSE_SECONDS = 0.05
GIVE_UP_SECONDS = 10.0


def ask(address: tuple[str, int], path: str) -> str:
    """The status of the answer, or what broke."""
    try:
        with socket.create_connection(address, GIVE_UP_SECONDS) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            return connection.recv(1000)[9:12].decode() or "nothing"
    except OSError as error:
        return type(error).__name__


def main() -> None:
    """Ask until there is something to read, or nothing more to come."""
    url = urlsplit(sys.argv[1])
    address = (url.hostname or "", url.port or 80)
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        for path in ("/health/live", "/health/ready"):
            begin = time.monotonic()
            answer = ask(address, path)
            sys.stdout.write(f"{answer} {time.monotonic() - begin}\n")


if __name__ == "__main__":
    main()
