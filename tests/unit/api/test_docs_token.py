"""The token that Swagger UI gets in development, and to whom it is not handed."""

from dataclasses import replace

import httpx
import pytest

from app.main import NO_AUTHENTICATION
from tests.unit.api.service import MemoryService, application

HOST = "127.0.0.1:8000"
OWN = {"Host": HOST, "Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}


def client_of(make_token, **options) -> httpx.AsyncClient:
    """A client of an application that makes tokens for its page."""
    access = replace(NO_AUTHENTICATION, docs_token=make_token)
    transport = httpx.ASGITransport(application(MemoryService(), access=access, **options))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}")


@pytest.fixture(scope="module")
async def client():
    """A client of an application whose tokens are all the same, and which allows much."""
    async with client_of(lambda _: "secret", origins=frozenset({"*"})) as made:
        yield made


@pytest.mark.parametrize("host", [HOST, "localhost:8000", "[::1]:8000", "127.0.0.2", "LOCALHOST"])
async def test_the_page_gets_one(client, host):
    """By the addresses of this machine; no cache may keep it."""
    answer = await client.post("/docs/token", headers={"Host": host, "Origin": f"http://{host}"})
    assert (answer.status_code, answer.json()) == (200, {"token": "secret"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": HOST},
        {**OWN, "Origin": "null"},
        {**OWN, "Origin": "https://evil.example"},
        {**OWN, "Origin": "http://127.0.0.1:9000"},
        {**OWN, "Origin": "http://localhost:8000"},
        {**OWN, "Origin": f"https://{HOST}"},
        {**OWN, "Host": "evil.example:8000", "Origin": "http://evil.example:8000"},
        {**OWN, "Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"},
        {**OWN, "Host": "10.0.0.7:8000", "Origin": "http://10.0.0.7:8000"},
        {**OWN, "X-Forwarded-For": "127.0.0.1:49012"},
        {**OWN, "Forwarded": "for=127.0.0.1"},
        {**OWN, "X-Real-IP": "127.0.0.1"},
        {**OWN, "X-Envoy-Internal": "true"},
        {**OWN, "Via": "1.1 proxy"},
    ],
    ids=str,
)
async def test_others_get_none(client, headers):
    """Neither pages of other origins or names, nor what comes through a proxy, nor programs.

    Not even if the settings allow all hosts and all origins, as here.
    """
    answer = await client.post("/docs/token", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "origin-not-allowed"
    assert "secret" not in answer.text


async def test_a_name_that_was_bound_anew_gets_nothing_at_all():
    """On loopback the service answers for its own names only."""
    hosts = frozenset({"127.0.0.1"})
    async with client_of(lambda _: "secret", hosts=hosts) as client:
        evil = {"Host": "localhost:8000", "Origin": "http://localhost:8000"}
        assert (await client.post("/docs/token", headers=evil)).status_code == 421


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
async def test_it_takes_a_method_that_has_an_origin(client, method):
    """Browsers send none with GET."""
    answer = await client.request(method, "/docs/token", headers={"Host": HOST})
    assert answer.status_code == 405
    assert "secret" not in answer.text


async def test_a_program_of_another_account_gets_none():
    """What connects is looked at, and that is up to who makes the tokens."""
    async with client_of(lambda _: None) as client:
        assert (await client.post("/docs/token", headers=OWN)).status_code == 403


async def test_elsewhere_the_page_asks_for_none():
    """It would be an error in the browser's console."""
    async with client_of(None) as client:
        assert 'name="token"' not in (await client.get("/docs")).text
        assert (await client.post("/docs/token", headers=OWN)).status_code == 404
    async with client_of(lambda _: "secret") as client:
        page = (await client.get("/docs")).text
    assert '<meta name="token" content="docs/token">' in page
    assert "secret" not in page
