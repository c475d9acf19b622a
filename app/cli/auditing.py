"""The audit log of commands on the service's own machine."""

import contextlib
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from app.framework.mediator import Command, Mediator, Message
from app.framework.observability.audit import AuditOutcome, audit
from app.framework.principal import operator
from app.framework.request import NO_CONTEXT, RequestContext

ResultT = TypeVar("ResultT")

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


@contextlib.contextmanager
def audited(
    command: str, operation: str, resource: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Write the line of an operation when the `with` block ends, also by an error.

    It has the account of the operating system that runs the command.

    Args:
        command: the command of the command line.
        operation: the id of the same operation over HTTP, if there is one.
        resource: the ids of what it is about.

    """
    outcome = AuditOutcome.FAILED
    try:
        yield
        outcome = AuditOutcome.DONE
    finally:
        audit(
            operation,
            outcome,
            principal=operator(command),
            resource=resource,
            account=account(),
        )


def account() -> str:
    """The account of the operating system that this process runs as: its name, else its number."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # in a container it may have none
        return str(number)


class OperatorMediator(Mediator):
    """Sends the messages of an operator through `mediator`, and audits those that change state."""

    def __init__(self, mediator: Mediator, command: str) -> None:
        super().__init__()
        self._mediator = mediator
        self._command = command

    async def send(
        self,
        message: Message[ResultT],
        context: RequestContext = NO_CONTEXT,  # noqa: ARG002 - it says that nothing is known
    ) -> ResultT:
        """As `Mediator`."""
        known = RequestContext(principal=operator(self._command))
        if not issubclass(type(message), Command):
            return await self._mediator.send(message, known)
        operation = _WORD.sub("_", type(message).__name__).lower()
        with audited(self._command, operation, _ids(message)):
            return await self._mediator.send(message, known)


def _ids(message: Message[Any]) -> Mapping[str, str]:
    given = ((each.name, getattr(message, each.name)) for each in fields(message))  # type: ignore[arg-type]
    return {name: str(value) for name, value in given if type(value) in (str, int)}
