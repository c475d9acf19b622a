"""Dependencies of the application as a whole hold for every operation."""

import re

import httpx
import pytest
from fastapi import Depends, HTTPException

from app.main import application
from tests.unit.api.service import MemoryService


def deny() -> None:
    """Let no request pass."""
    raise HTTPException(401)


def is_stream(path: str) -> bool:
    """Whether what is read at `path` has no end, so that HEAD is not answered."""
    return "text/event-stream" in DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]


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


@pytest.mark.parametrize(
    ("method", "path"), [*OPERATIONS, *(("HEAD", each) for each in READS)], ids=" ".join
)
async def test_one_that_denies_is_heeded_by_every_operation(denied, service, method, path):
    """The refusal is a problem, and nothing is done."""
    body = None if method in {"GET", "HEAD"} else dict[str, str]()
    answer = await denied.request(method, re.sub(r"{\w+}", "some-name", path), json=body)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await service.log.read(after=0, limit=1) == []


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_documentation_is_no_operation(denied, path):
    """It can be read by those who are let do nothing."""
    assert (await denied.get(path)).status_code == 200
