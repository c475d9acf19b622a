"""Declarations of operations, and the properties that follow from them."""

import inspect
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from http import HTTPStatus
from typing import Any

from fastapi import params
from pydantic import BaseModel

from app.framework.mediator import Command, Message
from app.framework.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that the operations of a resource share.

    prefix: the start of their paths.
    tag: their group in the OpenAPI document.
    singular, plural: the names of one and of several, in descriptions.
    id_parameter: the path parameter with the id; answers have it as `id`.
    """

    prefix: str
    tag: str
    singular: str
    plural: str
    id_parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation: a method on a path, and the function from a request to a message.

    message_types: the types of messages that the function may return.
    answer: the schema of the answer; of the data of an event if it `is_stream`.
    answered: the description of the answer, in a sentence.
    raises: the domain errors of the message.
    costs: what a request costs that has a query parameter of this name, where it costs more.
    """

    function: Callable[..., Message[Any]]
    message_types: Sequence[type[Message[Any]]]
    method: str
    path: str
    summary: str
    answer: type[BaseModel]
    answered: str
    status: int = 200
    raises: Sequence[type[Exception]] = ()
    is_stream: bool = False
    costs: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its id in the OpenAPI document."""
        return self.function.__name__

    @property
    def is_command(self) -> bool:
        return issubclass(self.message_types[0], Command)

    @property
    def parameters(self) -> Sequence[inspect.Parameter]:
        """The parameters of the function that a request gives, by what is sent."""
        return [each for each in self._all_parameters if each.annotation is not Principal]

    @property
    def principal(self) -> str | None:
        """The name of the parameter for the principal of the request; None without one."""
        found = (each.name for each in self._all_parameters if each.annotation is Principal)
        return next(found, None)

    @property
    def _all_parameters(self) -> Sequence[inspect.Parameter]:
        return list(inspect.signature(self.function, eval_str=True).parameters.values())

    @property
    def body(self) -> str | None:
        """The name of the parameter for the body; None without one."""
        return next((it.name for it in self.parameters if _is_model(it.annotation)), None)

    @property
    def beside_path_and_body(self) -> Sequence[str]:
        """The names of the other parameters, outside the path and the body."""
        names = [each.name for each in self.parameters]
        return [each for each in names if each != self.body and not self.takes(each)]

    @property
    def required(self) -> Collection[str]:
        """The names of the parameters that every request has, the body aside."""
        required = {it.name for it in self.parameters if it.default is inspect.Parameter.empty}
        return required - {self.body}

    @property
    def expects_version(self) -> bool:
        """Whether the message has an expected version: then it takes If-Match."""
        return _expects_version(self.message_types[0])

    @property
    def is_new(self) -> bool:
        """Whether it creates something: then the answer has a Location."""
        return self.status == HTTPStatus.CREATED

    @property
    def has_version(self) -> bool:
        """Whether the answer has a version: then it has an ETag."""
        return "version" in self.answer.model_fields and not self.is_stream

    @property
    def has_cursor(self) -> bool:
        return "cursor" in {each.name for each in self.parameters}

    def takes(self, parameter: str) -> bool:
        return f"{{{parameter}}}" in self.path

    def check(self) -> None:
        """Check that its promises can be kept.

        Raises:
            TypeError: they cannot; the message says why.

        """
        if self.is_stream:
            self._check_stream()
            return
        for each in self.parameters:
            if not (_is_model(each.annotation) or _is_declared(each.annotation)):
                raise TypeError(
                    f"{self.name}: {each.name} has to be a model, which is the body, or annotated "
                    "with Path, Query or Header."
                )
        if len({_expects_version(each) for each in self.message_types}) > 1:
            raise TypeError(f"{self.name}: some of its messages have an expected_version.")
        if self.is_new and "id" not in self.answer.model_fields:
            raise TypeError(
                f"{self.name}: without an id the answer cannot say where the new one is."
            )

    def _check_stream(self) -> None:
        if len(self.parameters) != 2:  # noqa: PLR2004 - as `Follow` has them
            raise TypeError(f"{self.name}: a stream takes a position and a number of seconds.")
        examples = self.answer.model_json_schema().get("examples", ())
        if not any("position" in each for each in examples):
            raise TypeError(f"{self.name}: {self.answer.__name__} has no example with a position.")


def _expects_version(message_type: type[Message[Any]]) -> bool:
    return "expected_version" in {each.name for each in fields(message_type)}  # type: ignore[arg-type]


def _is_declared(annotation: Any) -> bool:
    return any(isinstance(each, params.Param) for each in typing.get_args(annotation)[1:])


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
