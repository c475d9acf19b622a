"""The life of the application, from its start to its end."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from app.framework.http.extensions import Extension
from app.framework.http.refusal_lines import RefusalLines
from app.framework.http.service import Service
from app.framework.observability.access_log import AccessLog


def lifespan_of(
    service: Service,
    refusals: RefusalLines,
    access_log: AccessLog | None,
    extensions: Sequence[Extension],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What FastAPI runs the application in: it opens and closes what serves requests."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await service.open()
            for each in extensions:
                await each.open()
            yield
        finally:
            refusals.write_all()
            if access_log is not None:
                await access_log.close()
            for each in extensions:
                await each.close()
            await service.close()

    return lifespan
