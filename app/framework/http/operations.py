"""Operations as they are declared, and what follows from a declaration."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import BaseModel

from app.framework.mediator import Command, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a resource's operations have in common.

    prefix: what their paths begin with.
    tag: what the OpenAPI document groups them under.
    singular, plural: what one and several of what is there are called.
    id_parameter: the path parameter that names one; its answers have it as `id`.
    """

    prefix: str
    tag: str
    singular: str = ""
    plural: str = ""
    id_parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: a method on a path, and the function from what is sent to a message.

    message_types: of the messages that the function may return.
    answer: the schema of what is answered; of an event's data if it `is_stream`.
    answered: what that is, in a sentence.
    raises: the domain errors that it may be refused with.
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

    @property
    def name(self) -> str:
        """Its id in the OpenAPI document."""
        return self.function.__name__

    @property
    def is_command(self) -> bool:
        """Whether it changes state."""
        return issubclass(self.message_types[0], Command)

    @property
    def parameters(self) -> Sequence[inspect.Parameter]:
        """What the function takes."""
        return list(inspect.signature(self.function, eval_str=True).parameters.values())

    @property
    def body(self) -> str | None:
        """The name of the parameter that is the request's body."""
        bodies = [it.name for it in self.parameters if _is_model(it.annotation)]
        return bodies[0] if bodies else None

    @property
    def expects_version(self) -> bool:
        """Whether the message says which version it is for, hence If-Match."""
        names = {each.name for kind in self.message_types for each in fields(kind)}  # type: ignore[arg-type]
        return "expected_version" in names

    @property
    def has_version(self) -> bool:
        """Whether the answer has a version, hence an ETag."""
        return "version" in self.answer.model_fields and not self.is_stream

    @property
    def has_cursor(self) -> bool:
        """Whether it answers in pages."""
        return "cursor" in {each.name for each in self.parameters}

    def takes(self, parameter: str) -> bool:
        """Whether its path has this parameter."""
        return f"{{{parameter}}}" in self.path


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
