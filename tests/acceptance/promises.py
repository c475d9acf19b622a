"""Puts what the API promises to a test at full size, over HTTP, on processes of their own.

    python -m tests.acceptance.promises tokens --writes 10000
    python -m tests.acceptance.promises keys --writes 1000
    python -m tests.acceptance.promises changes --users 1000
    python -m tests.acceptance.promises pages --users 50000

tokens: a read with the token of the write before it holds that write, on either of two query
processes; with the projector stopped it answers 503 in 2 to 2.5 s, and without a token at once.
keys: writes that are each sent three times at once, and again after SIGKILL and a new start,
have one effect and one answer.
changes: readers who are cut off at random and resume are told of each change once, in order.
pages: whoever is there throughout is listed once, in every order, while others are added.
"""

import argparse
import asyncio
import collections
import contextlib
import itertools
import random
import sys
import time
from collections.abc import AsyncIterator

import httpx

from tests.acceptance.clusters import client_of, cluster, for_each
from tests.acceptance.following import Reader
from tests.people import person

READERS = 20
ORDERS = ("name", "-name", "created_at", "-created_at")


def registration(number: int) -> dict[str, str]:
    """The body that registers someone."""
    who = person(number)
    return {"id": who.id, "name": who.name, "email": who.email}


async def tokens(writes: int) -> str:
    """Write, and read what was written; then stop the projector, and try again."""
    async with cluster() as processes:
        writer = client_of(await processes.start("commands"))
        projector = await processes.start("projector")
        readers = [client_of(await processes.start("queries")) for _ in range(2)]
        outcomes: collections.Counter[str] = collections.Counter()

        async def write_and_read(number: int) -> None:
            # Everyone is registered and then changed.
            who, change = person(number // 2), {"bio": f"{number}"}
            if number % 2 == 0:
                written = await writer.post("/users", json=registration(number // 2))
            else:
                written = await writer.patch(f"/users/{who.id}", json=change)
            assert written.is_success, written.text
            read = await readers[number % 3 % 2].get(f"/users/{who.id}", headers=token(written))
            outcomes["held" if read.json() == written.json() else read.text] += 1

        async def pair(number: int) -> None:
            await write_and_read(2 * number)
            await write_and_read(2 * number + 1)

        await for_each(range(writes // 2), pair)
        assert outcomes == {"held": writes}, outcomes.most_common(3)
        assert projector.stop() == 0
        written = await writer.patch(f"/users/{person(0).id}", json={"bio": "late"})
        late = [_timed(reader, 503, token(written)) for reader in readers for _ in range(5)]
        waiting = asyncio.gather(*late)
        without = [await _timed(reader, 200, {}) for reader in readers for _ in range(5)]
        waited = await waiting
        for each in (writer, *readers):
            await each.aclose()
        assert min(waited) >= 2, waited
        assert max(waited) <= 2.5, waited
        assert max(without) <= 0.5, without
    return (
        f"{writes} reads with tokens: {dict(outcomes)}; projector stopped: 503 in "
        f"{min(waited):.2f} to {max(waited):.2f} s, without a token {max(without):.3f} s at most"
    )


def token(written: httpx.Response) -> dict[str, str]:
    """The header of a read that must hold what was written."""
    return {"Consistency-Token": written.headers["Consistency-Token"]}


async def _timed(reader: httpx.AsyncClient, status: int, headers: dict[str, str]) -> float:
    began = time.monotonic()
    answer = await reader.get(f"/users/{person(0).id}", headers=headers)
    assert answer.status_code == status, answer.text
    return time.monotonic() - began


async def keys(writes: int) -> str:
    """Send each write three times at once, kill the process, and send each once more."""
    async with cluster() as processes:
        first = await processes.start("commands")
        answers: dict[int, set[tuple[int, str, str | None]]] = collections.defaultdict(set)
        replayed = 0

        async def send(client: httpx.AsyncClient, number: int) -> None:
            nonlocal replayed
            answer = await client.post(
                "/users",
                # The id is left out: each try would make up another.
                json={"name": person(number).name, "email": person(number).email},
                headers={"Idempotency-Key": f"key-{number}"},
            )
            replayed += "Idempotency-Replayed" in answer.headers
            names = ("Location", "ETag", "Consistency-Token")
            kept = (answer.status_code, answer.text, str([answer.headers[each] for each in names]))
            answers[number].add(kept)

        async def thrice(number: int) -> None:
            # The kill comes amid the last of them; whoever gets no answer sends it again later.
            with contextlib.suppress(httpx.TransportError):
                await asyncio.gather(*(send(client, number) for _ in range(3)))
            if number == writes * 9 // 10:
                first.process.kill()

        async with client_of(first) as client:
            await for_each(range(writes), thrice)
        first.await_end()
        before = sum(map(bool, answers.values()))
        second = await processes.start("commands")
        async with client_of(second) as client:
            await for_each(range(writes), lambda number: send(client, number))
            await for_each(range(writes), lambda number: send(client, number))
            head = max(
                each["head"] or 0 for each in (await client.get("/projections")).json()["items"]
            )
        assert all(len(each) == 1 for each in answers.values()), answers
        assert {status for each in answers.values() for status, *_ in each} == {201}
        assert head == writes, head
    return (
        f"{writes} writes, of which {before} were answered before SIGKILL, each sent up to five "
        f"times: {head} effects, one answer each; {replayed} answers were replayed"
    )


async def changes(users: int) -> str:
    """Register and change everyone while many follow, on two query processes, from the start."""
    async with cluster() as processes:
        writer = client_of(await processes.start("commands"))
        await processes.start("projector")
        clients = [client_of(await processes.start("queries")) for _ in range(2)]
        readers = [Reader(random.Random(each)) for each in range(READERS)]

        async def write(number: int) -> None:
            answer = await writer.post("/users", json=registration(number))
            assert answer.status_code == 201, answer.text
            answer = await writer.patch(f"/users/{person(number).id}", json={"bio": "changed"})
            assert answer.status_code == 200, answer.text

        async with asyncio.TaskGroup() as group:
            for each in readers:
                group.create_task(each.follow(clients, 2 * users))
            group.create_task(for_each(range(users), write))
        for client in (writer, *clients):
            await client.aclose()
        for each in readers:
            assert [told["position"] for told in each.told] == [*range(1, 2 * users + 1)]
            assert each.told == readers[0].told
        versions = collections.defaultdict(list)
        for told in readers[0].told:
            versions[told["user_id"]].append(told["version"])
        assert versions == {person(number).id: [1, 2] for number in range(users)}
        cuts = sum(each.cuts for each in readers)
    return (
        f"{2 * users} changes of {users} users, {READERS} readers, cut off {cuts} times: "
        "each was told of each change once, in order"
    )


async def pages(users: int) -> str:
    """List everyone in each order while others register."""
    found = []
    async with cluster() as processes:
        service = await processes.start("commands,queries,projector")
        async with client_of(service) as client:
            numbers = itertools.count(users)
            present = {person(number).id for number in range(users)}
            last: list[httpx.Response] = []

            async def register(number: int) -> None:
                answer = await client.post("/users", json=registration(number))
                assert answer.status_code == 201, answer.text
                last[:] = [answer]

            async def keep_registering() -> None:
                for number in numbers:
                    await register(number)

            await for_each(range(users), register)
            answer = await client.post("/users", json=registration(next(numbers)))
            headers = token(answer)
            for order in ORDERS:
                adding = asyncio.create_task(keep_registering())
                listed = [each async for each in _walk(client, order, headers)]
                adding.cancel()
                await asyncio.wait([adding])
                assert len(listed) == len(set(listed)), f"{order}: somebody twice"
                assert present <= set(listed), f"{order}: {len(present - set(listed))} missed"
                found.append(f"{order}: {len(listed)} listed, none twice, none missed")
    return f"{users} users; " + "; ".join(found)


async def _walk(
    client: httpx.AsyncClient, order: str, headers: dict[str, str]
) -> AsyncIterator[str]:
    parameters = {"sort": order, "limit": "200"}
    while True:
        page = (await client.get("/users", params=parameters, headers=headers)).json()
        for each in page["items"]:
            yield each["id"]
        if page["next_cursor"] is None:
            return
        parameters["cursor"] = page["next_cursor"]


def main() -> None:
    """Put one promise to the test, from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    promises = parser.add_subparsers(required=True)
    for test, option, size in (
        (tokens, "--writes", 10_000),
        (keys, "--writes", 1000),
        (changes, "--users", 1000),
        (pages, "--users", 50_000),
    ):
        promise = promises.add_parser(test.__name__)
        promise.add_argument(option, dest="size", type=int, default=size)
        promise.set_defaults(test=test)
    options = parser.parse_args()
    started = time.monotonic()
    said = asyncio.run(options.test(options.size))
    sys.stdout.write(f"{said}; {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
