"""What clients are promised of every operation of a context, held against what it does."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from app.framework.http.consistency import decode_position
from tests.contexts.api import Api
from tests.contexts.cases import Case

Promise = Callable[[Api, Case], Awaitable[None]]


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a problem."""
    return answer.status_code, answer.json().get("code", "no problem")


async def refuses_another_version(api: Api, case: Case) -> None:
    """A command under the If-Match of a version that is not there; nothing is changed."""
    head = await api.head()
    refused = await api.call(case.call, {"If-Match": '"999"'})
    assert code_of(refused) == (412, "version-mismatch")
    assert await api.head() == head


async def does_it_once(api: Api, case: Case) -> None:
    """A command under an Idempotency-Key, and the If-Match of the version that is there."""
    version = {"If-Match": api.written.headers["ETag"]} if case.expects_version else {}
    headers = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324", **version}
    first = await api.call(case.call, headers)
    assert first.status_code == case.operation.status, first.text
    assert "Idempotency-Replayed" not in first.headers
    head = await api.head()
    again = await api.call(case.call, headers)
    assert again.headers.get("Idempotency-Replayed") == "true"
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    for each in ("ETag", "Consistency-Token", "Location"):
        assert again.headers.get(each) == first.headers.get(each)
    assert case.example.another, f"The example of {case.operation.name} lacks `another`."
    other = await api.call(case.example.another, headers)
    assert code_of(other) == (422, "idempotency-key-reused")
    assert await api.head() == head
    api.note(first)


async def holds_what_was_written(api: Api, case: Case) -> None:
    """What was written last is read by its id, and where it is said to be, with its token."""
    assert decode_position(api.written.headers["Consistency-Token"]) == await api.head()
    assert api.written.headers["ETag"] == f'"{api.written.json()["version"]}"'
    paths = [*case.paths_to(api.written.json()["id"])]
    if case.operation.status == 201:
        paths.append(api.written.headers["Location"])
    for each in paths:
        read = await api.get(each, api.token)
        assert read.status_code == 200, read.text
        assert read.headers["ETag"] == api.written.headers["ETag"]


async def refuses_a_bad_token(api: Api, case: Case) -> None:
    """A query with a Consistency-Token that no write was answered with."""
    refused = await api.call(case.call, {"Consistency-Token": "no token"})
    assert code_of(refused) == (400, "invalid-consistency-token")


async def answers_what_is_new_only(api: Api, case: Case) -> None:
    """A query under If-None-Match."""
    read = await api.call(case.call, api.token)
    assert read.headers["ETag"] == f'"{read.json()["version"]}"'
    again = await api.call(case.call, {"If-None-Match": read.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == read.headers["ETag"]
    other = await api.call(case.call, {"If-None-Match": '"999"'})
    assert (other.status_code, other.json()) == (200, read.json())


async def leads_on(api: Api, case: Case) -> None:
    """A query of pages, followed to its end."""
    whole = (await api.call(case.call, api.token)).json()["items"]
    assert len(whole) > 1, f"The example of {case.operation.name} is to give two items."
    found, following = [], dict[str, Any]()
    for _ in whole:
        page = (await api.call(case.call, limit=1, **following)).json()
        found += page["items"]
        following = {"cursor": page["next_cursor"]}
    assert (found, following) == (whole, {"cursor": None})
    refused = await api.call(case.call, cursor="none")
    assert code_of(refused) == (400, "invalid-cursor")


PROMISES: Sequence[tuple[Callable[[Case], bool], Promise]] = (
    (lambda case: case.expects_version, refuses_another_version),
    (lambda case: case.is_command, does_it_once),
    (lambda case: case.is_command, holds_what_was_written),
    (lambda case: not case.is_command, refuses_a_bad_token),
    (lambda case: case.has_etag, answers_what_is_new_only),
    (lambda case: case.is_page, leads_on),
)
"""In this order they can be held against one operation, one after the other."""
