"""One handler per message type."""

import pytest

from app.framework.mediator import (
    DuplicateHandler,
    HandlerMissing,
    HandlersMissing,
    Mediator,
    Registration,
)
from app.framework.principal import operator
from app.framework.request import NO_CONTEXT, RequestContext
from tests.unit.mediator.greeting import CountGreetings, Greet, GreetLoudly, greet


@pytest.fixture
def mediator() -> Mediator:
    """A mediator that handles Greet."""
    mediator = Mediator()
    mediator.register(Greet.handled_by(greet))
    return mediator


async def test_a_message_is_answered_by_its_handler(mediator):
    """The result of `send` is what the handler returns."""
    assert await mediator.send(Greet("Alice")) == "Hello, Alice!"


async def test_the_handler_gets_the_very_message_sent(mediator):
    """The message is not copied or converted on its way."""
    received = []

    async def count(query: CountGreetings, _: RequestContext) -> int:
        received.append(query)
        return len(received)

    mediator.register(CountGreetings.handled_by(count))
    query = CountGreetings()

    assert await mediator.send(query) == 1
    assert received[0] is query


async def test_the_context_reaches_behaviours_and_the_handler():
    """The very one that was sent; without one it is that of nothing."""
    seen = []

    async def note(message, context, proceed):
        seen.append(context)
        return await proceed(message, context)

    async def count(_: CountGreetings, context: RequestContext) -> int:
        seen.append(context)
        return 0

    mediator = Mediator()
    mediator.register(CountGreetings.handled_by(count), behaviours=[note, note])
    context = RequestContext(request_id="r", principal=operator("alice"))
    await mediator.send(CountGreetings(), context)
    await mediator.send(CountGreetings())

    assert all(each is context for each in seen[:3])
    assert seen[3:] == [NO_CONTEXT] * 3


def test_handled_by_pairs_a_message_type_with_its_handler():
    """A registration says which type it is for, and who handles it."""
    assert Greet.handled_by(greet) == Registration(Greet, greet)


async def test_a_second_handler_is_refused_at_once(mediator):
    """Registering a type twice names the type and both handlers, and the first one stays."""

    async def shout(message: Greet, _: RequestContext) -> str:
        return message.name.upper()

    with pytest.raises(DuplicateHandler) as refused:
        mediator.register(Greet.handled_by(shout))

    assert all(name in str(refused.value) for name in ("Greet ", "greet at", "shout at"))
    assert mediator.duplicates == (refused.value,)
    assert await mediator.send(Greet("Alice")) == "Hello, Alice!"


async def test_a_message_nobody_handles_is_refused(mediator):
    """The error names the message's type."""
    with pytest.raises(HandlerMissing, match="CountGreetings") as refused:
        await mediator.send(CountGreetings())
    assert refused.value.message_type is CountGreetings


async def test_dispatch_is_by_the_exact_type(mediator):
    """The handler of a message type is not the handler of its subclasses."""
    with pytest.raises(HandlerMissing, match="GreetLoudly"):
        await mediator.send(GreetLoudly("Alice"))


async def test_a_refused_send_registers_nothing(mediator):
    """A message that was refused is refused the next time too, until it has a handler."""
    for _ in range(2):
        with pytest.raises(HandlerMissing):
            await mediator.send(GreetLoudly("Alice"))
    with pytest.raises(HandlersMissing):
        mediator.verify([GreetLoudly])

    mediator.register(GreetLoudly.handled_by(greet))
    assert await mediator.send(GreetLoudly("Alice")) == "Hello, Alice!"


def test_verify_lists_every_type_without_a_handler(mediator):
    """All that is missing is named in one go, by module, in the order asked."""
    with pytest.raises(HandlersMissing) as missing:
        mediator.verify([CountGreetings, Greet, GreetLoudly])

    assert missing.value.message_types == (CountGreetings, GreetLoudly)
    module = "tests.unit.mediator.greeting"
    assert f"{module}.CountGreetings, {module}.GreetLoudly" in str(missing.value)


def test_verify_accepts_what_is_all_handled(mediator):
    """With a handler for every type there is nothing to say."""
    mediator.verify([Greet])
    mediator.verify([])


async def test_what_the_handler_raises_comes_through(mediator):
    """The sender sees the handler's own exception, unwrapped."""
    refusal = PermissionError("not you")

    async def refuse(_: CountGreetings, __: RequestContext) -> int:
        raise refusal

    mediator.register(CountGreetings.handled_by(refuse))
    with pytest.raises(PermissionError) as raised:
        await mediator.send(CountGreetings())
    assert raised.value is refusal
