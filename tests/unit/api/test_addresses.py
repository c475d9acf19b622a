"""What counts as one client, where no principal is known."""

import pytest

from app.framework.http.addresses import client_address, client_network


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("unix", "unix", True),
        ("x" * 64, "x" * 70_000, True),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(one, other, alike):
    """Of which each client has one to itself."""
    networks = [client_network({"client": (each, 1)}) for each in (one, other)]
    assert (networks[0] == networks[1]) == alike


def test_without_an_address_a_client_is_unknown():
    """And a name, which a proxy may send, is no address."""
    assert client_network({"client": None}) is None
    assert client_network({}) is None
    assert client_address({"client": ("alice@example.com", 0)}) is None
    assert client_address({"client": ("::ffff:10.0.0.1", 0)}) == "10.0.0.1"
