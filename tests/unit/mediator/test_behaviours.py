"""What is done around handlers."""

import asyncio
import logging
import time
from collections.abc import Iterator

import pytest

from app.framework.mediator import Deadline, Measure, Mediator
from app.framework.request import RequestContext
from tests.unit.mediator.greeting import Diary, Greet, greet
from tests.unit.metrics.reading import Since


class TooLate(Exception):
    """What the deadlines here raise."""


class Conflict(Exception):
    """What the handler here raises when another came first."""


def mediator_with(*behaviours, handler=greet) -> Mediator:
    """A mediator that handles Greet by `handler` inside `behaviours`."""
    mediator = Mediator()
    mediator.register(Greet.handled_by(handler), behaviours=behaviours)
    return mediator


async def test_the_first_behaviour_is_outermost():
    """Behaviours are entered in the order listed and left in the reverse."""
    diary = Diary()
    mediator = mediator_with(diary.behaviour("a"), diary.behaviour("b"), diary.behaviour("c"))

    assert await mediator.send(Greet("Alice")) == "Hello, Alice!"
    assert diary.lines == ["a in", "b in", "c in", "c out", "b out", "a out"]


async def test_a_behaviour_may_answer_instead_of_the_handler():
    """What does not proceed keeps the handler, and what is further in, from being called."""
    diary = Diary()

    async def answer(message, context, proceed):  # noqa: ARG001 - the point is not to proceed
        return "cached"

    mediator = mediator_with(diary.behaviour("outer"), answer, diary.behaviour("inner"))

    assert await mediator.send(Greet("Alice")) == "cached"
    assert diary.lines == ["outer in", "outer out"]


async def test_a_behaviour_may_proceed_again():
    """A retry runs everything further in once more."""
    diary = Diary()
    outcomes: Iterator[Conflict | str] = iter([Conflict(), Conflict(), "done"])

    async def conflict_twice(_: Greet, __: RequestContext) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Conflict):
            raise outcome
        return outcome

    async def retry(message, context, proceed):
        while True:
            try:
                return await proceed(message, context)
            except Conflict:
                diary.lines.append("again")

    mediator = mediator_with(retry, diary.behaviour("inner"), handler=conflict_twice)

    assert await mediator.send(Greet("Alice")) == "done"
    assert diary.lines == ["inner in", "again", "inner in", "again", "inner in", "inner out"]


async def test_a_behaviour_may_change_message_and_result():
    """What a behaviour passes on, either way, is what the other side sees."""

    async def rename(message, context, proceed):
        return (await proceed(Greet(message.name.title()), context)).upper()

    assert await mediator_with(rename).send(Greet("alice")) == "HELLO, ALICE!"


async def test_an_exception_passes_through_every_behaviour():
    """A behaviour sees what the handler raised, and the sender gets it."""
    seen = []

    async def watch(message, context, proceed):
        try:
            return await proceed(message, context)
        except Conflict as error:
            seen.append(error)
            raise

    async def refuse(_: Greet, __: RequestContext) -> str:
        raise Conflict

    with pytest.raises(Conflict) as raised:
        await mediator_with(watch, watch, handler=refuse).send(Greet("Alice"))
    assert seen == [raised.value, raised.value]


async def test_a_message_in_time_is_answered():
    """A deadline that is not reached changes nothing."""
    assert await mediator_with(Deadline(60, TooLate)).send(Greet("Alice")) == "Hello, Alice!"


async def test_a_late_handler_is_cancelled():
    """At the deadline the handler is cancelled, and the sender gets the deadline's error."""
    ended = []

    async def never(_: Greet, __: RequestContext) -> str:
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async with asyncio.timeout(5):
        with pytest.raises(TooLate) as late:
            await mediator_with(Deadline(0.01, TooLate), handler=never).send(Greet("Alice"))

    assert ended == ["cancelled"]
    # Its traceback says where the handler was.
    assert isinstance(late.value.__cause__, asyncio.CancelledError)


async def test_each_message_has_its_own_deadline():
    """Whatever became of those that began before it, and also after a time without any."""
    deadline, seconds = Deadline(0.05, TooLate), 0.05

    async def wait(greet: Greet, _: RequestContext) -> str:
        await asyncio.sleep(float(greet.name))
        return greet.name

    mediator = mediator_with(deadline, handler=wait)

    async def send(takes: float, *, begins: float = 0.0) -> tuple[bool, float]:
        await asyncio.sleep(begins)
        began = time.perf_counter()
        try:
            await mediator.send(Greet(str(takes)))
        except TooLate:
            return True, time.perf_counter() - began
        return False, time.perf_counter() - began

    for _ in range(2):
        early, late, later, other = await asyncio.gather(
            send(0.01), send(60), send(60, begins=0.03), send(0.01, begins=0.04)
        )
        assert [early[0], late[0], later[0], other[0]] == [False, True, True, False]
        assert late[1] >= seconds
        assert later[1] >= seconds


async def test_a_late_handler_that_times_out_is_late():
    """A call of its own makes a TimeoutError of the cancellation."""

    async def give_up(_: Greet, __: RequestContext) -> str:
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            raise TimeoutError from None

    with pytest.raises(TooLate):
        await mediator_with(Deadline(0.01, TooLate), handler=give_up).send(Greet("Alice"))


