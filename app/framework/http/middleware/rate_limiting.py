"""Refuses requests of clients that have used up their rate limit."""

import asyncio
from functools import partial

from starlette.types import Receive, Scope, Send

from app.framework.http.answers import set_refused_client
from app.framework.http.costs import Costs
from app.framework.http.middleware.answer import Answer
from app.framework.http.middleware.answered import Answered
from app.framework.http.middleware.head import Head
from app.framework.http.principals import principal_of
from app.framework.http.problems.security import TOO_MANY_REQUESTS
from app.framework.http.rate_limits import RateLimits, Verdict
from app.framework.http.refusals import problem_response

UNLIMITED = "/health/"
"""The prefix of paths that are never refused: probes go by them."""


class RateLimiting:
    """Has the client of a request pay for it.

    Many requests of a client at once are spread over some time. Health is not refused, but answered
    later to an address that asks too often.
    """

    def __init__(self, limits: RateLimits, costs: Costs) -> None:
        self._limits = limits
        self._costs = costs

    async def charge(self, head: Head, answer: Answer) -> None:
        """Return when it is the turn of a request. Its answer will say how much is left.

        Raises:
            Answered: its client cannot pay for it.

        """
        scope, limits = head.scope, self._limits
        if head.path.startswith(UNLIMITED):
            delay = limits.delay_of_probe(scope)
        else:
            cost = self._costs.of(scope)
            verdict = limits.take(scope, principal_of(scope), cost)
            if verdict.is_refused:
                raise Answered(partial(refuse, limits, verdict))
            answer.limit_headers = verdict.headers
            delay = limits.spread(verdict, cost)
        if delay:
            await asyncio.sleep(delay)


async def refuse(
    limits: RateLimits, verdict: Verdict, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request that its client cannot pay for: later, if it goes on after refusals.

    Otherwise a client that does not listen would be refused as fast as it can send.
    """
    refusal = limits.refuse(verdict.key)
    set_refused_client(scope, verdict.key)
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
