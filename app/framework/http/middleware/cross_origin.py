"""Lets pages of the origins in CORS_ORIGINS call the service."""

from functools import partial
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from app.framework.http.headers import HEADERS, RATE_LIMIT_HEADERS
from app.framework.http.middleware.answered import Answered
from app.framework.http.middleware.head import Head
from app.framework.http.problems import ORIGIN_NOT_ALLOWED
from app.framework.http.refusals import problem_response

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_TOO_MUCH = "The preflight asks for a method, or a network, that pages may not call by."


class CrossOrigin:
    """Answers preflights, and lets pages of `origins` read our headers: by Starlette's rules.

    Credentials that browsers send by themselves, such as cookies, are not allowed.
    """

    def __init__(self, origins: frozenset[str]) -> None:
        self._rules = CORSMiddleware(
            _no_app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=("*",),
            expose_headers=(*HEADERS, *RATE_LIMIT_HEADERS),
        )

    def answer_preflight(self, head: Head) -> None:
        """Return if a request is no preflight.

        Raises:
            Answered: it is one; the answer is a problem if it is refused.

        """
        if not _is_preflight(head):
            return
        headers = Headers(raw=head.lines)
        answer = self._rules.preflight_response(headers)
        if answer.status_code != HTTPStatus.OK:
            is_allowed = self._rules.is_allowed_origin(headers["origin"])
            detail = _TOO_MUCH if is_allowed else ORIGIN_NOT_ALLOWED.example
            vary = {"Vary": "Origin"}
            answer = problem_response(head.scope, ORIGIN_NOT_ALLOWED, detail, headers=vary)
        raise Answered(answer)

    def sending(self, head: Head, send: Send) -> Send:
        """Sends an answer, with the headers that let a page read it unless it is a preflight's."""
        if _is_preflight(head):
            return send
        return partial(self._rules.send, send=send, request_headers=Headers(raw=head.lines))


def _is_preflight(head: Head) -> bool:
    asked = head.scope["method"] == "OPTIONS" and b"access-control-request-method" in head.fields
    return asked and b"origin" in head.fields


async def _no_app(_: Scope, __: Receive, ___: Send) -> None:
    raise NotImplementedError
