"""What concerns every request, in one layer around the application."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from app.framework.http.middleware.access_lines import AccessLines
from app.framework.http.middleware.admission import Admission
from app.framework.http.middleware.answer import Answer
from app.framework.http.middleware.answered import Answered
from app.framework.http.middleware.auditing import Auditing
from app.framework.http.middleware.authentication import Authentication
from app.framework.http.middleware.body_limit import BodyLimit
from app.framework.http.middleware.cross_origin import CrossOrigin
from app.framework.http.middleware.head import Head
from app.framework.http.middleware.last_resort import stopping, unhandled
from app.framework.http.middleware.measuring import active
from app.framework.http.middleware.rate_limiting import RateLimiting
from app.framework.http.middleware.request_guard import RequestGuard
from app.framework.http.middleware.request_ids import ids_of
from app.framework.http.operation_index import set_operation
from app.framework.http.request_id import set_request_id
from app.framework.request import logged_request_id


class Edge:
    """Takes each request through the steps, in their order, to the application or to a refusal.

    A middleware for each step would cost each request two calls for each message of its answer, and
    most of them a coroutine.
    """

    def __init__(  # noqa: PLR0913 - each by its name
        self,
        app: ASGIApp,
        *,
        auditing: Auditing,
        access_lines: AccessLines | None,
        cross_origin: CrossOrigin | None,
        guard: RequestGuard,
        authentication: Authentication,
        rate_limiting: RateLimiting | None,
        body_limit: BodyLimit,
        admission: Admission,
    ) -> None:
        self._app = app
        self._operations = auditing.operations
        self._auditing = auditing
        self._access_lines = access_lines
        self._cross_origin = cross_origin
        self._guard = guard
        self._authentication = authentication
        self._rate_limiting = rate_limiting
        self._body_limit = body_limit
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = Head(scope)
        ids = ids_of(head)
        set_request_id(scope, *ids)
        set_operation(scope, self._operations.at(scope["method"], head.path))
        logged = logged_request_id.set(ids)
        if self._cross_origin:
            send = self._cross_origin.sending(head, send)
        answer = Answer(head, ids[0], send, self._auditing, self._access_lines)
        active.value += 1
        try:
            await self._pass_on(head, receive, answer)
        except (asyncio.CancelledError, Exception) as error:
            if answer.has_started:
                raise  # to the server, which closes the connection
            answer.limit_headers = ()
            given_up = stopping if isinstance(error, asyncio.CancelledError) else unhandled
            await given_up(scope)(scope, receive, answer.send)
        finally:
            active.value -= 1
            answer.give_place_back()
            logged_request_id.reset(logged)

    async def _pass_on(self, head: Head, receive: Receive, answer: Answer) -> None:
        app = self._app
        try:
            if self._cross_origin:
                self._cross_origin.answer_preflight(head)
            self._guard.check(head)
            await self._authentication.identify(head)
            if self._rate_limiting:
                await self._rate_limiting.charge(head, answer)
            if self._body_limit.applies(head):
                receive = await self._body_limit.read(head, receive)
            self._admission.admit(head, answer)
        except Answered as answered:
            app = answered.answer
        await app(head.scope, receive, answer.send)
