"""What caches may do with answers, and HEAD, by which they ask."""

import httpx
import pytest

from tests.contexts.identity import ALL_SCOPES, authorization
from tests.unit.api.access import OPERATIONS as DOCUMENTED
from tests.unit.api.access import REQUESTS

ALICE = {"id": "user123", "name": "Alice Smith", "email": "alice@example.com"}
READS = {
    name
    for name, each in REQUESTS.items()
    if each.has_head
    for parameter in DOCUMENTED[name].get("parameters", ())
    if parameter["name"] == "Consistency-Token"
}
OF_ALL = {"x-content-type-options": "nosniff", "x-request-id": "mine"}
OF_THE_REST = {"cache-control": "no-store", "vary": "Authorization"}
MINE = {"X-Request-Id": "mine"}
OF_READS = {"cache-control": "private, no-cache", "vary": "Authorization, Consistency-Token"}
ROOTS = ("users", "projections", "problems", "health")  # a stream never ends

OPERATIONS = {
    name: (each.method, each.path)
    for name, each in REQUESTS.items()
    if each.path.split("/")[1] in ROOTS
}


@pytest.fixture
def client(guarded: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with the token of the user that there is, who may do everything."""
    guarded.headers.update(authorization("user123", *ALL_SCOPES))
    return guarded


async def ask(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> httpx.Response:
    """The answer to a request that is in order."""
    body = (ALICE if method == "post" else {"name": "A"}) if method[0] == "p" else None
    sent = {"X-Request-Id": "mine", **headers}
    return await client.request(method, path, headers=sent, json=body)


@pytest.mark.parametrize(
    "name", [each for each, (method, _) in OPERATIONS.items() if method == "get"]
)
@pytest.mark.usefixtures("alice")
async def test_head_answers_as_get_does(client, name):
    """With the same status and headers, the length of what is not sent included."""
    _, path = OPERATIONS[name]
    read, asked = await ask(client, "get", path), await ask(client, "head", path)

    assert read.status_code == 200
    assert (asked.status_code, asked.headers) == (200, read.headers)
    assert int(asked.headers["Content-Length"]) == len(read.content)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/users/nobody", "/nothing"])
async def test_head_answers_as_get_does_where_nothing_is_documented(client, path):
    """ErrorMappings have the same headers, too."""
    read, asked = await ask(client, "get", path), await ask(client, "head", path)
    assert (asked.status_code, asked.headers) == (read.status_code, read.headers)


async def test_head_is_conditional_too(client, alice):
    """As GET is."""
    answer = await ask(client, "head", f"/users/{alice}", **{"If-None-Match": '"1"'})
    assert (answer.status_code, answer.headers["ETag"]) == (304, '"1"')


@pytest.mark.parametrize(
    ("path", "allowed"), [("/changes", "GET"), ("/users/user123/deactivate", "POST")]
)
async def test_a_stream_has_no_head_and_a_write_neither(client, path, allowed):
    """A stream would be kept up to send none of it; Allow says what there is."""
    answer = await ask(client, "head", path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def check_headers(answer: httpx.Response, *, reads_views: bool) -> None:
    """See that an answer is for its client alone, and is what it says it is."""
    expected = OF_READS if reads_views else OF_THE_REST
    assert (OF_ALL | expected).items() <= answer.headers.items()


@pytest.mark.parametrize("name", REQUESTS)
async def test_every_answer_is_for_its_principal_alone(client, service, name):
    """What reads the views is kept by its client, who asks each time; all else by none."""
    request = REQUESTS[name]
    sent = {"method": request.method, "url": request.path, "json": request.body}
    if name != "register_user":
        await client.post("/users", json=ALICE)
        await service.project()

    answer = await client.request(**sent, headers=MINE)
    check_headers(answer, reads_views=answer.is_success and name in READS)
    assert answer.is_success or answer.json()["code"].endswith(("-not-found", "-not-parked"))

    for refused in (authorization("somebody"), {"Authorization": ""}):
        answer = await client.request(**sent, headers=MINE | refused)
        check_headers(answer, reads_views=False)
        assert answer.is_success is (not DOCUMENTED[name]["security"])


def test_reads_of_the_views_are_those_that_take_the_token_of_a_write():
    """Those of users are among them, and the stream, which is never kept, is not."""
    assert {"get_user", "get_own_user", "list_users", "get_user_history"} <= READS
    assert "stream_changes" not in READS


async def test_a_304_says_what_its_200_says(client, alice):
    """A cache takes what it says for what it has (RFC 9110, section 15.4.5)."""
    answer = await ask(client, "get", f"/users/{alice}", **{"If-None-Match": '"1"'})
    assert answer.status_code == 304
    assert (OF_ALL | OF_READS).items() <= answer.headers.items()


@pytest.mark.parametrize(("tags", "status"), [(("8", "9"), 200), (("1", "9"), 304)])
async def test_a_read_that_fastapi_answers_is_cached_like_any_other(client, alice, tags, status):
    """As it does where a list comes in several lines."""
    lines = [("If-None-Match", f'"{each}"') for each in tags]
    answer = await client.get(f"/users/{alice}", headers=lines)
    assert answer.status_code == status
    assert OF_READS.items() <= answer.headers.items()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("get", "/users/nobody", {}),
        ("get", "/nothing", {}),
        ("delete", "/users", {}),
        ("get", "/users", {"Consistency-Token": "x"}),
        ("get", "/users?limit=0", {}),
        ("post", "/users", {"Content-Type": "text/plain"}),
        ("get", "/users", {"X-Long": "x" * 40_000}),
    ],
)
async def test_no_problem_is_stored(client, method, path, headers):
    """Of whatever kind, by whatever part of the service."""
    answer = await ask(client, method, path, **headers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    check_headers(answer, reads_views=False)


async def test_documents_that_never_change_are_kept(client):
    """Their address has a digest of their content; the page that names them is asked for anew."""
    page = await ask(client, "get", "/docs")
    asset = next(each for each in page.text.split('"') if each.endswith("swagger-ui.css"))
    style = await ask(client, "get", f"/{asset}")

    assert page.headers["Cache-Control"] == "no-cache"
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for each in (page, style):
        assert OF_ALL.items() <= each.headers.items()
