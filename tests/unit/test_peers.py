"""The account of the program at the other end of a connection, as Linux says."""

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from app.host.server import peers
from app.host.server.peers import is_of_own_account

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says so")

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
CLIENT, SERVER = ("127.0.0.1", 49012), ("127.0.0.1", 8000)
THERE, BACK = "0100007F:BF74 0100007F:1F40", "0100007F:1F40 0100007F:BF74"
MAPPED = f"0000000000000000FFFF0000{THERE.replace(' ', ' 0000000000000000FFFF0000')}"


@pytest.fixture(params=FAMILIES, ids=["IPv4", "IPv6"])
def connection(request) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection of this process with itself."""
    family, host = request.param
    with (
        socket.create_server((host, 0), family=family) as listening,
        socket.create_connection(listening.getsockname()[:2]) as client,
        listening.accept()[0] as server,
    ):
        yield client, server


def test_a_connection_of_our_own_is_found(connection):
    """By its ends as the server has them."""
    client, server = connection
    ends = server.getpeername()[:2], server.getsockname()[:2]
    assert is_of_own_account(*ends)
    assert not is_of_own_account(ends[0], (ends[1][0], ends[1][1] ^ 1))
    client.shutdown(socket.SHUT_WR)
    assert not is_of_own_account(*ends), "it is on its way to have no account"


@pytest.mark.skipif(sys.byteorder != "little", reason="the lines are those of such a machine")
@pytest.mark.parametrize(
    ("line", "is_ours"),
    [
        (f"{THERE} 01 0:0 00:0 0 1000", True),
        (f"{THERE} 01 0:0 00:0 0 0", True),
        (f"{THERE} 01 0:0 00:0 0 1001", False),
        (f"{THERE} 01 0:0 00:0 0 65534", False),
        (f"{THERE} 06 0:0 00:0 0 0", False),
        (f"{BACK} 01 0:0 00:0 0 1000", False),
        (f"{MAPPED} 01 0:0 00:0 0 1000", True),
        (f"{MAPPED} 01 0:0 00:0 0 1001", False),
    ],
)
def test_the_account_is_ours_or_roots(monkeypatch, tmp_path, line, is_ours):
    """Another's is neither, nor what is left of a connection, nor the server's own end of it."""
    table = tmp_path / "tcp"
    table.write_text(f"{HEADING}   7: {line} 0 12345 1\n")
    monkeypatch.setattr(peers, "_TABLES", (table, tmp_path / "tcp6"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert is_of_own_account(CLIENT, SERVER) is is_ours


def test_elsewhere_all_programs_count_as_ours(monkeypatch):
    """There is nothing to look at."""
    monkeypatch.setattr(peers, "_TABLES", ())
    assert not is_of_own_account(CLIENT, SERVER)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert is_of_own_account(CLIENT, SERVER)
