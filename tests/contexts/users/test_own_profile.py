"""A person has one profile of her own, under an id that her token determines."""

import pytest

from tests.contexts.identity import ALL_SCOPES, authorization
from tests.contexts.promises import code_of

OWN = ("users:register", "users:read", "users:write")
ALICE = {"name": "Alice", "email": "alice@example.com"}


async def registered(client, subject: str, **body: str) -> str:
    """Has a person register, and returns the id of the profile."""
    answer = await client.post("/users", json=ALICE | body, headers=authorization(subject, *OWN))
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def test_a_person_registers_reads_and_changes_what_is_hers(client, service):
    """Without naming her id, which later tokens lead to as well."""
    made = await registered(client, "alice")
    await service.project()
    later = authorization("alice", *OWN)
    mine = await client.get("/users/me", headers=later)
    assert (mine.status_code, mine.json()["id"]) == (200, made)
    renamed = await client.patch(f"/users/{made}", json={"name": "Al"}, headers=later)
    assert renamed.json()["name"] == "Al"


async def test_another_persons_profile_is_forbidden_as_one_that_is_not_there(client, service):
    """With the same words, so that nothing is given away."""
    made = await registered(client, "alice")
    await service.project()
    bob = authorization("bob", *OWN)
    for method, body in [("GET", None), ("PATCH", {"name": "Al"})]:
        answers = [
            await client.request(method, f"/users/{each}", json=body, headers=bob)
            for each in (made, "nobody")
        ]
        assert [code_of(each) for each in answers] == [(403, "forbidden")] * 2
        assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_a_person_registers_under_no_other_id(client):
    """An administrator does."""
    named = ALICE | {"id": "alice"}
    mine = await client.post("/users", json=named, headers=authorization("bob", *OWN))
    assert code_of(mine) == (403, "forbidden")
    others = await client.post("/users", json=named, headers=authorization("x", "users:admin"))
    assert others.status_code == 201


@pytest.mark.parametrize("subject", ["alice@example.com", "me", "a" * 65])
async def test_a_name_that_is_no_id_owns_nothing(client, subject):
    """A token may bring any; only an administrator has another id made then."""
    for scopes, status in ((OWN, 403), ((*OWN, "users:admin"), 201)):
        headers = authorization(subject, *scopes)
        answer = await client.post("/users", json=ALICE, headers=headers)
        assert answer.status_code == status, answer.text
    mine = await client.get("/users/me", headers=authorization(subject, *OWN))
    assert code_of(mine) == (404, "user-not-found")


async def test_without_a_profile_there_is_none_to_get(client):
    """A person may not have registered yet."""
    answer = await client.get("/users/me", headers=authorization("alice", *OWN))
    assert code_of(answer) == (404, "user-not-found")


async def test_events_record_for_whom_and_by_which_request(client, service):
    """The client's request id may be another's, too; the internal one is not."""
    for subject in ("alice", "bob"):
        headers = authorization(subject, *OWN) | {"X-Request-Id": "same"}
        body = ALICE | {"email": f"{subject}@example.com"}
        assert (await client.post("/users", json=body, headers=headers)).status_code == 201
    first, second = [each.metadata for each in await service.log.read(after=0, limit=10)]
    assert (first.actor, second.actor) == (
        "user urn:development alice",
        "user urn:development bob",
    )
    assert first.correlation_id == second.correlation_id == "same"
    assert first.causation_id != second.causation_id


async def test_one_key_of_two_people_is_two_keys(client):
    """Neither gets the other's answer."""
    for subject in ("alice", "bob"):
        headers = authorization(subject, *OWN) | {"Idempotency-Key": "1"}
        body = ALICE | {"email": f"{subject}@example.com"}
        answer = await client.post("/users", json=body, headers=headers)
        assert (answer.status_code, answer.json()["email"]) == (201, body["email"])


async def test_an_administrator_who_is_a_person_owns_a_profile_too(client):
    """All scopes do not change whose it is."""
    made = await registered(client, "alice")
    headers = authorization("alice", *ALL_SCOPES)
    again = await client.post("/users", json=ALICE, headers=headers)
    assert code_of(again) == (409, "user-already-exists")
    assert again.json()["detail"].count(made) == 1
