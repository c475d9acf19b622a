"""The OpenAPI document, from which clients are generated."""

import pytest

from app.framework.http.consistency import decode_position


def success_of(operation):
    """The status of the one success that an operation declares."""
    [status] = [each for each in operation["responses"] if int(each) < 300]
    return status


def test_the_document_says_whose_it_is(document):
    """Version, licence, contact and server are there, and it is OpenAPI 3.1."""
    info = document["info"]
    assert document["openapi"] == "3.1.0"
    assert (info["title"], info["license"]["identifier"]) == ("Diptych", "MIT")
    assert info["version"]
    assert info["contact"]["name"]
    assert document["servers"][0]["url"] == "/"
    assert document["security"] == []


def test_every_operation_is_described(document, operations):
    """One tag each, which is declared; a summary and a description."""
    tags = {each["name"] for each in document["tags"]}
    for name, (_, _, operation) in operations.items():
        assert len(operation["tags"]) == 1, name
        assert operation["tags"][0] in tags, name
        assert operation["summary"], name
        assert operation["description"], name


def test_every_error_is_a_problem(operations):
    """Each error declared is problem+json with an example; readiness alone answers Health."""
    for name, (_, _, operation) in operations.items():
        assert {"413", "500"} <= set(operation["responses"]), name
        for status, response in operation["responses"].items():
            if int(status) < 400 or (name, status) == ("check_readiness", "503"):
                continue
            (media_type,) = response["content"]
            content = response["content"][media_type]
            assert media_type == "application/problem+json", name
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, name
            assert content["examples"], name


OF_ALL = {"X-Request-Id", "Access-Control-Allow-Origin"}
OF_LIMITED = {"RateLimit", "RateLimit-Policy"}

WITHOUT_PROMISES = {
    "list_projection_builds",
    "get_projection",
    "get_build",
    "pause_projection",
    "resume_projection",
    "begin_build",
    "serve_build",
    "retire_build",
    "list_parked_documents",
    "replay_document",
    "replay_documents",
    "begin_verification",
    "get_verification",
    "read_log",
    "read_stream",
}
"""Operations of administration: they read no views and record no events; their tests are in
test_administration.py, test_parked_documents.py and test_verifications.py."""


def test_every_message_keeps_what_clients_are_promised(operations):
    """A write takes a key and answers a token; what reads views takes a token."""
    for name, (method, _, operation) in operations.items():
        taken = {each["name"] for each in operation.get("parameters", [])}
        [headers] = [
            set(each["headers"])
            for status, each in operation["responses"].items()
            if int(status) < 300
        ]
        if name in WITHOUT_PROMISES:
            continue
        is_write = method != "get"
        refused = operation["responses"]["421"]["content"]["application/problem+json"]["examples"]
        reads_views = not is_write and "misdirected-request" in refused
        assert ("Idempotency-Key" in taken) is is_write, name
        assert ({"Idempotency-Replayed", "Consistency-Token"} <= headers) is is_write, name
        assert ("Consistency-Token" in taken) is reads_views, name


def test_every_success_is_declared_with_its_status(operations):
    """One success each: 201 where something is created, and then the answer says where it is.

    202 where it is created later, 204 where nothing is left to answer.
    """
    for name, (_, _, operation) in operations.items():
        status = success_of(operation)
        is_new = "Location" in operation["responses"][status]["headers"]
        assert status in ({"201", "202"} if is_new else {"200", "204"}), name


