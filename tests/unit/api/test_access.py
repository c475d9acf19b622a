"""Every operation, asked for by every kind of principal, answers what its policy says."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from app.framework.http.application import Access
from app.framework.http.indexed_routes import IndexedRoutes
from app.framework.http.service import Check
from app.framework.principal import Principal, PrincipalKind
from app.framework.security import Policy
from tests.unit.api.access import (
    ALL_SCOPES,
    POLICIES,
    REQUESTS,
    Known,
    Noting,
    Request,
    lacking,
    principals,
)
from tests.unit.api.conftest import ALICE
from tests.unit.api.service import Lent, MemoryService, application

ADMINISTRATOR = Principal(
    kind=PrincipalKind.USER, subject="admin", scopes=ALL_SCOPES, user_id="admin"
)
PROMISED = {
    "register_user": ("users:register", "users:admin"),
    "get_user": ("users:read", "users:read:any"),
    "get_own_user": ("users:read", "users:read:any"),
    "get_user_history": ("users:read", "users:read:any"),
    "update_user": ("users:write", "users:admin"),
    "put_user": ("users:write", "users:admin"),
    "deactivate_user": ("users:write", "users:admin"),
    "reactivate_user": ("users:admin",),
    "list_users": ("users:list",),
    "stream_changes": ("changes:read",),
    "list_projections": ("projections:read",),
    **dict.fromkeys(
        (
            "list_projection_builds",
            "get_projection",
            "get_build",
            "get_verification",
            "list_parked_documents",
        ),
        ("projections:read",),
    ),
    **dict.fromkeys(
        (
            "begin_build",
            "serve_build",
            "retire_build",
            "pause_projection",
            "resume_projection",
            "begin_verification",
            "replay_document",
            "replay_documents",
        ),
        ("projections:admin",),
    ),
    "read_log": ("log:read",),
    "read_stream": ("log:read",),
}
"""What clients are promised: the scopes for one's own profile and for any. Operations of further
contexts are held against their policies alone."""
PUBLIC = {"check_liveness", "check_readiness", "list_problem_types", "get_problem_type"}
GUARDED = {name: each for name, each in REQUESTS.items() if name not in PUBLIC}


@pytest.fixture(scope="session")
def known() -> Known:
    """The tokens that the application accepts."""
    return Known()


@pytest.fixture(scope="session")
def guarded(lent: Lent, known: Known) -> FastAPI:
    """An application that takes tokens."""
    access = Access(authenticator=known, policies=POLICIES)
    return application(lent, access=access, administered=True)


@pytest.fixture
async def client(
    guarded: FastAPI, lent: Lent, service: MemoryService
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that takes tokens; streams end at once."""
    service.stopping.set()
    lent.service = service
    transport = httpx.ASGITransport(guarded)
    async with httpx.AsyncClient(transport=transport, base_url="http://diptych") as client:
        yield client


@pytest.fixture
async def _alice(client: httpx.AsyncClient, service: MemoryService, known: Known) -> None:
    """The user of the document's examples is registered."""
    headers = bearer(known.token(ADMINISTRATOR))
    assert (await client.post("/users", json=ALICE, headers=headers)).status_code == 201
    await service.project()


def bearer(token: str) -> dict[str, str]:
    """The header with a token."""
    return {"Authorization": f"Bearer {token}"}


async def ask(
    client: httpx.AsyncClient, request: Request, method: str = "", **headers: str
) -> httpx.Response:
    """What a request is answered; by HEAD if `method` says so."""
    return await client.request(
        method or request.method, request.path, json=request.body, headers=headers
    )


def said_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem in an answer, without what differs from request to request."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return {name: each for name, each in answer.json().items() if name != "request_id"}


