"""A service behind proxies that keep all they may: what is read through one is never old."""

import contextlib
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from app import IDENTIFIER
from tests.acceptance.fronts import needs, nginx, varnish
from tests.acceptance.services import issuer_of

_CACHE = "proxy_cache_path {folder}/cache keys_zone=all:1m;"
_LOCATION = """
    location / {{
        proxy_pass {url};
        proxy_cache all;
        proxy_cache_valid any 10m;
        proxy_set_header If-None-Match $http_if_none_match;
        add_header X-Cache $upstream_cache_status always;
    }}
"""


_BY_VARY = "proxy_ignore_headers Cache-Control Expires;"

OWN = ("users:register", "users:read", "users:write")


@contextlib.contextmanager
def careless_nginx(url: str) -> Iterator[str]:
    """An nginx that ignores Cache-Control, keeps everything and heeds Vary alone; its URL."""
    with nginx(_LOCATION.format(url=url), f"{_CACHE}{_BY_VARY}") as front:
        yield front


@contextlib.contextmanager
def caching_nginx(url: str) -> Iterator[str]:
    """An nginx that keeps what says nothing of caching for ten minutes; its URL."""
    with nginx(_LOCATION.format(url=url), _CACHE) as front:
        yield front


def is_from_cache(answer: httpx.Response) -> bool:
    """Whether one of the two proxies answered it from what it had kept."""
    return answer.headers.get("X-Cache") == "HIT" or " " in answer.headers.get("X-Varnish", "")


@pytest.fixture
def caches(serve) -> Iterator[dict[str, httpx.Client]]:
    """Clients of one service, through an nginx and through a Varnish."""
    service = serve(LOG_LEVEL="error")
    with contextlib.ExitStack() as stack:

        def client(front: Callable[[str], contextlib.AbstractContextManager[str]]) -> httpx.Client:
            url = stack.enter_context(front(service.url))
            return stack.enter_context(httpx.Client(base_url=url, timeout=20, trust_env=False))

        yield {"nginx": client(caching_nginx), "varnish": client(varnish)}


@needs("nginx", "varnishd")
def test_what_is_read_through_a_cache_is_never_old(caches):
    """With a token it holds the write; HEAD and 304 work; only what may be kept is kept."""
    for name, client in caches.items():
        alice = {"id": name, "name": "Alice", "email": f"{name}@example.com"}
        written = client.post("/users", json=alice)
        for number in range(5):
            read_back(client, written)
            written = client.patch(f"/users/{name}", json={"name": f"Alice {number}"})
            assert written.status_code == 200
        read_back(client, written)
        check_conditional_reads(client, f"/users/{name}")
        check_refusals(client, written.headers["Consistency-Token"])
        check_documents(client)


def read_back(client: httpx.Client, written: httpx.Response) -> None:
    """Read with the token of a write; twice, since what is kept would be there by then."""
    headers = {"Consistency-Token": written.headers["Consistency-Token"]}
    path = f"/users/{written.json()['id']}"
    for _ in range(2):
        read = client.get(path, headers=headers)
        assert read.json() == written.json()
        head = client.head(path, headers=headers)
        assert (head.status_code, head.headers["ETag"]) == (200, written.headers["ETag"])
        assert head.headers["Content-Length"] == str(len(read.content))
        listed = client.get("/users", headers=headers).json()["items"]
        assert written.json()["name"] in [each["name"] for each in listed]
        assert not is_from_cache(read)


def check_conditional_reads(client: httpx.Client, path: str) -> None:
    """See that what holds still is 304, of GET and of HEAD."""
    tag = client.get(path).headers["ETag"]
    for method in ("GET", "HEAD"):
        same = client.request(method, path, headers={"If-None-Match": tag})
        other = client.request(method, path, headers={"If-None-Match": '"1"'})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        assert (other.status_code, other.headers["ETag"]) == (200, tag)


def check_refusals(client: httpx.Client, token: str) -> None:
    """See that who was not there is found once registered."""
    body = {"name": "Late", "email": f"late-{token.lower()}@example.com", "id": f"late-{token}"}
    path = f"/users/{body['id']}"
    assert client.get(path).status_code == 404
    registered = client.post("/users", json=body)
    headers = {"Consistency-Token": registered.headers["Consistency-Token"]}
    assert client.get(path, headers=headers).status_code == 200


def check_documents(client: httpx.Client) -> None:
    """See that the proxy does keep what it may: the files of Swagger UI."""
    found = re.search(r"docs/[0-9a-f]{16}/swagger-ui\.css", client.get("/docs").text)
    assert found
    assert [is_from_cache(client.get(f"/{found[0]}")) for _ in range(2)] == [False, True]


@needs("nginx", "varnishd")
@pytest.mark.parametrize("front", [caching_nginx, careless_nginx, varnish])
def test_no_principal_gets_the_answer_to_another(serve, front):
    """Each is answered by its own token, in turns, also by a cache that heeds Vary alone."""
    service = serve(AUTH="", LOG_LEVEL="error")
    issuer = issuer_of(service)

    def authorized(subject: str, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {issuer.token(subject, scopes, IDENTIFIER)}"}

    people = {each: authorized(each, *OWN) for each in ("alice", "bob")}
    operator = authorized("operator", "projections:read")
    with front(service.url) as url, httpx.Client(base_url=url, trust_env=False) as client:
        ids = {each: registered(client, each, people[each]) for each in people}
        expected = {
            **{
                (f"/users/{ids[it]}", whose): 200 if it == whose else 403
                for it in ids
                for whose in ids
            },
            **{("/users/me", each): 200 for each in ids},
        }
        for _ in range(2):
            for (path, whose), status in expected.items():
                answer = client.get(path, headers=people[whose])
                assert answer.status_code == status
                assert answer.json().get("id") == (ids[whose] if status == 200 else None)
                assert client.get(path).status_code == 401
            for headers in ({}, operator, people["alice"]):
                check_readiness(client, headers, is_detailed=headers is operator)
                allowed = client.get("/projections", headers=headers).status_code == 200
                assert allowed is (headers is operator)


def registered(client: httpx.Client, name: str, headers: dict[str, str]) -> str:
    """Register the user of a token; the id of the profile, which the views hold then."""
    body = {"name": name, "email": f"{name}@example.com"}
    written = client.post("/users", json=body, headers=headers)
    token = {"Consistency-Token": written.headers["Consistency-Token"]}
    assert client.get("/users/me", headers=headers | token).json() == written.json()
    return str(written.json()["id"])


def check_readiness(client: httpx.Client, headers: dict[str, str], *, is_detailed: bool) -> None:
    """See that the details of readiness are for operators alone."""
    checks = client.get("/health/ready", headers=headers).json()["checks"]
    assert any(each["detail"] for each in checks) is is_detailed
