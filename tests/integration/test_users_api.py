"""Users over HTTP, from PostgreSQL through the projector to MongoDB."""

import asyncio
from collections import Counter

import pytest

from tests.integration.conftest import caught_up, serving, shown

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}


def has(**members):
    """Whether an answer is a 200 with these members."""
    return lambda answer: answer.status_code == 200 and members.items() <= answer.json().items()


async def test_a_change_travels_from_put_to_get(client, settings):
    """A user is registered, renamed by PUT, and read with the new name and the old address."""
    registered = await client.post("/users", json=ALICE)
    renamed = await client.put("/users/user123", json={"name": "Alice Wonderland"})
    read = await shown(client, "/users/user123", has(name="Alice Wonderland"))
    listed = await shown(client, "/users", lambda it: "Wonderland" in it.text)
    unknown = await client.get("/users/nobody")

    assert (registered.status_code, renamed.status_code) == (201, 200)
    assert read.json() == renamed.json()
    assert read.json()["email"] == ALICE["email"]
    assert read.headers["ETag"] == renamed.headers["ETag"] == '"2"'
    summary = {"id": "user123", "name": "Alice Wonderland", "avatar_url": None}
    assert listed.json() == {"items": [summary], "next_cursor": None}
    assert unknown.status_code == 404
    assert unknown.json()["detail"] == "User with ID nobody not found."

    async with serving(settings) as next_client:
        assert (await next_client.get("/users/user123")).json() == read.json()


async def test_what_is_taken_is_refused(client):
    """An id, and an address in letters of whatever case, belong to one user."""
    await client.post("/users", json=ALICE)
    bob = {"id": "bob", "name": "Bob", "email": "bob@example.com"}

    same_id = await client.post("/users", json={**bob, "id": ALICE["id"]})
    same_email = await client.post("/users", json={**bob, "email": "ALICE@Example.COM"})
    await client.post("/users", json=bob)
    changed_to = await client.patch("/users/bob", json={"email": "aLiCe@example.com"})

    assert (same_id.status_code, same_id.json()["code"]) == (409, "user-already-exists")
    assert (same_email.status_code, same_email.json()["code"]) == (409, "email-taken")
    assert (changed_to.status_code, changed_to.json()["code"]) == (409, "email-taken")


async def test_an_address_given_up_is_free(client):
    """Once its user has another, or writes it otherwise, the claim follows."""
    await client.post("/users", json=ALICE)
    respelt = await client.patch("/users/user123", json={"email": "Alice@example.com"})
    moved = await client.patch("/users/user123", json={"email": "alice@example.org"})

    taken_over = await client.post("/users", json={**ALICE, "id": "other"})

    assert [each.status_code for each in (respelt, moved, taken_over)] == [200, 200, 201]


async def test_one_of_many_registrations_of_an_address_wins(client, log):
    """Of 64 at once, in letters of varied case, one gets 201 and the rest 409."""

    def spelt(number):
        local = "".join(
            letter.upper() if number >> place & 1 else letter
            for place, letter in enumerate("wanted")
        )
        return {"name": f"Number {number}", "email": f"{local}@example.com"}

    answers = await asyncio.gather(*(client.post("/users", json=spelt(it)) for it in range(64)))

    codes = Counter(each.json().get("code", each.status_code) for each in answers)
    assert codes == {201: 1, "email-taken": 63}
    assert await log.head() == 1


async def test_concurrent_updates_are_all_recorded_once(client, log):
    """Of 64 at once each answers 200 or 409 conflict; the history has the former, no hole."""
    await client.post("/users", json=ALICE)

    answers = await asyncio.gather(
        *(client.patch("/users/user123", json={"name": f"Name {it}"}) for it in range(64))
    )

    accepted = [each.json() for each in answers if each.status_code == 200]
    refused = [each.json()["code"] for each in answers if each.status_code != 200]
    assert accepted
    assert set(refused) <= {"conflict"}
    await _history_agrees(client, log, accepted)


async def test_concurrent_updates_through_two_processes(client, settings, log):
    """As before: what one process remembers of a user never hides what the other recorded."""
    async with serving(settings) as other:
        await client.post("/users", json=ALICE)

        async def update(number):
            chosen = (client, other)[number % 2]
            return await chosen.patch("/users/user123", json={"name": f"Name {number}"})

        answers = await asyncio.gather(*map(update, range(64)))

        accepted = [each.json() for each in answers if each.status_code == 200]
        refused = [each.json()["code"] for each in answers if each.status_code != 200]
        assert accepted
        assert set(refused) <= {"conflict"}
        await _history_agrees(client, log, accepted)


async def _history_agrees(client, log, accepted):
    head = await log.head()
    await caught_up(client, head)
    history = (await client.get("/users/user123/history?limit=200")).json()["items"]
    assert [each["version"] for each in history] == list(range(1, head + 1))
    recorded = {each["version"]: each["data"]["name"] for each in history[1:]}
    assert recorded == {each["version"]: each["name"] for each in accepted}
    profile = (await client.get("/users/user123")).json()
    assert (profile["version"], profile["name"]) == (head, recorded[head])


