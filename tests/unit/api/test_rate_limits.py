"""Rate limits: who pays for a request, how much, and what its client gets to know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.bootstrap import policies_of
from app.framework.http import rate_limits
from app.framework.http.application import Access
from app.framework.http.buckets import Rate
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import InvalidToken
from tests.unit.api.service import application

FEW = Rate(a_minute=1, burst=20)
"""Little comes back during a test."""

SCOPES = frozenset({"users:read:any", "users:list", "users:admin", "changes:read"})


class Tokens:
    """Accepts tokens of principals, and counts how many it verified. Implements Authenticator."""

    trouble = None

    def __init__(self) -> None:
        self.verified = 0
        self.expired: set[str] = set()

    async def authenticate(self, token: str) -> Principal:
        """The principal of this name, unless it is `bad` or has expired."""
        self.verified += 1
        if token in self.expired:
            raise InvalidToken("It has expired.")
        if token.startswith("bad"):
            raise InvalidToken("It is bad.")
        return Principal(kind=PrincipalKind.USER, issuer="i", subject=token, scopes=SCOPES)

    async def open(self) -> None:
        """Nothing is needed."""

    async def close(self) -> None:
        """Nothing was taken."""


@pytest.fixture
def tokens() -> Tokens:
    """What verifies the tokens of a test."""
    return Tokens()


@pytest.fixture(autouse=True)
def short_delays(monkeypatch) -> None:
    """Refusals that are held back take no time of the tests."""
    monkeypatch.setattr(rate_limits, "REFUSAL_SECONDS", 0.01)


@pytest.fixture
def limited(service, tokens) -> Callable[..., object]:
    """Makes clients of one application, each with a token and an address."""

    def make(rate: Rate = FEW, authenticator=tokens):
        api = application(
            service,
            access=Access(authenticator=authenticator, policies=policies_of(), rate=rate),
        )

        @asynccontextmanager
        async def client(
            token: str = "", address: str = "192.0.2.7"
        ) -> AsyncIterator[httpx.AsyncClient]:
            transport = httpx.ASGITransport(api, client=(address, 1))
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://diptych", headers=headers
            ) as made:
                yield made

        return client

    return make


def left(answer: httpx.Response) -> int:
    """The units that an answer says are left."""
    return int(answer.headers["RateLimit"].split(";")[1].removeprefix("r="))


@pytest.mark.parametrize(
    ("method", "path", "cost"),
    [
        ("GET", "/users/alice", 1),
        ("HEAD", "/users/alice", 1),
        ("GET", "/users/alice?as_of=2026-03-14T12:00:00Z", 10),
        ("GET", "/users/alice?x=1&as_of%5Fversion=1", 10),
        ("GET", "/users/alice?%61s_of=", 10),
        ("GET", "/users/alice?q=as_of=", 1),
        ("GET", "/users", 5),
        ("GET", "/users?q=ali", 5),
        ("GET", "/users/alice/history", 5),
        ("PUT", "/users/alice", 2),
        ("POST", "/users/alice/deactivate", 2),
        ("POST", "/nowhere", 2),
        ("GET", "/nowhere", 1),
        ("GET", "/projections", 1),
    ],
)
async def test_a_request_costs_what_it_takes(limited, method, path, cost):
    """By its operation and its parameters, however they are written."""
    async with limited()("alice") as client:
        answer = await client.request(method, path)
    assert left(answer) == FEW.burst - cost


async def test_who_has_used_up_the_limit_is_refused(limited):
    """With a problem that says when to come again, as the draft wants it; others go on."""
    client = limited(Rate(a_minute=60, burst=20))
    async with client("alice") as alice, client("bob") as bob:
        for _ in range(4):
            found = await alice.get("/users")
            assert found.headers["RateLimit-Policy"] == '"principal";q=20;w=20'
        assert found.headers["RateLimit"] == '"principal";r=0;t=1'
        refused = await alice.put("/users/alice", json={"name": "x"})
        assert (await bob.get("/users/alice")).status_code == 404
    assert refused.status_code == 429
    assert refused.json()["code"] == "too-many-requests"
    assert refused.json()["detail"].endswith("Send it again in 2 s.")
    assert refused.headers["Retry-After"] == "2"
    assert refused.headers["RateLimit"] == '"principal";r=0;t=2'
    assert refused.headers["Cache-Control"] == "no-store"


async def test_a_principal_pays_wherever_it_is(limited):
    """And with any of its tokens; its address pays nothing."""
    client = limited()
    async with client("alice", "192.0.2.1") as one, client("alice", "192.0.2.2") as other:
        await one.get("/users")
        assert left(await other.get("/users/alice")) == FEW.burst - 6
    async with client("", "192.0.2.1") as stranger:
        assert left(await stranger.get("/users")) == FEW.burst - 1


async def test_an_address_pays_for_requests_without_a_token(limited):
    """Its 401s say what is left; then it is refused, unless it comes with a token."""
    client = limited()
    async with client() as stranger, client("alice") as alice, client("", "192.0.2.8") as other:
        answers = [await stranger.get("/users/alice") for _ in range(21)]
        assert [each.status_code for each in answers] == [401] * 20 + [429]
        assert answers[0].headers["RateLimit-Policy"] == '"address";q=20;w=1200'
        assert answers[0].headers["WWW-Authenticate"] == "Bearer"
        assert (await other.get("/users/alice")).status_code == 401
        # It was never seen before, so it would have to be verified.
        assert (await alice.get("/users/alice")).status_code == 429


async def test_bad_tokens_are_not_verified_for_ever(limited, tokens):
    """The address pays for them; tokens that were accepted before are, from the same address."""
    client = limited()
    async with client("alice") as alice, client("bad") as bad:
        assert (await alice.get("/users/alice")).status_code == 404
        answers = [await bad.get("/users/alice") for _ in range(6)]
        assert [each.status_code for each in answers] == [401] * 4 + [429] * 2
        assert tokens.verified == 5
        assert (await alice.get("/users/alice")).status_code == 404
        # What is public is served without the token, and not for nothing.
        assert (await bad.get("/health/ready")).status_code == 200
        assert (await bad.get("/problems")).status_code == 429
        assert tokens.verified == 6


async def test_a_client_that_repeats_an_expired_token_takes_little_from_its_address(
    limited, tokens
):
    """Others there can come with tokens of their own; and it is refused in the end."""
    client = limited()
    async with client("alice") as alice, client("bob") as bob:
        await alice.get("/users/alice")
        tokens.expired.add("alice")
        answers = [await alice.get("/users/alice") for _ in range(15)]
        assert {each.status_code for each in answers} == {401}
        assert (await bob.get("/users/alice")).status_code == 404
        answers = [await alice.get("/users/alice") for _ in range(6)]
        assert [each.status_code for each in answers] == [401] * 5 + [429]


async def test_without_authentication_addresses_pay_for_everything(limited):
    """There is nothing else to know clients by."""
    client = limited(authenticator=None)
    async with client("", "2001:db8::1") as one, client("", "2001:db8::2") as other:
        await one.get("/users")
        answer = await other.get("/users/alice")
    assert answer.headers["RateLimit"] == '"address";r=14;t=60'


@pytest.mark.parametrize(
    ("peer", "forwarded", "other"),
    [
        # Not a proxy: what it says is not believed.
        ("203.0.113.9", "198.51.100.1", "198.51.100.2"),
        # A proxy, which puts the address of its client behind what the client sent.
        ("10.0.0.1", "198.51.100.1, 192.0.2.7", "198.51.100.2, 192.0.2.7"),
        ("10.0.0.1", "10.0.0.2, 192.0.2.7", "198.51.100.2, 192.0.2.7, 10.0.0.3"),
    ],
)
async def test_an_address_cannot_be_forged(service, tokens, peer, forwarded, other):
    """Requests with different X-Forwarded-For are paid for by the one address they came from."""
    access = Access(authenticator=tokens, policies=policies_of(), rate=FEW)
    # As the server puts it around the application.
    inner: Any = application(service, access=access)
    api: Any = ProxyHeadersMiddleware(inner, "10.0.0.0/24")
    transport = httpx.ASGITransport(api, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        given = [{"X-Forwarded-For": each} for each in (forwarded, other)]
        found = [left(await client.get("/users", headers=each)) for each in given]
    assert found == [FEW.burst - 1, FEW.burst - 2]


async def test_without_a_limit_answers_say_nothing_of_one(limited):
    """And nothing is refused."""
    async with limited(rate=None)("alice") as client:
        answers = [await client.get("/users") for _ in range(30)]
    assert {each.status_code for each in answers} == {200}
    assert "RateLimit" not in answers[0].headers


async def test_health_is_never_refused(limited):
    """Not to an address that has used up its limit, nor one that asks for nothing else."""
    async with limited()() as client:
        for _ in range(30):
            await client.get("/users")
        answers = [await client.get("/health/live") for _ in range(22)]
    assert {each.status_code for each in answers} == {200}


async def test_probes_of_one_that_asks_too_often_are_answered_later(limited, monkeypatch):
    """So they cost others little."""
    monkeypatch.setattr(rate_limits, "PROBE_SECONDS", 0.2)
    loop = asyncio.get_running_loop()
    async with limited(Rate(1, 10))() as client:
        for _ in range(10):
            await client.get("/health/live")
        began = loop.time()
        await client.get("/health/live")
    assert loop.time() - began >= 0.1


async def test_one_that_has_many_held_back_loses_its_connection(limited, monkeypatch):
    """It cannot keep all connections of the service."""
    monkeypatch.setattr(rate_limits, "HELD", 2)
    monkeypatch.setattr(rate_limits, "REFUSALS", Rate(a_minute=1, burst=1))
    monkeypatch.setattr(rate_limits, "REFUSAL_SECONDS", 1.0)  # none is answered before all are sent
    async with limited()("alice") as client:
        while (await client.get("/users")).status_code != HTTPStatus.TOO_MANY_REQUESTS:
            pass
        answers = await asyncio.gather(*(client.get("/users") for _ in range(5)))
        assert {each.status_code for each in answers} == {429}
        closed = [each for each in answers if each.headers.get("Connection") == "close"]
        assert len(closed) == 3
        again = await client.get("/users")
        assert "Connection" not in again.headers
