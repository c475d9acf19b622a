"""Requests for other hosts, from other origins or with paths of two meanings are refused."""

import json
from urllib.parse import unquote

import pytest

from tests.unit.api.conftest import ALICE
from tests.unit.api.service import MemoryService, application

HOST = ("host", "diptych.example")
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
APP = frozenset({"https://app.example.com"})
DEACTIVATE = "/users/user123/deactivate"


@pytest.fixture
async def service():
    """A service with one user."""
    service = MemoryService()
    status, _, _ = await ask(application(service), "POST", "/users", [HOST], body=ALICE)
    assert status == 201
    return service


async def ask(app, method, target, headers, *, version="1.1", body=None):
    """The status, headers and body that answer a request with exactly these headers."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = [*headers, ("content-type", "application/json")] if content else headers
    path, _, query = target.partition("?")
    sent = []

    async def receive():
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": version,
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    await app(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    text = b"".join(each.get("body", b"") for each in sent[1:])
    return sent[0]["status"], answered, json.loads(text) if text.startswith(b"{") else text


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8000", "localhost.", "127.0.0.1:80", "127.0.0.1:", "[::1]:8000"],
)
async def test_a_host_that_is_allowed_is_answered_at_any_port(service, host):
    """However it is written; ports may be forwarded."""
    api = application(service, hosts=LOCAL)
    assert (await ask(api, "GET", "/health/live", [("host", host)]))[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", "127.0.0.2", ""])
@pytest.mark.parametrize("path", ["/users/user123", "/docs", "/nowhere"])
async def test_dns_rebinding_reads_nothing(service, host, path):
    """A name that somebody else points here is refused, whatever is asked for."""
    api = application(service, hosts=LOCAL)
    status, _, problem = await ask(api, "GET", path, [("host", host)])
    assert (status, problem["code"]) == (421, "host-not-allowed")


@pytest.mark.parametrize("hosts", [None, LOCAL])
@pytest.mark.parametrize(
    "lines",
    [
        [],
        [("host", "localhost"), ("host", "localhost")],
        [("host", "localhost"), ("accept", "*/*"), ("host", "evil.example")],
        [("host", "local host")],
        [("host", "user@localhost")],
        [("host", "localhost:http")],
        [("host", "localhost/")],
        [("host", "[::1")],
        [("host", "::1")],
        [("host", "l\u00f6calhost")],
        [("host", "localhost"), ("origin", "null"), ("origin", "http://localhost")],
    ],
)
async def test_no_host_or_two_is_malformed(service, hosts, lines):
    """400, and the connection is closed (RFC 9112, 3.2), whichever hosts are allowed."""
    api = application(service, hosts=hosts)
    status, headers, problem = await ask(api, "GET", "/users/user123", lines)
    assert (status, problem["code"]) == (400, "malformed-request")
    assert headers["connection"] == "close"


async def test_http_1_0_may_leave_the_host_out(service):
    """As health checks of old balancers do; what they name has to be allowed all the same."""
    api = application(service, hosts=LOCAL)
    assert (await ask(api, "GET", "/health/live", [], version="1.0"))[0] == 200
    other = [("host", "evil.example")]
    assert (await ask(api, "GET", "/health/live", other, version="1.0"))[0] == 421


FOREIGN = [
    [("origin", "http://evil.example")],
    [("origin", "https://diptych.example.evil.example")],
    [("origin", "http://diptych.example:8080")],
    [("origin", "http://app.example.com")],
    [("origin", "null")],
    [("origin", "")],
    [("origin", "chrome-extension://diptych.example")],
    [("sec-fetch-site", "cross-site")],
    [("sec-fetch-site", "cross-site"), ("origin", "http://diptych.example")],
    [("sec-fetch-site", "same-site"), ("origin", "http://other.example")],
    [("sec-fetch-site", "none"), ("origin", "http://other.example")],
]
OWN = [
    [],
    [("origin", "http://diptych.example")],
    [("origin", "https://DIPTYCH.example:443")],
    [("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")],
    [("sec-fetch-site", "same-origin"), ("origin", "https://public.example")],
    [("sec-fetch-site", "none")],
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_pages_of_other_origins_change_nothing(service, headers):
    """403 for each method that changes state; what reads is answered as ever."""
    api = application(service, origins=APP)
    for method, path in [("POST", DEACTIVATE), ("PUT", "/users/user123"), ("PATCH", "/users/x")]:
        status, _, problem = await ask(api, method, path, [HOST, *headers], body={"bio": "x"})
        assert (status, problem["code"]) == (403, "origin-not-allowed")
    assert await service.log.head() == 1
    await service.project()
    assert (await ask(api, "GET", "/users/user123", [HOST, *headers]))[0] == 200


@pytest.mark.parametrize("headers", OWN, ids=str)
async def test_the_services_own_pages_and_those_allowed_write(service, headers):
    """And whatever is no browser. A proxy may end TLS, or put its own name into Host."""
    api = application(service, origins=APP)
    assert (await ask(api, "POST", DEACTIVATE, [HOST, *headers]))[0] == 200


async def test_any_origin_may_write_where_all_are_allowed(service):
    """`*` in CORS_ORIGINS says so."""
    api = application(service, origins=frozenset({"*"}))
    headers = [HOST, ("origin", "null"), ("sec-fetch-site", "cross-site")]
    status, answered, _ = await ask(api, "POST", DEACTIVATE, headers)
    assert (status, answered["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize(
    "path",
    [
        "/users/user123%2Fdeactivate",
        "/users/user123%2fdeactivate",
        "/users%2Fuser123%2Fdeactivate",
        "/%2Fusers/user123/deactivate",
        "/users/user123%252Fdeactivate",
        "/users/user123%25252fdeactivate",
        "/users/user123%5Cdeactivate",
        "/users/user123\\deactivate",
        "/users/user123%00/deactivate",
        "/users/user123%0A/deactivate",
        "/users/user123/deactivate%7f",
        "/users/x/../user123/deactivate",
        "/users/x/%2e%2E/user123/deactivate",
        "/users/./user123/deactivate",
        "/users/../deactivate",
        "/users/user123/deactivate/.",
        "//users/user123/deactivate",
        "/users//deactivate",
        "/users/user123//deactivate",
        "/users/user123/deactivate/",
        "/users/user123/deactivate;x=1",
        "/users;x/user123/deactivate",
    ],
)
async def test_a_path_that_can_be_read_in_two_ways_leads_nowhere(service, path):
    """404 by every method: what a proxy decides by path must hold for the path served."""
    api = application(service)
    for method in ("GET", "POST", "PATCH"):
        status, _, problem = await ask(api, method, path, [HOST], body={"bio": "x"})
        assert (status, problem["code"]) == (404, "not-found")
    assert await service.log.head() == 1


@pytest.mark.parametrize("path", ["/users/user123;x/deactivate", "/users/%E2%88%95/deactivate"])
async def test_what_is_no_id_reaches_no_user(service, path):
    """Parameters of a segment, and characters that only look like a slash, are part of the id."""
    status, _, problem = await ask(application(service), "POST", path, [HOST])
    assert (status, problem["errors"][0]["pointer"]) == (422, "path/user_id")


@pytest.mark.parametrize("path", ["/%75sers/user123", "/users/%75ser123", "/users/user%31%32%33"])
async def test_encoded_letters_mean_the_same(service, path):
    """RFC 3986, 6.2.2.2; so does every proxy have it."""
    await service.project()
    status, _, profile = await ask(application(service), "GET", path, [HOST])
    assert (status, profile["id"]) == (200, "user123")
