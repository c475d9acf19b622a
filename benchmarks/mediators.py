"""The mediator: what a send costs, against a direct await and against two libraries."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from app.framework.mediator import Mediator, Query
from app.framework.request import NO_CONTEXT, RequestContext
from benchmarks.figures import Figure, at_least, at_most, figure

SENDS = 50_000
ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Ask(Query[int]):
    """A message for the service's mediator."""

    number: int


class AskHandler:
    """Answers it."""

    async def __call__(self, query: Ask, _: RequestContext = NO_CONTEXT) -> int:
        """Answer with what is in it."""
        return query.number


def mediators() -> Iterator[Figure]:
    """A send with no behaviour."""
    ways: dict[str, Callable[[Ask], Awaitable[int]]] = {
        "await": AskHandler(),
        "mediator": _mediator(),
        "mediatr": _mediatr(),
        "diator": _diator(),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, send in ways.items():
            number = SENDS if name in {"await", "mediator"} else SENDS // 20
            seconds[name].append(asyncio.run(_time(send, number)) / number)
    pairs = {
        name: [
            ours / theirs for ours, theirs in zip(seconds["mediator"], seconds[name], strict=True)
        ]
        for name in ways
    }
    absolute = "; ".join(f"{name} {min(each) * 1e9:,.0f} ns" for name, each in seconds.items())
    yield figure(
        "time of a mediator send against a direct await",
        pairs["await"],
        target=at_most(2),
        absolute=absolute,
    )
    for name in ("mediatr", "diator"):
        yield figure(
            f"time of a send with {name} against one with the mediator",
            [1 / each for each in pairs[name]],
            target=at_least(10) if name == "mediatr" else None,
        )


async def _time(send: Callable[[Ask], Awaitable[int]], number: int) -> float:
    message = Ask(7)
    began = time.perf_counter()
    for _ in range(number):
        await send(message)
    return time.perf_counter() - began


def _mediator() -> Callable[[Ask], Awaitable[int]]:
    mediator = Mediator()
    mediator.register(Ask.handled_by(AskHandler()))
    return mediator.send


def _mediatr() -> Callable[[Ask], Awaitable[int]]:
    from mediatr import Mediator as TheirMediator  # noqa: PLC0415 - installed for benchmarks only

    async def handler(request: Ask) -> int:
        return request.number

    TheirMediator.register_handler(handler)
    send: Callable[[Ask], Awaitable[int]] = TheirMediator().send_async
    return send


def _diator() -> Callable[[Ask], Awaitable[int]]:
    from diator.mediator import Mediator as TheirMediator  # noqa: PLC0415 - as above
    from diator.requests import RequestMap  # noqa: PLC0415 - as above

    class Handler:
        events = ()

        async def handle(self, request: Ask) -> int:
            return request.number

    class Container:
        """The least that it asks for; real ones take longer."""

        def __init__(self) -> None:
            self._handler = Handler()

        async def resolve(self, _: type) -> Handler:
            return self._handler

    requests = RequestMap()
    requests.bind(Ask, Handler)
    mediator = TheirMediator(request_map=requests, container=Container())
    send: Callable[[Ask], Awaitable[int]] = mediator.send
    return send
