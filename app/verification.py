"""What is checked before the service starts: that everything defined is also wired up."""

import importlib
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from app.eventsourcing import Event, EventRegistry
from app.mediator import HandlersMissing, Mediator, Message
from app.projecting import Projection


class Misconfigured(Exception):
    """The code does not fit together; `problems` says, a line each, all that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def verify(
    contexts: Sequence[ModuleType],
    kinds: Sequence[type[Message[Any]]],
    mediator: Mediator,
    registry: EventRegistry,
    projections: Sequence[Projection],
) -> None:
    """Make sure that the bounded contexts in the packages `contexts` are wired up.

    Every message of one of `kinds` has a handler, and no second one was registered; every
    event is registered, and can be decoded from each schema version it ever had; every
    projection defined is one of `projections`, under an id of its own, and applies or ignores
    each event of the contexts it draws on.

    Raises:
        Misconfigured: something is missing, or there twice.

    """
    problems = [
        problem
        for context in contexts
        for problem in (
            *_unhandled(context, kinds, mediator),
            *_unregistered(context, registry),
            *_unlisted(context, projections),
            *_without_stance(context, projections),
        )
    ]
    problems += map(str, mediator.duplicates)
    problems += (
        f"Two projections go by the id {name}."
        for name, number in Counter(each.id for each in projections).items()
        if number > 1
    )
    problems += (
        f"No upcaster leads on from {event_type} schema version {version}."
        for event_type, version in registry.missing_upcasters()
    )
    if problems:
        raise Misconfigured(problems)


def defined_in(package: ModuleType, base: type) -> list[type]:
    """Every subclass of `base` defined in `package` or below it, sorted by name.

    Imports all modules of the package, so that one nobody imported is found too.
    """
    _modules(package)
    found = [
        each
        for each in _subclasses(base)
        if f"{each.__module__}.".startswith(f"{package.__name__}.") and _is_current(each)
    ]
    return sorted(found, key=lambda each: each.__name__)


def _modules(package: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(each.name) for each in found]


def _subclasses(base: type) -> Iterator[type]:
    subclasses: list[type] = base.__subclasses__()
    for subclass in subclasses:
        yield subclass
        yield from _subclasses(subclass)


def _is_current(each: type) -> bool:
    # A dataclass with slots is a class made anew; the one it was made from stays listed.
    return getattr(sys.modules[each.__module__], each.__name__, None) is each


def _unhandled(
    context: ModuleType, kinds: Sequence[type[Message[Any]]], mediator: Mediator
) -> Iterator[str]:
    try:
        mediator.verify(each for kind in kinds for each in defined_in(context, kind))
    except HandlersMissing as missing:
        for each in missing.message_types:
            yield f"No handler is registered for {_name(each)}."


def _unregistered(context: ModuleType, registry: EventRegistry) -> Iterator[str]:
    for each in defined_in(context, Event):
        if each not in registry.event_classes:
            yield f"The event {_name(each)} is not registered."


def _unlisted(context: ModuleType, projections: Sequence[Projection]) -> Iterator[str]:
    # Modules import each other's projections, so one may be found several times.
    defined = {
        id(value): value
        for module in _modules(context)
        for value in vars(module).values()
        if isinstance(value, Projection)
    }
    for each in defined.values():
        if not any(each is listed for listed in projections):
            yield f"The projection {each.id} of {context.__name__} is not among those that are run."


def _without_stance(context: ModuleType, projections: Iterable[Projection]) -> Iterator[str]:
    events = defined_in(context, Event)
    for projection in projections:
        if not any(each in projection.applies for each in events):
            continue
        for each in projection.missing_stances(events):
            yield f"The projection {projection.id} neither applies nor ignores {_name(each)}."


def _name(each: type) -> str:
    return f"{each.__module__}.{each.__qualname__}"