async def policy_of(
    client: httpx.AsyncClient, service: MemoryService, known: Known, request: Request
) -> tuple[Policy, Any]:
    """The policy of what a request sends, and that, by having an administrator ask."""
    noting: Any = Noting(service.mediator)
    service.mediator = noting
    answer = await ask(client, request, **bearer(known.token(ADMINISTRATOR)))
    assert answer.status_code not in {400, 401, 403, 405, 415, 422}, answer.text
    assert answer.status_code < 500
    if not noting.sent:
        [scope] = request.scopes
        return Policy(scope), None
    return POLICIES[type(noting.sent[0])], noting.sent[0]


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.usefixtures("_alice")
async def test_an_operation_is_for_those_whom_its_policy_names(client, service, known, name):
    """And refused to all others, before anything is done."""
    request = GUARDED[name]
    policy, message = await policy_of(client, service, known, request)
    assert list(policy.scopes) == list(request.scopes)
    assert tuple(policy.scopes) == PROMISED.get(name, tuple(policy.scopes))
    noting = service.mediator
    for principal in principals(policy, policy.owner and policy.owner(message)):
        noting.sent, before = [], await service.log.head()
        token = bearer(known.token(principal))
        answers = [await ask(client, request, **token)]
        sent = noting.sent[0] if noting.sent else message
        if request.has_head:
            answers.append(await ask(client, request, "head", **token))
        if request.is_stream:  # from a position on it is read by the service
            answers.append(await ask(client, request, **token, **{"Last-Event-ID": "0"}))
        lacks = lacking(policy, sent, principal)
        for each in answers:
            assert each.status_code < 500, f"{principal}: {each.text}"
            assert (each.status_code == 403) is bool(lacks), f"{principal}: {each.text}"
            assert each.status_code != 401, f"{principal}: {each.text}"
        if lacks:
            said = said_of(answers[0])
            detail = f"This takes the scope {' or '.join(lacks)}."
            assert (said["code"], said["detail"]) == ("forbidden", detail), principal
            challenge = f'Bearer error="insufficient_scope", scope="{lacks[0]}"'
            assert answers[0].headers["WWW-Authenticate"] == challenge
            assert await service.log.head() == before


@pytest.mark.parametrize("name", GUARDED)
async def test_without_a_token_there_is_nothing(client, service, name):
    """Nor with a token that is not known, in any place."""
    request = GUARDED[name]
    noting: Any = Noting(service.mediator)
    service.mediator = noting
    for method in {request.method, "head", "options"}:
        answer = await ask(client, request, method)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        if method != "head":
            assert said_of(answer)["code"] == "unauthenticated"
        answer = await ask(client, request, method, **bearer("made-up"))
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        if method != "head":
            assert said_of(answer)["code"] == "invalid-token"
    assert noting.sent == []


@pytest.mark.parametrize("name", sorted(PUBLIC))
async def test_what_is_public_needs_no_token(client, known, name):
    """It says the same to all, but for the details of readiness."""
    request = REQUESTS[name]
    token = known.token(Principal(kind=PrincipalKind.CLIENT))
    bare = await ask(client, request)
    assert bare.status_code == 200
    for headers in (bearer("made-up"), bearer(token), {"Authorization": "Basic YTpi"}):
        answer = await ask(client, request, **headers)
        assert (answer.status_code, answer.content) == (200, bare.content)


async def test_the_details_of_readiness_are_for_operators(client, service, known):
    """They may name servers."""
    service.found = [Check("PostgreSQL", ok=False, detail="no route to db.internal")]
    request = REQUESTS["check_readiness"]
    reads = frozenset({"projections:read"})
    principals = [
        Principal(kind=PrincipalKind.CLIENT, scopes=each) for each in (ALL_SCOPES - reads, reads)
    ]
    tokens = [known.token(each) for each in principals]
    seen = ["db.internal" in (await ask(client, request)).text]
    seen += ["db.internal" in (await ask(client, request, **bearer(it))).text for it in tokens]
    assert seen == [False, False, True]


async def test_a_refusal_does_not_tell_whether_a_user_exists(client, service, known):
    """What is refused is refused before it is looked up."""
    stranger = Principal(
        kind=PrincipalKind.USER,
        subject="bob",
        user_id="bob",
        scopes=frozenset({"users:read", "users:write", "users:register"}),
    )
    token = bearer(known.token(stranger))
    of_users = [each for each in GUARDED.values() if each.path.startswith("/users")]
    of_users.remove(GUARDED["get_own_user"])
    before = [said_of(await ask(client, each, **token)) for each in of_users]
    assert {each["code"] for each in before} == {"forbidden"}
    administrator = bearer(known.token(ADMINISTRATOR))
    assert (await client.post("/users", json=ALICE, headers=administrator)).status_code == 201
    await service.project()
    assert [said_of(await ask(client, each, **token)) for each in of_users] == before


async def test_every_route_asks_for_a_token(client, guarded):
    """Also those that the document does not name."""
    public = {"/health/live", "/health/ready", "/problems", "/problems/{code}", "/openapi.json"}
    for route in guarded.routes:
        if isinstance(route, IndexedRoutes):
            continue  # it passes on to the others
        assert isinstance(route, APIRoute | Route), "what is mounted is not looked at here"
        if route.path.split("/")[1] == "console":
            continue  # tests/unit/console looks at each of its routes
        is_public = route.path in public or route.path.split("/")[1] == "docs"
        for method in route.methods or {"GET"}:
            answer = await client.request(method, route.path)
            assert (answer.status_code == 401) is not is_public, f"{method} {route.path}"
