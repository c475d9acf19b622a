"""What the headers of requests have to be, whatever the route."""

import pytest


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/ld+json"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "/"},
        {"Content-Type": ";;;"},
    ],
)
async def test_a_body_that_is_not_sent_as_json(client, alice, service, headers):
    """A browser's form cannot write; 415 says what is taken, also where RFC 5789 looks for it."""
    head = await service.log.head()
    patched = await client.patch(f"/users/{alice}", content=b'{"name": "x"}', headers=headers)
    registered = await client.post("/users", content=b'{"name": "x"}', headers=headers)

    for each in (patched, registered):
        assert (each.status_code, each.json()["code"]) == (415, "unsupported-media-type")
    assert patched.json()["detail"] == (
        "The body must be sent with Content-Type: application/merge-patch+json or application/json."
    )
    assert patched.headers["Accept-Patch"] == "application/merge-patch+json, application/json"
    assert registered.headers["Accept"] == "application/json"
    assert "Accept-Patch" not in registered.headers
    assert await service.log.head() == head


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity", "x"])
async def test_a_body_with_a_content_encoding_is_refused(client, alice, service, coding):
    """415, and Accept-Encoding says that none is taken; none is what `identity` stands for."""
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    head = await service.log.head()
    answer = await client.put(f"/users/{alice}", content=b'{"name": "x"}', headers=headers)
    plain = {**headers, "Content-Encoding": "identity"}
    taken = await client.put(f"/users/{alice}", content=b'{"name": "x"}', headers=plain)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert taken.status_code == 200
    assert await service.log.head() == head + 1


@pytest.mark.parametrize(
    ("method", "media_type", "status"),
    [
        ("PATCH", "application/merge-patch+json", 200),
        ("PATCH", "Application/Merge-Patch+JSON ; charset=utf-8", 200),
        ("PATCH", "application/json", 200),
        ("PUT", "APPLICATION/JSON", 200),
        ("PUT", "application/merge-patch+json", 415),
    ],
)
async def test_patch_takes_a_merge_patch(client, alice, operations, method, media_type, status):
    """And the document says so; PUT is no patch."""
    content, headers = b'{"bio": null, "name": "x"}', {"Content-Type": media_type}
    answer = await client.request(method, f"/users/{alice}", content=content, headers=headers)

    assert answer.status_code == status
    declared = {
        name: set(operations[name][2]["requestBody"]["content"])
        for name in ("update_user", "put_user", "register_user")
    }
    assert declared == {
        "update_user": {"application/merge-patch+json", "application/json"},
        "put_user": {"application/json"},
        "register_user": {"application/json"},
    }


@pytest.mark.parametrize(
    ("method", "path", "name", "value"),
    [
        ("POST", "/users", "Idempotency-Key", "key"),
        ("POST", "/users", "Content-Type", "application/json"),
        ("PATCH", "/users/user123", "If-Match", '"1"'),
        ("POST", "/users/user123/deactivate", "Idempotency-Key", "key"),
        ("POST", "/users/user123/deactivate", "If-Match", "*"),
        ("GET", "/users/user123", "Consistency-Token", "AQAAAAAAAAAB"),
        ("GET", "/users", "Consistency-Token", "AQAAAAAAAAAB"),
        ("GET", "/changes", "Consistency-Token", "AQAAAAAAAAAB"),
        ("GET", "/changes", "Last-Event-ID", "0"),
    ],
)
@pytest.mark.usefixtures("alice")
async def test_a_header_of_one_value_that_comes_twice_is_refused(
    client, service, method, path, name, value
):
    """Also with the same value: which of them counts must not depend on who reads them."""
    head = await service.log.head()
    headers = [("Content-Type", "application/json"), (name, value)]
    headers += [(name, value)] if name != "Content-Type" else []
    answer = await client.request(method, path, content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "repeated-header")
    assert answer.json()["detail"] == f"The header {name} came more than once; send it once."
    assert await service.log.head() == head


async def test_lines_of_if_none_match_are_one_list(client, alice):
    """And lines of a header that the route does not take are of no account."""
    lines = [("If-None-Match", '"7", "8"'), ("If-None-Match", '"1"'), ("Via", "a"), ("Via", "b")]
    unlike = [("If-None-Match", '"7"'), ("If-None-Match", '"8"')]

    assert (await client.get(f"/users/{alice}", headers=lines)).status_code == 304
    assert (await client.get(f"/users/{alice}", headers=unlike)).status_code == 200


def test_operations_declare_what_their_headers_and_bodies_are_refused_for(operations):
    """415 where there is a body, 400 where a header comes once."""
    for name, (_, _, operation) in operations.items():
        headers = {
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"
        }
        examples = {
            example
            for response in operation["responses"].values()
            for content in response.get("content", {}).values()
            for example in content.get("examples", ())
        }
        assert ("unsupported-media-type" in examples) is ("requestBody" in operation), name
        assert ("repeated-header" in examples) is bool(headers), name