@pytest.mark.parametrize(
    ("operation_id", "expected"),
    [
        (
            "register_user",
            {"Location", "ETag", "Consistency-Token", "Idempotency-Replayed"},
        ),
        ("update_user", {"ETag", "Consistency-Token", "Idempotency-Replayed"}),
        ("put_user", {"ETag", "Consistency-Token", "Idempotency-Replayed"}),
        ("deactivate_user", {"ETag", "Consistency-Token", "Idempotency-Replayed"}),
        ("reactivate_user", {"ETag", "Consistency-Token", "Idempotency-Replayed"}),
        ("get_user", {"ETag"}),
        ("list_users", set()),
    ],
)
def test_response_headers_are_declared(operations, operation_id, expected):
    """Those of a success; a 429 or 503 declares Retry-After, 401 and 403 what token it takes."""
    responses = operations[operation_id][2]["responses"]
    declared = set(responses[success_of(operations[operation_id][2])]["headers"])
    assert declared == expected | OF_ALL | OF_LIMITED
    for status, response in responses.items():
        assert ("Retry-After" in response["headers"]) is (status in {"429", "503"})
        assert ("WWW-Authenticate" in response["headers"]) is (status in {"401", "403"})


def test_every_answer_says_how_much_its_client_may_still_use(operations):
    """Except for probes, which are never refused for their number."""
    for name, (_, path, operation) in operations.items():
        is_limited = not path.startswith("/health/")
        assert ("429" in operation["responses"]) is is_limited, name
        for response in operation["responses"].values():
            headers = set(response["headers"])
            assert headers >= OF_ALL, name
            assert (headers & OF_LIMITED) == (OF_LIMITED if is_limited else set()), name


def test_headers_that_are_always_sent_are_required(document):
    """All but those for repeats, for pages of other origins, and for requests past the limits."""
    headers = document["components"]["headers"]
    optional = {name for name, header in headers.items() if not header.get("required")}
    assert optional == {"Idempotency-Replayed", "Access-Control-Allow-Origin", *OF_LIMITED}


def test_the_example_of_a_consistency_token_need_not_be_waited_for(operations):
    """Whoever tries it on a service that has recorded anything is answered at once."""
    parameters = operations["list_users"][2]["parameters"]
    [token] = [each for each in parameters if each["name"] == "Consistency-Token"]
    assert decode_position(token["schema"]["examples"][0]) == 1


CHANGES = {"update_user", "put_user", "deactivate_user", "reactivate_user"}
READS = {"get_user", "get_user_history", "list_users"}


@pytest.mark.parametrize(
    ("operation_id", "expected"),
    [
        ("register_user", READS | CHANGES),
        *((each, READS | CHANGES) for each in sorted(CHANGES)),
        ("get_user", CHANGES),
        ("list_users", set()),
    ],
)
def test_an_answer_links_to_what_can_be_done_next(operations, operation_id, expected):
    """A write to reads that hold it, and to changes of the version that it led to."""
    _, _, operation = operations[operation_id]
    links = operation["responses"][success_of(operation)].get("links", {})
    assert set(links) == expected


def test_links_name_parameters_and_what_answers_hold(document, operations):
    """Of the operation they lead to, and of every answer that they stand in."""
    for name, link in document["components"]["links"].items():
        parameters = operations[link["operationId"]][2]["parameters"]
        assert set(link["parameters"]) <= {each["name"] for each in parameters}, name
        for operation_id, (_, _, operation) in operations.items():
            answer = operation["responses"][success_of(operation)]
            if name in answer.get("links", {}):
                held = {f"$response.header.{each}" for each in answer["headers"]}
                held |= {"$response.body#/id"}
                assert set(link["parameters"].values()) <= held, (operation_id, name)


def test_parameters_are_never_null(operations):
    """A parameter is sent or left out; each says what it is for."""
    for name, (_, _, operation) in operations.items():
        for parameter in operation.get("parameters", []):
            assert "anyOf" not in parameter["schema"], name
            assert parameter["description"], name


def test_a_required_parameter_has_an_example(operations):
    """It is what Swagger UI fills in; one that may be left out is left to whoever asks."""
    for name, (_, _, operation) in operations.items():
        for each in operation.get("parameters", []):
            assert ("example" in each) == each["required"], name
            assert each.get("example") in (None, *each["schema"].get("examples", ())), name


async def test_the_document_is_served(client, document):
    """At /openapi.json, and asking twice changes nothing."""
    for _ in range(2):
        assert (await client.get("/openapi.json")).json() == document
