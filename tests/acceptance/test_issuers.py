"""Tokens of a real issuer, in good times and in bad ones."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from app.adapters.identity.tokens import derived_user_id
from tests.acceptance.issuers import OidcProvider
from tests.acceptance.services import UNMEASURED, Service
from tests.unit.identity.issuing import AUDIENCE

REQUESTS = 40
"""How many are made between any two events."""

SCOPES = "users:register users:read users:write"


@pytest.fixture
def issuer() -> Iterator[OidcProvider]:
    """An issuer that runs."""
    issuer = OidcProvider()
    try:
        issuer.start()
        yield issuer
    finally:
        issuer.stop()


@pytest.fixture
def service(serve: Callable[..., Service], issuer: OidcProvider) -> Service:
    """A service that trusts it."""
    return serve(AUTH="", AUTH_ISSUERS=issuer.url, AUTH_AUDIENCES=AUDIENCE, **UNMEASURED)


def bearer(token: str) -> dict[str, str]:
    """The header with a token."""
    return {"Authorization": f"Bearer {token}"}


def test_a_person_owns_a_profile_and_a_program_none(service, issuer):
    """By the tokens of the code flow with PKCE, and of client credentials."""
    tokens = issuer.tokens_of_user("alice", SCOPES)
    alice, mine = bearer(tokens["access_token"]), derived_user_id(issuer.url, "alice")
    program = bearer(issuer.token_of_client(f"{SCOPES} users:list"))
    body = {"name": "Alice", "email": "alice@example.com"}
    with service.client as client:
        registered = client.post("/users", headers=alice, json={"id": mine, **body})
        assert registered.status_code == 201, registered.text
        token = {"Consistency-Token": registered.headers["Consistency-Token"]}
        assert client.get(f"/users/{mine}", headers={**alice, **token}).json()["name"] == "Alice"
        assert client.get("/users", headers=alice).status_code == 403
        assert client.get("/users", headers=program).status_code == 200
        for path in (f"/users/{mine}", f"/users/{derived_user_id(issuer.url, 'program')}"):
            assert client.get(path, headers=program).status_code == 403
        refused = client.get(f"/users/{mine}", headers=bearer(tokens["id_token"]))
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid-token")


class Load:
    """Requests of the tokens of an issuer and of a forger; `answered` counts them.

    No two tokens are the same, so each is verified.
    """

    def __init__(self, client: httpx.AsyncClient, issuer: OidcProvider) -> None:
        self.answered = Counter[tuple[str, int]]()
        self._client, self._issuer = client, issuer
        self._path = f"/users/{derived_user_id(issuer.url, 'alice')}"
        self._forger = OidcProvider()
        self._forger.url = issuer.url
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, whose: str, token: str) -> None:
        """Count the answer to a request."""
        answer = await self._client.get(self._path, headers=bearer(token))
        self.answered[whose, answer.status_code] += 1

    def begin(self, key: str) -> None:
        """Make requests with tokens of that key, and forged ones, until `end`."""
        self._tasks += [asyncio.create_task(self._go_on(key)) for _ in range(2)]

    async def end(self) -> None:
        """Make no more requests."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _go_on(self, key: str) -> None:
        while True:
            await self.ask("the issuer's", self._issuer.token(key=key))
            await self.ask("the forger's", self._forger.token(kid=key))

    async def see(self, requests: int) -> None:
        """Wait for that many further requests."""
        until = self.answered.total() + requests
        while self.answered.total() < until:
            await asyncio.sleep(0.01)
            for each in self._tasks:
                assert not each.done(), each


async def test_keys_change_and_the_issuer_goes_away_under_load(service, issuer):
    """Meanwhile no request is wrongly refused or let in."""
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        load = Load(client, issuer)
        await load.ask("the issuer's", issuer.token())
        load.begin("one")
        await load.see(REQUESTS)
        for key in ("two", "three"):
            issuer.stop()
            await load.see(REQUESTS)
            issuer.rotate(key)
            await asyncio.to_thread(issuer.start)
            await load.ask("the issuer's", await asyncio.to_thread(issuer.token_of_client, SCOPES))
            load.begin(key)
            await load.see(REQUESTS)
        issuer.stop()
        issuer.rotate("four")
        await load.ask("too new", issuer.token(key="four"))
        await load.see(REQUESTS)
        await load.end()
    expected = {
        ("the issuer's", 404),  # no user is registered
        ("the issuer's", 403),  # programs own nothing
        ("the forger's", 401),
        ("too new", 503),
    }
    assert load.answered.keys() == expected, load.answered
