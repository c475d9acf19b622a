"""HEAD, beside what answers GET."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from app.framework.http.heads import head_routes


@pytest.fixture
def api() -> FastAPI:
    """A stream whose path could be that of a thing."""
    made = FastAPI(openapi_url=None)

    @made.get("/things/changes", response_class=StreamingResponse)
    async def changes() -> StreamingResponse:
        raise NotImplementedError

    @made.get("/things/{thing_id}")
    async def thing(thing_id: str) -> dict[str, str]:
        return {"id": thing_id}

    made.router.routes += head_routes(made.router.routes)
    return made


@pytest.mark.parametrize(("path", "status"), [("/things/a", 200), ("/things/changes", 405)])
async def test_a_stream_refuses_it(api, path, status):
    """It is not taken for a thing whose id is the end of the stream's path."""
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.head(path)

    assert answer.status_code == status
