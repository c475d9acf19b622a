"""How the Python client that `make sdk` generates is used.

    PYTHONPATH=build/sdk/python .venv/bin/python tests/clients/scenario.py http://127.0.0.1:8000 \
        "$(.venv/bin/python -m app token --subject alice \
            --scope "users:register users:read users:write")" \
        "$(.venv/bin/python -m app token)"

The first token is Alice's, who has no profile yet, the second an administrator's.

Each operation is a module, named by its operationId, in a package named by its tag. Called with
`sync_detailed` (or `asyncio_detailed`) it answers status, headers and the parsed body. A refusal
is an answer like any other: a `Problem`, whatever the operation.
"""

import sys
from collections.abc import Iterator
from typing import Any, TypeVar
from uuid import uuid4

from diptych_client import AuthenticatedClient
from diptych_client.api.users import get_own_user, get_user, list_users, register_user, update_user
from diptych_client.models import (
    Problem,
    UserOrder,
    UserProfile,
    UserRegistration,
    UserSummary,
    UserSummaryPage,
    UserUpdate,
)
from diptych_client.types import UNSET, Response, Unset

BodyT = TypeVar("BodyT")


class Refused(Exception):
    """The service said no; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}")
        self.problem = problem


def expect(kind: type[BodyT], response: Response[Any]) -> BodyT:
    """The body, which is of this kind unless the request was refused."""
    if isinstance(response.parsed, kind):
        return response.parsed
    assert isinstance(response.parsed, Problem), response
    raise Refused(response.parsed)


def register(
    client: AuthenticatedClient, given: str, family: str, user_id: str | Unset = UNSET
) -> Response[Problem | UserProfile]:
    """Register a user; without an id it becomes the profile that belongs to the token."""
    registration = UserRegistration(
        id=user_id,
        name=f"{given} {family}",
        email=f"{given}@{family}.example.com",
        avatar_url=f"https://images.example.com/{given}.png",
        bio="Curious.",
    )
    return register_user.sync_detailed(
        client=client, body=registration, idempotency_key=str(uuid4())
    )


def rename(
    client: AuthenticatedClient, user: UserProfile, name: str, *, etag: str, key: str
) -> Response[Problem | UserProfile]:
    """Give somebody another name and no bio, if they are still as `etag` says."""
    update = UserUpdate(name=name, bio=None)  # the avatar is left out, and stays
    return update_user.sync_detailed(
        user.id, client=client, body=update, if_match=etag, idempotency_key=key
    )


def summaries(client: AuthenticatedClient, q: str, *, token: str) -> Iterator[UserSummary]:
    """Everybody of this name, page by page, the last first."""
    cursor: str | Unset = UNSET
    while True:
        answer = list_users.sync_detailed(
            client=client,
            q=q,
            sort=UserOrder.NAME_DESCENDING,
            limit=2,
            cursor=cursor,
            consistency_token=token,
        )
        page = expect(UserSummaryPage, answer)
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def client_of(base_url: str, token: str) -> AuthenticatedClient:
    """A client that sends this token with every request."""
    return AuthenticatedClient(base_url=base_url, token=token, raise_on_unexpected_status=True)


def main(base_url: str, token_of_alice: str, token_of_administrator: str) -> None:
    """Tell the story of Alice, who registers, renames and reads herself, and of refusals."""
    family = f"Liddell{uuid4().hex[:20]}"
    with (
        client_of(base_url, token_of_alice) as client,
        client_of(base_url, token_of_administrator) as administrator,
    ):
        registered = register(client, "Alice", family)
        alice = expect(UserProfile, registered)
        assert (alice.bio, alice.version) == ("Curious.", 1)

        # Sent once more under its key, say after a timeout, it is not done once more.
        etag, key = registered.headers["ETag"], str(uuid4())
        renamed = rename(client, alice, f"Alicia {family}", etag=etag, key=key)
        again = rename(client, alice, f"Alicia {family}", etag=etag, key=key)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in renamed.headers
        assert again.parsed == renamed.parsed

        # Reads are served from views; with the token of a write they hold that write.
        token = renamed.headers["Consistency-Token"]
        read = get_user.sync_detailed(alice.id, client=client, consistency_token=token)
        alicia = expect(UserProfile, read)
        assert alicia == renamed.parsed
        # The name and the bio are an event each.
        assert (alicia.name, alicia.bio, alicia.version) == (f"Alicia {family}", None, 3)
        assert alicia.avatar_url == alice.avatar_url
        assert get_own_user.sync(client=client, consistency_token=token) == alicia

        for given in ("Dinah", "Edith", "Lorina", "Mabel"):
            registered = register(administrator, given, family, f"{given}-{family}")
            token = registered.headers["Consistency-Token"]
        names = [each.name for each in summaries(administrator, family, token=token)]
        assert names == [
            f"{each} {family}" for each in ("Mabel", "Lorina", "Edith", "Dinah", "Alicia")
        ]

        refused = expect(Problem, get_user.sync_detailed("nobody", client=administrator))
        assert (refused.status, refused.code) == (404, "user-not-found")
        refused = expect(Problem, register(administrator, "Mabel", family, f"other-{family}"))
        assert (refused.status, refused.code) == (409, "email-taken")
        refused = expect(Problem, rename(client, alicia, "Alice", etag=etag, key=str(uuid4())))
        assert (refused.status, refused.code) == (412, "version-mismatch")

        # What is not hers she may not read, be it there or not.
        for user_id in (f"Mabel-{family}", "nobody"):
            refused = expect(Problem, get_user.sync_detailed(user_id, client=client))
            assert (refused.status, refused.code) == (403, "forbidden")
            assert "users:read:any" in refused.detail
        # The types let no client without a token call this, but its token may be no good.
        with client_of(base_url, "made-up") as stranger:
            refused = expect(Problem, get_user.sync_detailed(alice.id, client=stranger))
        assert (refused.status, refused.code) == (401, "invalid-token")


if __name__ == "__main__":
    main(*sys.argv[1:])
