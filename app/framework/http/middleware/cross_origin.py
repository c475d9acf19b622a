"""Lets pages of the origins in CORS_ORIGINS call the service."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.framework.http.headers import HEADERS, RATE_LIMIT_HEADERS
from app.framework.http.problems import ORIGIN_NOT_ALLOWED
from app.framework.http.refusals import problem_response

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_TOO_MUCH = "The preflight asks for a method, or a network, that pages may not call by."


class CrossOrigin(CORSMiddleware):
    """Starlette's middleware: it answers preflights, and lets pages of `origins` read our headers.

    It does not allow credentials that browsers send by themselves, such as cookies. A refused
    preflight is answered with a problem.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=("*",),
            expose_headers=(*HEADERS, *RATE_LIMIT_HEADERS),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code == HTTPStatus.OK:
            return answer
        is_allowed = self.is_allowed_origin(request_headers["origin"])
        return _Refused(_TOO_MUCH if is_allowed else ORIGIN_NOT_ALLOWED.example)


class _Refused(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = bytes(self.body).decode()
        answer = problem_response(scope, ORIGIN_NOT_ALLOWED, detail, headers={"Vary": "Origin"})
        await answer(scope, receive, send)
