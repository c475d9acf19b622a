"""Two messages and a behaviour to try the mediator on."""

from dataclasses import dataclass, field

from app.framework.mediator import Query
from app.framework.request import RequestContext


@dataclass(frozen=True, slots=True)
class Greet(Query[str]):
    """Say hello to somebody."""

    name: str


@dataclass(frozen=True, slots=True)
class GreetLoudly(Greet):
    """A message type of its own, though it derives from another."""


@dataclass(frozen=True, slots=True)
class CountGreetings(Query[int]):
    """How many have been greeted."""


async def greet(message: Greet, _: RequestContext) -> str:
    """The handler of Greet."""
    return f"Hello, {message.name}!"


@dataclass
class Diary:
    """What happened, in order; `behaviour` makes behaviours that write in it."""

    lines: list[str] = field(default_factory=list)

    def behaviour(self, name):
        """A behaviour that notes when it is entered and left."""

        async def note(message, context, proceed):
            self.lines.append(f"{name} in")
            result = await proceed(message, context)
            self.lines.append(f"{name} out")
            return result

        return note
