"""The token that Swagger UI gets in development, where the service is its own issuer."""

import re
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Scope

from app.framework.http.problems import ORIGIN_NOT_ALLOWED
from app.framework.http.refusals import problem_response

MakeToken = Callable[[Scope], str | None]
"""A token for the page that sends a request; None if the program that sends it may not have one."""

_PATH = "docs/token"
LOCAL = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)
"""The hosts by which a browser on the machine of the service calls it."""

_OF_PROXIES = re.compile("forwarded|via|x-.*")  # browsers send none of these by themselves

_REFUSAL = (
    "Only the page /docs gets a token, by an address of this machine, in a browser that runs under "
    "the account of the service."
)


def add_docs_token(api: FastAPI, make: MakeToken) -> str:
    """Hand a token to the page of Swagger UI, and to no other; return what the page needs for it.

    Pages of other origins, also of this machine, send another Origin, and pages that came by
    another name another Host. A proxy in front would hand the token to the whole network.
    """

    async def serve(request: Request) -> Response:
        token = make(request.scope) if is_own_page(request) else None
        if token is None:
            return problem_response(request.scope, ORIGIN_NOT_ALLOWED, _REFUSAL)
        return JSONResponse({"token": token}, headers={"Cache-Control": "no-store"})

    api.add_route(f"/{_PATH}", serve, methods=["POST"])
    return f'<meta name="token" content="{_PATH}">\n'


def is_own_page(request: Request) -> bool:
    """Whether a page of the service itself sends the request, on the same machine and directly."""
    host = request.headers.get("host", "")
    return (
        LOCAL.fullmatch(host) is not None
        and request.headers.get("origin") == f"http://{host}"
        and not any(_OF_PROXIES.fullmatch(name) for name in request.headers)
    )
