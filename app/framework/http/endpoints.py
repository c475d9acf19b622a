"""The endpoints of operations; they keep the promises of the service for all of them."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from fastapi import Request, Response

from app.framework.http.addresses import client_network
from app.framework.http.broadcast import EventBatch
from app.framework.http.consistency import minimum_position
from app.framework.http.entity_tags import expected_version, names_version
from app.framework.http.event_streams import EventStreamResponse, EventStreams, one_line
from app.framework.http.headers import set_etag, set_location, set_written
from app.framework.http.idempotency import idempotency_key
from app.framework.http.operations import Names, Operation
from app.framework.http.parameters import (
    ConsistencyToken,
    IdempotencyKey,
    IfNoneMatch,
    LastEventId,
    if_match,
)
from app.framework.http.principals import context_of, principal_of, still_admitted
from app.framework.mediator import Mediator
from app.framework.request import RequestContext
from app.framework.security import Policies, Policy

Endpoint = Callable[..., Awaitable[Any]]

_TOKEN, _KEY, _IF_MATCH, _IF_NONE_MATCH, _LAST_EVENT_ID = (
    "consistency_token",
    "idempotency_key",
    "if_match",
    "if_none_match",
    "last_event_id",
)


def endpoint_of(
    operation: Operation,
    names: Names,
    mediator: Mediator,
    policies: Policies,
    stopping: asyncio.Event,
) -> Endpoint:
    """The endpoint of `operation`, with its own parameters and those of its promises.

    `stopping` is set when streams have to end.
    """
    if operation.is_stream:
        policy = policies[operation.message_types[0]]
        return _stream(operation, names, mediator, policy, stopping)
    if operation.is_command:
        return _command(operation, names, mediator)
    return _query(operation, mediator)


def _command(operation: Operation, names: Names, mediator: Mediator) -> Endpoint:
    to_message, body, answer = operation.function, operation.body, operation.answer
    is_new, further = operation.is_new, operation.beside_path_and_body
    caller = operation.principal

    async def endpoint(request: Request, response: Response, **sent: Any) -> Any:
        expected = sent.pop(_IF_MATCH, None)
        key = idempotency_key(
            sent.pop(_KEY),
            request,
            sent[body] if body else None,
            {each: sent[each] for each in further},
        )
        if caller:
            sent[caller] = principal_of(request.scope)
        message: Any = to_message(**sent)
        if expected is not None:
            message = replace(message, expected_version=expected_version(expected))
        context = context_of(request.scope, idempotency_key=key)
        outcome = await mediator.send(message, context)
        if outcome.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        answered: Any = answer.model_validate(outcome.value)
        if is_new:
            set_location(response, request, f"{names.prefix}/{answered.id}")
        set_written(response, version=outcome.version, position=outcome.position)
        return answered

    headers = {_IF_MATCH: if_match(names.singular)} if operation.expects_version else {}
    return _declared(endpoint, operation, answer, {**headers, _KEY: IdempotencyKey})


def _query(operation: Operation, mediator: Mediator) -> Endpoint:
    to_message, answer = operation.function, operation.answer
    is_versioned, caller = operation.has_version, operation.principal

    async def endpoint(request: Request, response: Response, **sent: Any) -> Any:
        known = sent.pop(_IF_NONE_MATCH, None)
        position = minimum_position(sent.pop(_TOKEN))
        context = context_of(request.scope, minimum_position=position)
        if caller:
            sent[caller] = principal_of(request.scope)
        result: Any = await mediator.send(to_message(**sent), context)
        if is_versioned:
            set_etag(response, result.version)
            if names_version(known, result.version):
                return Response(None, 304, response.headers)
        return answer.model_validate(result)

    headers = {_IF_NONE_MATCH: IfNoneMatch} if is_versioned else {}
    return _declared(endpoint, operation, answer, {**headers, _TOKEN: ConsistencyToken})


def _stream(
    operation: Operation,
    names: Names,
    mediator: Mediator,
    policy: Policy,
    stopping: asyncio.Event,
) -> Endpoint:
    to_message, item = operation.function, operation.answer

    async def look(after: int | None, seconds: float, context: RequestContext) -> EventBatch:
        found: Any = await mediator.send(to_message(after, seconds), context)
        events = [
            (position, one_line(item.model_validate(each).model_dump_json()))
            for position, each in found.items
        ]
        return EventBatch(events, found.position)

    streams = EventStreams(names.tag, look, stopping)

    async def endpoint(request: Request, **sent: Any) -> EventStreamResponse:
        position = minimum_position(sent[_TOKEN])
        context = context_of(request.scope, minimum_position=position)
        policy.check(to_message(None, 0.0), context.principal)
        client = context.principal.realm or client_network(request.scope)
        return await streams.response(
            sent[_LAST_EVENT_ID],
            client=client,
            context=context,
            is_still_admitted=still_admitted(request.scope),
        )

    headers = {_LAST_EVENT_ID: LastEventId, _TOKEN: ConsistencyToken}
    return _declared(endpoint, operation, EventStreamResponse, headers)


def _declared(
    endpoint: Endpoint, operation: Operation, returned: Any, headers: dict[str, Any]
) -> Endpoint:
    """`endpoint` with the name, the docstring and the parameters of the operation."""
    own = [] if operation.is_stream else operation.parameters
    asked = [
        each
        for each in inspect.signature(endpoint).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    optional = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in headers.items()
    ]
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *asked)]
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*parameters, *optional], return_annotation=returned
    )
    endpoint.__name__ = operation.name
    endpoint.__doc__ = operation.function.__doc__
    return endpoint
