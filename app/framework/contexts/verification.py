"""The checks of start-up: everything that is defined must be wired up."""

import importlib
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from app.framework.contexts.context import Context
from app.framework.eventsourcing import AggregateType, Event, EventRegistry
from app.framework.mediator import Command, HandlersMissing, Mediator, Message, Query
from app.framework.misconfigured import Misconfigured
from app.framework.projections import Projection
from app.framework.security import without_policy

HTTP = "http"
"""The subpackage of a context for HTTP, which the checks do not import."""


def verify(
    contexts: Sequence[Context],
    kinds: Sequence[type[Message[Any]]],
    mediator: Mediator,
    registry: EventRegistry,
) -> None:
    """Check that `contexts` are wired up and do not conflict.

    Every message of one of `kinds` has a handler, and no second one was registered; every message
    has a policy; every event is in its manifest, and can be decoded from each schema version it
    ever had; every projection is in its manifest, under an id of its own and a name of its
    context's own, and handles or ignores each event of the contexts it draws on; every aggregate
    type is in its manifest, under a stream type of its own; no two contexts have one scope of
    claims.

    Raises:
        Misconfigured: something is missing or duplicated.

    """
    projections = [projection for each in contexts for projection in each.projections]
    problems = [
        problem
        for context in contexts
        for problem in (
            *_unhandled_messages(context, kinds, mediator),
            *_unguarded_messages(context),
            *_unlisted_events(context),
            *_unlisted(context, AggregateType, context.aggregates),
            *_unlisted(context, Projection, context.projections),
            *_unhandled_events(context, projections),
        )
    ]
    problems += map(str, mediator.duplicates)
    problems += _conflicts(contexts)
    problems += (
        f"There is no upcaster from {event_type} schema version {version}."
        for event_type, version in registry.missing_upcasters()
    )
    if problems:
        raise Misconfigured(problems)


def _conflicts(contexts: Sequence[Context]) -> Iterator[str]:
    ids = (projection.id for each in contexts for projection in each.projections)
    for each in _repeated(ids):
        yield f"Two projections have the id {each}."
    # A context may have several versions of a projection, and types of aggregates with one scope.
    names = (name for each in contexts for name in {it.name for it in each.projections})
    for each in _repeated(names):
        yield f"Two contexts have a projection named {each}."
    types = (aggregate.stream_type for each in contexts for aggregate in each.aggregates)
    for each in _repeated(types):
        yield f"Two types of aggregates have the stream type {each}."
    scopes = (scope for each in contexts for scope in _claim_scopes(each))
    for each in _repeated(scopes):
        yield f"Two contexts have the claim scope {each}."


def _claim_scopes(context: Context) -> set[str]:
    return {scope for aggregate in context.aggregates for scope in aggregate.claim_scopes}


def _repeated(names: Iterable[str]) -> Sequence[str]:
    return [name for name, number in Counter(names).items() if number > 1]


def defined_in(package: str, base: type) -> list[type]:
    """Every subclass of `base` defined in `package` or below it, sorted by name.

    Imports all modules of the package except those for HTTP, so that it also finds classes in
    modules that nothing imports.
    """
    _modules(package)
    found = [
        each
        for each in _subclasses(base)
        if f"{each.__module__}.".startswith(f"{package}.") and _is_current(each)
    ]
    return sorted(found, key=lambda each: each.__name__)


def _modules(package: str) -> list[ModuleType]:
    return [importlib.import_module(each) for each in _module_names(package)]


def _module_names(package: str) -> Iterator[str]:
    for each in pkgutil.iter_modules(importlib.import_module(package).__path__):
        name = f"{package}.{each.name}"
        if each.name != HTTP:
            yield name
            if each.ispkg:
                yield from _module_names(name)


def _subclasses(base: type) -> Iterator[type]:
    subclasses: list[type] = base.__subclasses__()
    for subclass in subclasses:
        yield subclass
        yield from _subclasses(subclass)


def _is_current(each: type) -> bool:
    # A dataclass with slots is a new class; the original stays in `__subclasses__`.
    return getattr(sys.modules[each.__module__], each.__name__, None) is each


def _unhandled_messages(
    context: Context, kinds: Sequence[type[Message[Any]]], mediator: Mediator
) -> Iterator[str]:
    try:
        mediator.verify(each for kind in kinds for each in defined_in(context.package, kind))
    except HandlersMissing as missing:
        for each in missing.message_types:
            yield f"No handler is registered for {_name(each)}."


def _unguarded_messages(context: Context) -> Iterator[str]:
    messages = [*defined_in(context.package, Command), *defined_in(context.package, Query)]
    for each in without_policy(context.policies, messages):
        yield f"There is no policy for {_name(each)}: who may send it?"


def _unlisted_events(context: Context) -> Iterator[str]:
    for each in defined_in(context.package, Event):
        if each not in context.events:
            yield f"The event {_name(each)} is not in the manifest of its context."


def _unlisted(context: Context, kind: type, listed: Sequence[Any]) -> Iterator[str]:
    # Modules import them of each other, so one may be found several times.
    defined: dict[int, Any] = {
        id(value): value
        for module in _modules(context.package)
        for value in vars(module).values()
        if isinstance(value, kind)
    }
    for each in defined.values():
        if not any(each is other for other in listed):
            yield (
                f"The {_described(each)} of {context.package} is not in the manifest of its "
                "context."
            )


def _described(each: AggregateType[Any] | Projection) -> str:
    if isinstance(each, Projection):
        return f"projection {each.id}"
    return f"aggregate type {each.stream_type}"


def _unhandled_events(context: Context, projections: Sequence[Projection]) -> Iterator[str]:
    events = defined_in(context.package, Event)
    for projection in projections:
        if not any(each in projection.handlers for each in events):
            continue
        for each in projection.unhandled_events(events):
            yield f"The projection {projection.id} neither handles nor ignores {_name(each)}."


def _name(each: type) -> str:
    return f"{each.__module__}.{each.__qualname__}"