async def test_after_a_deadline_the_sender_is_not_cancelled():
    """Its task goes on; and one that is cancelled beside the deadline ends as that."""

    async def never(_: Greet, __: RequestContext) -> str:
        return await asyncio.Future()

    async def held(_: Greet, __: RequestContext) -> str:
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            sending.cancel()
            raise

    with pytest.raises(TooLate):
        await mediator_with(Deadline(0.01, TooLate), handler=never).send(Greet("Alice"))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)
    sending: asyncio.Future[str] = asyncio.ensure_future(
        mediator_with(Deadline(0.01, TooLate), handler=held).send(Greet("Alice"))
    )
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_a_timeout_of_the_handlers_own_is_not_the_deadline():
    """A TimeoutError that the handler raises in time comes through as it is."""
    own = TimeoutError("the handler's own")

    async def time_out(_: Greet, __: RequestContext) -> str:
        raise own

    with pytest.raises(TimeoutError) as raised:
        await mediator_with(Deadline(60, TooLate), handler=time_out).send(Greet("Alice"))
    assert raised.value is own


async def test_cancelling_the_sender_is_not_the_deadline():
    """Whoever cancels a send gets the cancellation, not the deadline's error."""
    started = asyncio.Event()

    async def never(_: Greet, __: RequestContext) -> str:
        started.set()
        return await asyncio.Future()

    async def send() -> str:
        return await mediator_with(Deadline(60, TooLate), handler=never).send(Greet("Alice"))

    sending = asyncio.create_task(send())
    await started.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
async def test_the_handler_gets_the_context(level, caplog):
    """Neither behaviour keeps it, be the message logged or not."""
    caplog.set_level(level, logger="tests.mediator")
    seen = []

    async def note(_: Greet, context: RequestContext) -> str:
        seen.append(context)
        return ""

    behaviours = (Measure(logging.getLogger("tests.mediator")), Deadline(60, TooLate))
    context = RequestContext(request_id="r")
    await mediator_with(*behaviours, handler=note).send(Greet("Alice"), context)
    assert seen == [context]


@pytest.fixture
def logger(caplog) -> logging.Logger:
    """A logger at debug level whose records `caplog` holds."""
    caplog.set_level(logging.DEBUG, logger="tests.mediator")
    return logging.getLogger("tests.mediator")


async def test_a_handled_message_is_logged(logger, caplog):
    """One debug line says the message's type, that it went well, and the time it took."""
    assert await mediator_with(Measure(logger)).send(Greet("Alice")) == "Hello, Alice!"

    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith("Greet: ok in ")
    assert record.getMessage().endswith(" ms")


async def test_the_time_that_is_logged_is_that_of_the_handler(logger, caplog):
    """In milliseconds."""
    handled = []

    async def wait(_: Greet, __: RequestContext) -> str:
        began = time.perf_counter()
        await asyncio.sleep(0.01)
        handled.append(time.perf_counter() - began)
        return ""

    began = time.perf_counter()
    await mediator_with(Measure(logger), handler=wait).send(Greet("Alice"))
    whole = time.perf_counter() - began
    *_, logged = caplog.records[0].args
    assert handled[0] * 1000 <= logged <= whole * 1000


async def test_a_refused_message_is_logged_by_its_error(logger, caplog):
    """The line names the type of the error, which goes on to the sender."""

    async def refuse(_: Greet, __: RequestContext) -> str:
        raise Conflict

    with pytest.raises(Conflict):
        await mediator_with(Measure(logger), handler=refuse).send(Greet("Alice"))
    assert caplog.records[0].getMessage().startswith("Greet: Conflict in ")


async def test_a_cancelled_message_is_logged_as_that(logger, caplog):
    """A message that was given up leaves its line too."""

    async def never(_: Greet, __: RequestContext) -> str:
        return await asyncio.Future()

    with pytest.raises(TooLate):
        await mediator_with(Deadline(0.01, TooLate), Measure(logger), handler=never).send(
            Greet("A")
        )
    assert caplog.records[0].getMessage().startswith("Greet: cancelled in ")


async def test_the_log_holds_no_personal_data(logger, caplog):
    """What the message carries is not logged."""
    await mediator_with(Measure(logger)).send(Greet("Alice"))
    assert "Alice" not in caplog.text


async def test_above_debug_level_nothing_is_logged(logger, caplog):
    """Where debug lines are not wanted, the behaviour only proceeds."""
    caplog.set_level(logging.INFO, logger="tests.mediator")
    assert await mediator_with(Measure(logger)).send(Greet("Alice")) == "Hello, Alice!"
    assert caplog.records == []


async def test_messages_are_counted_by_how_they_end(logger):
    """With the time that each took."""
    since = Since()
    mediator = mediator_with(Measure(logger))
    await mediator.send(Greet("Alice"))
    await mediator.send(Greet("Bob"))

    assert since("diptych_messages_total", message="Greet", outcome="ok") == 2
    assert since("diptych_message_duration_seconds_count", message="Greet") == 2
