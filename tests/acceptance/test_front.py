"""The nginx of compose.yaml and of the chart, before real processes that each have one role."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.fronts import FRONT, front, needs
from tests.acceptance.services import ROOT, Service, await_that

pytestmark = needs("nginx")

ALICE = {"id": "alice", "name": "Alice Smith", "email": "alice@example.com"}
PARAMETERS = {
    "user_id": "alice",
    "name": "user_profiles",
    "number": "1",
    "key": "alice",
    "verification_id": "1",
    "stream_id": "user-alice",
    "code": "forbidden",
}
BODIES = {
    "/users": ALICE,
    "/users/{user_id}": {"name": "Alice Smith"},
    "/admin/projections/{name}/builds": {"take_over": "on-request"},
    "/admin/projections/{name}/verifications": {},
}
SERVED = {"users", "admin", "projections", "problems"}
"""How the paths begin; users stand for all contexts."""

ROLES = ("commands", "queries", "projector")
HOSTS = "users.example.com,127.0.0.1"


def operations() -> Iterator[tuple[str, str, Any]]:
    """Every method of every such path of the document, and a body that is taken."""
    document = json.loads((ROOT / "openapi.json").read_text("utf-8"))
    for path, item in document["paths"].items():
        if path.split("/")[1] not in SERVED:
            continue
        filled_in = re.sub(r"\{(.*?)\}", lambda each: PARAMETERS[each[1]], path)
        for method in {"get", "post", "put", "patch", "delete"} & item.keys():
            body = BODIES.get(path) if "requestBody" in item[method] else None
            yield method.upper(), filled_in, body
        if "get" in item:
            yield "HEAD", filled_in, None


@pytest.fixture
def processes(start, urls) -> dict[str, Service]:
    """A process for each role."""
    options = {"first": True, "LOG_LEVEL": "error", "ALLOWED_HOSTS": HOSTS}
    started = {role: start(ROLES=role, **options, **urls) for role in ROLES}
    return {role: each.await_serving() for role, each in started.items()}


def test_each_request_reaches_the_role_that_answers_it(processes):
    """No operation is answered 421; without its process, the answer says that there is none."""
    with (
        front(**{role: each.url for role, each in processes.items()}) as url,
        httpx.Client(base_url=url, timeout=10, trust_env=False) as client,
    ):
        write_and_read(client)
        answers = [client.request(*each[:2], json=each[2]) for each in operations()]
        assert [f"{each.request} {each.text}" for each in answers if not is_handled(each)] == []
        assert len(answers) > 30
        assert "</html>" in client.get("/console", follow_redirects=True).text
        assert stays_inside(client)

        with processes["commands"].client as direct:  # what the routing avoids
            assert direct.get("/users/alice").status_code == 421
        assert health(processes["commands"]) == health(processes["queries"]) == 0
        assert health(processes["commands"], "/health/ready?role=queries") == 1
        processes["commands"].stop()
        assert health(processes["commands"]) == 1
        refused = client.patch("/users/alice", json={"name": "Alice Stone"})
        assert (refused.status_code, refused.headers["Content-Type"], refused.json()["status"]) == (
            502,
            "application/problem+json",
            502,
        )
        assert client.get("/users/alice").json()["name"] == "Alice Smith"


def test_clients_are_known_by_their_addresses(echo):
    """Behind another proxy, too: each has limits of its own, and roles get the address."""
    slow = re.sub(r"rate=200r/s", "rate=1r/m", FRONT.read_text("utf-8")).replace("burst=400", "")
    with (
        front(slow, commands=echo, queries=echo, projector=echo) as url,
        httpx.Client(base_url=url, timeout=10, trust_env=False) as client,
    ):
        forged = {"X-Forwarded-For": "192.0.2.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
        sent = client.get("/users", headers=forged).json()
        assert sent["X-Forwarded-For"] == "192.0.2.1, 203.0.113.7, 203.0.113.7"
        assert (sent["X-Forwarded-Proto"], sent["Host"]) == ("https", urlsplit(url).netloc)
        refused = client.get("/users", headers=forged)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert client.get("/users", headers={"X-Forwarded-For": "203.0.113.8"}).is_success


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that answers with the headers it gets; its URL."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(dict(self.headers)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def write_and_read(client: httpx.Client) -> None:
    """Register a user, follow the Location with the token, and see the stream send it at once."""
    written = client.post("/users", json=ALICE)
    assert (written.status_code, written.headers["Location"]) == (201, "/users/alice")
    token = {"Consistency-Token": written.headers["Consistency-Token"]}
    assert client.get("/users/alice", headers=token).json() == written.json()
    with client.stream("GET", "/changes") as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        client.patch("/users/alice", json={"bio": "A bio."})
        assert any(each.startswith("data:") for each in lines)
    await_that(lambda: client.get("/users/alice").json()["bio"] == "A bio.", "never read")


def is_handled(answer: httpx.Response) -> bool:
    """Whether a process has looked at it, and at more than its form."""
    return "X-Request-Id" in answer.headers and answer.status_code not in {421, 422}


def health(process: Service, *path: str) -> int:
    """The exit status of the image's health check, of a service that is called by a name."""
    script = str(ROOT / "deploy/docker/check_health.py")
    settings = {"PORT": process.port, "ALLOWED_HOSTS": HOSTS}
    command = [sys.executable, "-I", script, *path]
    return subprocess.run(command, env=settings, check=False, stderr=subprocess.PIPE).returncode


def stays_inside(client: httpx.Client) -> bool:
    """Whether health and metrics of a process are none of the outside's business."""
    paths = ("/health/live", "/health/ready", "/metrics", "//metrics", "/%6detrics", "/health/")
    return {client.get(each).status_code for each in paths} == {404}
