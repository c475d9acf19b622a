"""Resources: operations that turn a request into a message, and its result into an answer.

    orders = Resource("/orders", tag="orders", singular="order", plural="orders", ...)

    @orders.command("POST", "/{order_id}/cancel", answer=Order, raises=(OrderNotFound,), ...)
    def cancel_order(order_id: OrderIdPath) -> CancelOrder:
        return CancelOrder(order_id)

The promises of an operation follow from its message and answer, and `endpoints` keeps them:
idempotency keys and consistency tokens of commands, If-Match if the message has an
`expected_version`; tokens of queries, If-None-Match if the answer has a `version`. `promises`
derives the documentation from the same.
"""

import asyncio
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.datastructures import Default
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.framework.http.access import sends
from app.framework.http.endpoints import endpoint_of
from app.framework.http.event_streams import EventStreamResponse
from app.framework.http.examples import Examples
from app.framework.http.operations import Names, Operation
from app.framework.http.planned_route import PlannedRoute
from app.framework.http.problems.kinds import ErrorMappings
from app.framework.http.promises import responses_of
from app.framework.mediator import Command, Mediator, Message, Query
from app.framework.misconfigured import Misconfigured
from app.framework.security import Policies

FunctionT = TypeVar("FunctionT", bound=Callable[..., Message[Any]])

Tag = Mapping[str, str]


class Resource:
    """Operations under one path, each declared by a function from a request to a message."""

    def __init__(
        self,
        prefix: str,
        *,
        tag: str,
        singular: str = "resource",
        plural: str = "resources",
        id_parameter: str = "",
    ) -> None:
        """A resource without operations yet; `Names` describes the arguments."""
        self.names = Names(
            prefix=prefix, tag=tag, singular=singular, plural=plural, id_parameter=id_parameter
        )
        self.operations: list[Operation] = []

    def command(
        self,
        method: str,
        path: str = "",
        *,
        summary: str,
        answer: type[BaseModel],
        answered: str,
        status: int = 200,
        raises: Sequence[type[Exception]] = (),
    ) -> Callable[[FunctionT], FunctionT]:
        """Declare an operation that sends the command that the function makes.

        Args:
            method: the HTTP method.
            path: the path below the resource's.
            summary: an imperative; the function's docstring is the description.
            answer: the schema of the answer.
            answered: the description of the answer, in a sentence.
            status: with 201 the answer has a Location.
            raises: the domain errors of the command.

        Raises:
            TypeError: the annotations of the function do not fit an operation.

        """
        return self._declaring(
            Command,
            method=method,
            path=path,
            summary=summary,
            answer=answer,
            answered=answered,
            status=status,
            raises=raises,
        )

    def query(
        self,
        path: str = "",
        *,
        summary: str,
        answer: type[BaseModel],
        answered: str,
        raises: Sequence[type[Exception]] = (),
        costs: Mapping[str, int] | None = None,
    ) -> Callable[[FunctionT], FunctionT]:
        """Declare an operation that sends the query that the function makes; see `command`.

        `costs` are those of requests with a query parameter, by its name, in units of the rate
        limit: a read costs 1, a page of a list 5.
        """
        return self._declaring(
            Query,
            method="GET",
            path=path,
            summary=summary,
            answer=answer,
            answered=answered,
            raises=raises,
            costs=costs or {},
        )

    def stream(
        self, path: str = "", *, summary: str, item: type[BaseModel], answered: str
    ) -> Callable[[FunctionT], FunctionT]:
        """Declare a stream of server-sent events, found by the `Follow` that the function makes.

        The function takes what `Follow` does. `item` is the schema of an event's data, with an
        example; see `command` for the rest.
        """
        return self._declaring(
            Query,
            method="GET",
            path=path,
            summary=summary,
            answer=item,
            answered=answered,
            is_stream=True,
        )

    def _declaring(
        self, kind: type[Message[Any]], **declared: Any
    ) -> Callable[[FunctionT], FunctionT]:
        def declare(function: FunctionT) -> FunctionT:
            message_types = _message_types(function)
            if not message_types or not all(issubclass(each, kind) for each in message_types):
                raise TypeError(
                    f"{function.__name__} has to be annotated with the {kind.__name__} it returns."
                )
            operation = Operation(function=function, message_types=message_types, **declared)
            operation.check()
            self.operations.append(operation)
            return function

        return declare

    def add_to(
        self,
        router: APIRouter,
        mediator: Mediator,
        policies: Policies,
        mappings: ErrorMappings,
        stopping: asyncio.Event,
    ) -> None:
        """Add a route for each operation to `router`.

        Raises:
            Misconfigured: an operation declares an error that none of `mappings` is for; its
                message has no policy, or those that it may send have several.

        """
        wrong = [
            f"The operation {operation.name} raises {error.__name__}, which has no problem."
            for operation in self.operations
            for error in operation.raises
            if error not in mappings
        ]
        for operation in self.operations:
            scopes = set(_scopes(operation, policies))
            if () in scopes or len(scopes) > 1:
                wrong.append(f"The operation {operation.name} sends messages without one policy.")
        if wrong:
            raise Misconfigured(wrong)
        # Routes are matched in order, and most requests are reads.
        for each in sorted(self.operations, key=lambda it: it.is_command):
            router.add_api_route(
                self.names.prefix + each.path,
                endpoint_of(each, self.names, mediator, policies, stopping),
                methods=[each.method],
                name=each.name,
                tags=[self.names.tag],
                summary=each.summary,
                status_code=each.status,
                responses=responses_of(each, self.names, self.operations, mappings),
                response_class=EventStreamResponse if each.is_stream else Default(JSONResponse),
                route_class_override=PlannedRoute,
                **sends(policies[each.message_types[0]]),
            )


def _scopes(operation: Operation, policies: Policies) -> list[Sequence[str]]:
    found = [policies.get(each) for each in operation.message_types]
    return [tuple(each.scopes) if each else () for each in found]


def _message_types(function: Callable[..., Any]) -> tuple[type[Message[Any]], ...]:
    returned = typing.get_type_hints(function).get("return")
    kinds = typing.get_args(returned) if isinstance(returned, UnionType) else (returned,)
    are_messages = all(isinstance(each, type) and issubclass(each, Message) for each in kinds)
    return kinds if are_messages else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSide:
    """A bounded context over HTTP.

    resources: its operations.
    problems: how its errors become problems.
    tags: what the OpenAPI document says of the tags of its resources.
    examples: those in the schemas that all contexts share; the first context that has some gives
        them.
    """

    resources: Sequence[Resource]
    problems: ErrorMappings
    tags: Sequence[Tag] = ()
    examples: Examples | None = None
