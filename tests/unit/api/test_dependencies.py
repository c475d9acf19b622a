"""Dependencies of the application as a whole hold for every operation."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi import Depends, HTTPException

from tests.unit.api.service import MemoryService, application


def deny() -> None:
    """Let no request pass."""
    raise HTTPException(401)


def is_stream(path: str) -> bool:
    """Whether what is read at `path` has no end, so that HEAD is not answered."""
    return "text/event-stream" in DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]


def example_of_a_body(method: str, path: str) -> Any:
    """A body that the operation takes: one that it does not take is refused in another way."""
    body = DOCUMENT["paths"][path].get(method.lower(), {}).get("requestBody")
    if body is None:
        return None
    name = next(iter(body["content"].values()))["schema"]["$ref"].rpartition("/")[2]
    schema = DOCUMENT["components"]["schemas"][name]
    if "examples" in schema:
        return schema["examples"][0]
    members = schema["properties"].items()
    return {member: each["examples"][0] for member, each in members if "examples" in each}


DOCUMENT = application(MemoryService()).openapi()
OPERATIONS = [
    (method.upper(), path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
]
READS = [path for method, path in OPERATIONS if method == "GET" and not is_stream(path)]


@pytest.fixture
async def denied(service):
    """A client of an application that lets no request pass."""
    app = application(service, dependencies=[Depends(deny)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


@pytest.mark.parametrize(("method", "path"), [*OPERATIONS, *(("HEAD", each) for each in READS)])
async def test_one_that_denies_is_heeded_by_every_operation(denied, service, method, path):
    """The refusal is a problem, and nothing is done."""
    body = example_of_a_body(method, path)
    async with asyncio.timeout(5):  # a stream that is not denied has no end
        answer = await denied.request(method, re.sub(r"{\w+}", "some-name", path), json=body)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await service.log.read(after=0, limit=1) == []


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_documentation_is_no_operation(denied, path):
    """It can be read by those who are let do nothing."""
    assert (await denied.get(path)).status_code == 200
