"""Kinds of problems, and how an exception becomes one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem, which clients distinguish by its `code`.

    example: a `detail`, for the documentation.
    meaning: when it comes and what to do, in full sentences; empty if the status says it all.
    retry_after: after how many seconds a retry makes sense; None if it does not.
    """

    status: int
    code: str
    title: str
    example: str
    meaning: str = ""
    retry_after: int | None = None

    @property
    def uri(self) -> str:
        """The `type` of problems: the address of its meaning, if it has one."""
        return self.uri_under("")

    def uri_under(self, root_path: str) -> str:
        """`uri` with the prefix `root_path` that a proxy strips."""
        return f"{root_path}/problems/{self.code}" if self.meaning else "about:blank"


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """How an exception becomes a problem: of which kind, and what its detail and headers say.

    The detail is the error's own message unless said otherwise, which is right only for
    messages that are meant for clients.
    """

    problem: ProblemType
    detail: Callable[[Any], str] = str
    headers: Callable[[Any], Mapping[str, str]] | None = None


ErrorMappings = Mapping[type[Exception], ErrorMapping]
