"""Principals side by side: neither sees, nor changes, what the other is answered."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.adapters.identity.tokens import LEEWAY_SECONDS, derived_user_id
from tests.acceptance.issuers import LoopbackIssuer
from tests.acceptance.services import Service
from tests.unit.identity.issuing import AUDIENCE

KEYS = 20
LONG_KEY = "k" * 255
SECONDS = 10
"""For how long a stream is waited for."""


@pytest.fixture
def issuer() -> Iterator[LoopbackIssuer]:
    """An issuer that answers."""
    with LoopbackIssuer().serving() as issuer:
        yield issuer


@pytest.fixture
def service(serve: Callable[..., Service], issuer: LoopbackIssuer) -> Service:
    """A service that trusts it."""
    return serve(AUTH="", AUTH_ISSUERS=issuer.url, AUTH_AUDIENCES=AUDIENCE)


class Person:
    """A user, with a token for the own profile."""

    def __init__(self, issuer: LoopbackIssuer, name: str) -> None:
        scope = "users:register users:read users:write"
        self.id = derived_user_id(issuer.url, name)
        self.path = f"/users/{self.id}"
        self.headers = {"Authorization": f"Bearer {issuer.token({'sub': name, 'scope': scope})}"}
        self.body = {"name": name, "email": f"{name}@example.com"}

    async def rename(
        self, client: httpx.AsyncClient, key: str, name: str, **headers: str
    ) -> httpx.Response:
        """Write under an idempotency key."""
        sent = {**self.headers, **headers, "Idempotency-Key": key}
        return await client.patch(self.path, json={"name": name}, headers=sent)


async def test_principals_see_nothing_of_each_other(service, issuer):
    """They use the same idempotency keys at once, and each other's cursors and tokens."""
    people = [Person(issuer, each) for each in ("alice", "bob", "carol")]
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        await register(client, people)
        for replayed in (False, True):
            await rename(client, people, replayed=replayed)
        for program in ("alice", "bob"):
            claims = {"sub": program, "client_id": program, "scope": "users:admin"}
            headers = {"Authorization": f"Bearer {issuer.token(claims)}"}
            answer = await people[0].rename(client, "k0", "N0", **headers)
            assert answer.status_code == 200, answer.text
            assert "Idempotency-Replayed" not in answer.headers
        alice, bob, _ = people
        await follow_cursors(client, alice, bob, answer.headers["Consistency-Token"])


async def register(client: httpx.AsyncClient, people: list[Person]) -> None:
    """All at once, with the same key."""

    async def one(person: Person) -> httpx.Response:
        headers = {**person.headers, "Idempotency-Key": LONG_KEY}
        return await client.post("/users", json={"id": person.id, **person.body}, headers=headers)

    answers = await asyncio.gather(*(one(each) for each in people))
    assert [each.json()["id"] for each in answers] == [each.id for each in people]


async def rename(client: httpx.AsyncClient, people: list[Person], *, replayed: bool) -> None:
    """Often, all at once, with the same keys and the same bodies."""
    asked = [(person, number) for number in range(KEYS) for person in people]
    writes = [person.rename(client, f"k{number}", f"N{number}") for person, number in asked]
    for (person, number), answer in zip(asked, await asyncio.gather(*writes), strict=True):
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["id"], found["name"]) == (person.id, f"N{number}")
        assert found["email"] == person.body["email"]
        assert ("Idempotency-Replayed" in answer.headers) is replayed


async def follow_cursors(client: httpx.AsyncClient, alice: Person, bob: Person, token: str) -> None:
    """Of one's own history, of another's, and one that is made of both."""

    async def page(whose: Person, reader: Person, **parameters: str) -> httpx.Response:
        headers = {**reader.headers, "Consistency-Token": token}
        return await client.get(f"{whose.path}/history", params=parameters, headers=headers)

    whole = (await page(bob, bob, limit="100")).json()["items"]
    of_alice = (await page(alice, alice, limit="1")).json()["next_cursor"]
    of_bob = (await page(bob, bob, limit="1")).json()["next_cursor"]
    refused = await page(bob, bob, cursor=of_alice)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-cursor")
    made = [decoded(of_bob)[0], *decoded(of_alice)[1:]]
    forged = await page(bob, bob, cursor=encoded(made), limit="100")
    assert all(each in whole for each in forged.json()["items"])
    for cursor in (of_alice, of_bob, encoded(made)):
        assert (await page(alice, bob, cursor=cursor)).status_code == 403


def decoded(cursor: str) -> list[Any]:
    """What a cursor says."""
    return list(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))


def encoded(parts: list[Any]) -> str:
    """A cursor that says that."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


async def test_a_stream_ends_when_its_token_expires(service, issuer):
    """Within a few seconds, and with no event from then on; others go on."""
    expires_at = int(time.time()) - LEEWAY_SECONDS + 3
    short = issuer.token({"scope": "changes:read", "exp": expires_at})
    long = issuer.token({"scope": "changes:read"})
    alice = Person(issuer, "alice")
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=SECONDS) as client:

        async def follow(token: str, opened: asyncio.Event) -> str:
            headers = {"Authorization": f"Bearer {token}"}
            async with client.stream("GET", "/changes", headers=headers) as answer:
                assert answer.status_code == 200
                text = ""
                async for each in answer.aiter_text():
                    opened.set()
                    text += each
                    if "UserRegistered" in text:
                        break
            return text

        opened = [asyncio.Event(), asyncio.Event()]
        ends, goes_on = (
            asyncio.create_task(follow(*each)) for each in zip((short, long), opened, strict=True)
        )
        await asyncio.gather(*(each.wait() for each in opened))
        assert "UserRegistered" not in await ends
        assert time.time() < expires_at + LEEWAY_SECONDS + SECONDS
        refused = await client.get("/changes", headers={"Authorization": f"Bearer {short}"})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid-token")
        assert not goes_on.done()
        await register(client, [alice])
        assert "UserRegistered" in await goes_on
