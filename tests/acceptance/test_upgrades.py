"""Clients and proxies that offer an upgrade, in front of a service that takes none."""

import json
import socket
import subprocess
import time
from urllib.parse import urlsplit

from tests.acceptance.fronts import needs, nginx
from tests.acceptance.services import SECONDS, await_that

ALICE = {"id": "alice", "name": "Alice", "email": "alice@example.com"}
WEBSOCKET_RECIPE = """
location / {{
    proxy_pass {url};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_request_buffering off;
    limit_except GET POST {{ deny all; }}
}}
"""
RENAMING = json.dumps({"name": "Mallory"})
SMUGGLED = (
    "PATCH /users/alice HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(RENAMING)}\r\n\r\n{RENAMING}"
).encode()
HEAD = (
    "POST /users/nobody/deactivate HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\n"
    f"Upgrade: %s\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n"
)


@needs("curl")
def test_curl_with_http2_posts_a_body(serve):
    """It offers h2c with every request of plain HTTP, and is answered in HTTP/1.1."""
    service = serve()
    quiet = ["--silent", "--show-error", "--http2", "--max-time", "10"]
    said = subprocess.run(
        [
            *("curl", *quiet, "--include", "--json", json.dumps(ALICE), f"{service.url}/users"),
            *("--next", *quiet, f"{service.url}/openapi.json"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith("HTTP/1.1 201 ")
    assert '"openapi":"3.1.0"' in said
    assert "pip install" not in service.log.read_text()
    assert service.stop() == 0


@needs("nginx")
def test_nginx_with_its_websocket_recipe_smuggles_nothing(serve):
    """A body is a body: nginx refuses the method that is in it, and the service never sees one."""
    service = serve()
    with nginx(WEBSOCKET_RECIPE.format(url=service.url)) as front, service.client as direct:
        assert direct.post(f"{front}/users", json=ALICE).status_code == 201
        assert direct.patch(f"{front}/users/alice", json={"name": "M"}).status_code == 403
        for offer in ("h2c", "websocket"):
            for milliseconds in range(10):
                said = sent_in_two(urlsplit(front).netloc, offer, milliseconds / 1000)
                assert said.startswith(b"HTTP/1.1 404 ")
        assert direct.post("/users", json={**ALICE, "id": "bob", "email": "b@example.com"})
        await_that(lambda: direct.get("/users/bob").status_code == 200, "never projected")
        assert direct.get("/users/alice").json()["version"] == 1
    assert service.stop() == 0


def sent_in_two(place: str, offer: str, seconds: float) -> bytes:
    """What is said to a POST with an upgrade, whose body comes a little later and is a PATCH."""
    host, _, port = place.partition(":")
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        connection.sendall((HEAD % offer).encode())
        time.sleep(seconds)  # as an attacker tries out what it takes
        connection.sendall(SMUGGLED)
        return b"".join(iter(lambda: connection.recv(65536), b""))