async def test_null_clears_and_left_out_stays(client):
    """Through the log and the view, as a merge patch says."""
    await client.post("/users", json={**ALICE, "bio": "Hi", "avatar_url": "https://example.com/a"})

    first = await client.patch("/users/user123", json={"bio": None})
    second = await client.put("/users/user123", json={"avatar_url": None, "name": "Al"})

    assert (first.json()["bio"], first.json()["avatar_url"]) == (None, "https://example.com/a")
    read = await shown(client, "/users/user123", has(version=second.json()["version"]))
    assert read.json() == second.json()
    assert has(bio=None, avatar_url=None, name="Al", email=ALICE["email"])(read)


async def test_an_update_that_changes_nothing_records_nothing(client, log):
    """It answers 200 with the version there was."""
    await client.post("/users", json=ALICE)

    answer = await client.patch("/users/user123", json={"name": ALICE["name"]})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert await log.head() == 1


async def test_a_deactivated_user(client):
    """Is closed to updates, out of the list of the active, and back when reactivated."""
    await client.post("/users", json=ALICE)
    await client.post("/users/user123/deactivate")
    refused = await client.put("/users/user123", json={"name": "Al"})

    await shown(client, "/users?status=deactivated", lambda it: len(it.json()["items"]) == 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "user-deactivated")
    assert (await client.get("/users")).json()["items"] == []
    again = await client.post("/users/user123/deactivate")
    assert (again.status_code, again.headers["ETag"]) == (200, '"2"')

    await client.post("/users/user123/reactivate")
    await shown(client, "/users", lambda it: len(it.json()["items"]) == 1)
    assert (await client.put("/users/user123", json={"name": "Al"})).status_code == 200


async def test_the_past_is_there(client):
    """By version and by time, each as the write answered it then."""
    names = ("Al", "Ali", "Alice")
    then = [
        await client.post("/users", json=ALICE),
        *[await client.patch("/users/user123", json={"name": name}) for name in names],
    ]
    await caught_up(client, 4)

    for version, written in enumerate(then, start=1):
        by_version = await client.get("/users/user123", params={"as_of_version": version})
        assert (by_version.json(), by_version.headers["ETag"]) == (written.json(), f'"{version}"')
    by_time = await client.get("/users/user123", params={"as_of": then[-1].json()["updated_at"]})
    assert by_time.json() == then[-1].json()
    for params in ({"as_of_version": 5}, {"as_of": "2001-01-01T00:00:00Z"}):
        answer = await client.get("/users/user123", params=params)
        assert (answer.status_code, answer.json()["code"]) == (404, "user-not-found")


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
async def test_pages_make_up_the_list(client, log, sort):
    """Nobody is missing and nobody there twice, in the order asked for, names alike or not."""
    names = ["Zo\u00eb Quinn", "zoe quinn", "Bo", "\u00c5se Berg", "$gt", "Bo", "\u674e\u660e"]
    for number, name in enumerate(names):
        body = {"id": f"u{number}", "name": name, "email": f"u{number}@example.com"}
        await client.post("/users", json=body)
    await caught_up(client, await log.head())

    ids, cursor = [], ""
    while cursor is not None:
        params = {"sort": sort, "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/users", params=params)).json()
        ids += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]

    whole = (await client.get("/users", params={"sort": sort})).json()["items"]
    assert ids == [each["id"] for each in whole]
    assert sorted(ids) == [f"u{number}" for number in range(len(names))]
    if sort == "created_at":
        assert ids == sorted(ids)


async def test_names_are_found_by_the_beginning_of_a_word(client, log):
    """Whatever the case and the accents; nothing else is."""
    for number, name in enumerate(["Zo\u00eb Quinn", "Joan Quincy", "Ann Zoellick", "Equinox"]):
        await client.post("/users", json={"name": name, "email": f"u{number}@example.com"})
    await caught_up(client, await log.head())

    async def found(q):
        page = (await client.get("/users", params={"q": q})).json()
        return [each["name"] for each in page["items"]]

    assert await found("ZOE") == ["Ann Zoellick", "Zo\u00eb Quinn"]
    assert await found("quin") == ["Joan Quincy", "Zo\u00eb Quinn"]
    assert await found("joan q") == ["Joan Quincy"]
    assert await found("x") == []
    assert await found("$ne") == []


async def test_a_history_is_paged(client, log):
    """The pages together are every event, oldest first, with what it changed."""
    await client.post("/users", json=ALICE)
    for number in range(6):
        await client.patch("/users/user123", json={"bio": f"Bio {number}"})
    await caught_up(client, await log.head())

    entries, cursor = [], ""
    while cursor is not None:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/users/user123/history", params=params)).json()
        entries += page["items"]
        cursor = page["next_cursor"]

    assert [each["version"] for each in entries] == [1, 2, 3, 4, 5, 6, 7]
    assert entries[0]["type"] == "UserRegistered"
    assert [each["data"] for each in entries[1:]] == [{"bio": f"Bio {it}"} for it in range(6)]


async def test_values_come_through_as_they_were_sent(client):
    """What means something to a database is text like any other."""
    hostile = {
        "name": "$set'; DROP TABLE events; --",
        "bio": '{"$ne": null} \\u0000 \t %s {0}',
        "avatar_url": "https://example.com/$where?$ne=';--",
    }
    await client.post("/users", json={**ALICE, **hostile})

    read = await shown(client, "/users/user123", has(version=1))

    assert hostile.items() <= read.json().items()
