"""Refuses requests of clients that have used up their rate limit."""

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.framework.http.answers import set_unwritten
from app.framework.http.costs import Costs
from app.framework.http.operation_index import path_of
from app.framework.http.principals import principal_of
from app.framework.http.problems.security import TOO_MANY_REQUESTS
from app.framework.http.rate_limits import RateLimits, Verdict
from app.framework.http.refusals import problem_response

UNLIMITED = "/health/"
"""The prefix of paths that are never refused: probes go by them."""


class RateLimiting:
    """Has the client of a request pay for it, and refuses it before its body is read otherwise.

    The answer says how much is left. Many requests of a client at once are spread over some time.
    Health is not refused, but answered later to an address that asks too often.
    """

    def __init__(self, app: ASGIApp, limits: RateLimits, costs: Costs) -> None:
        self._app = app
        self._limits = limits
        self._costs = costs

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine, which would cost every request some time.
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        if path_of(scope).startswith(UNLIMITED):
            delay = self._limits.delay_of_probe(scope)
            return self._answer_later(delay, scope, receive, send)
        cost = self._costs.of(scope)
        verdict = self._limits.take(scope, principal_of(scope), cost)
        if verdict.is_refused:
            return refuse(self._limits, verdict, scope, receive, send)

        def send_with_limit(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *verdict.headers]
            return send(message)

        delay = self._limits.spread(verdict, cost)
        if not delay:
            return self._app(scope, receive, send_with_limit)
        return self._answer_later(delay, scope, receive, send_with_limit)

    async def _answer_later(self, delay: float, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(delay)
        await self._app(scope, receive, send)


async def refuse(
    limits: RateLimits, verdict: Verdict, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request that its client cannot pay for: later, if it goes on after refusals.

    Otherwise a client that does not listen would be refused as fast as it can send.
    """
    refusal = limits.refuse(verdict.key)
    set_unwritten(scope, refusal.unwritten)
    if refusal.delay:
        try:
            await asyncio.sleep(refusal.delay)
        finally:
            limits.release(verdict.key)
    seconds = verdict.retry_after
    headers = {"Retry-After": str(seconds)} | ({"Connection": "close"} if refusal.closes else {})
    detail = f"You send more requests than one client may. Send it again in {seconds} s."
    answer = problem_response(scope, TOO_MANY_REQUESTS, detail, headers=headers)
    answer.raw_headers.extend(verdict.headers)
    await answer(scope, receive, send)
