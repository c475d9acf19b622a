"""The operations of every context, each with an example of a call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.bootstrap import CONTEXTS
from app.framework.contexts import Context
from app.framework.http.operations import Operation
from app.framework.http.resources import Resource
from app.framework.mediator import Command
from tests.contexts.declarations import Call, Example, declared_by, name_of


@dataclass(frozen=True)
class Case:
    """An operation, its resource, and an example of it."""

    name: str
    operation: Operation
    resource: Resource
    example: Example

    @property
    def call(self) -> Call:
        """The call of the example."""
        return self.example.call

    @property
    def is_command(self) -> bool:
        """Whether it changes something."""
        return all(issubclass(each, Command) for each in self.operation.message_types)

    @property
    def expects_version(self) -> bool:
        """Whether it is a command for one version of its aggregate."""
        kinds: Sequence[Any] = self.operation.message_types
        return any(field.name == "expected_version" for kind in kinds for field in fields(kind))

    @property
    def has_etag(self) -> bool:
        """Whether it is a query whose answer has a version."""
        return not self.is_command and "version" in self.operation.answer.model_fields

    @property
    def is_page(self) -> bool:
        """Whether its answer leads on to another page."""
        return "next_cursor" in self.operation.answer.model_fields

    def paths_to(self, made: str) -> Iterator[str]:
        """Where what its resource has under the id `made` is read, with an ETag."""
        names = self.resource.names
        one = f"/{{{names.id_parameter}}}"
        for each in self.resource.operations:
            is_read = each.method == "GET" and "version" in each.answer.model_fields
            if is_read and each.path == one:
                yield f"{names.prefix}/{made}"


def operations_of(context: Context) -> Iterator[tuple[Resource, Operation]]:
    """The operations of a context that answer once, unlike streams."""
    for resource in context.http().resources if context.http else ():
        for each in resource.operations:
            if not each.is_stream:
                yield resource, each


def _cases() -> Iterator[Case]:
    for context in CONTEXTS:
        examples: Sequence[Example] = declared_by(context).EXAMPLES
        for resource, operation in operations_of(context):
            for each in examples:
                if each.call.operation == operation.name:
                    name = f"{name_of(context)}-{operation.name}"
                    yield Case(name, operation, resource, each)


CASES = list(_cases())
