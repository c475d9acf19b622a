"""The question before something is destroyed."""

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", help="Do it without a question.")]
"""The option of a command that destroys something."""


class NotConfirmed(typer.TyperException):
    """The command does nothing; its exit status is `exit_code`."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def confirm(question: str, *, yes: bool) -> None:
    """Return if the answer to `question` is yes, or was given by --yes.

    question: what is destroyed, such as "Delete build 3 of user_summaries?"

    Raises:
        NotConfirmed: the answer is another (exit status 1), or there is no terminal for a question
            (exit status 2).

    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmed(f"{question} There is no terminal to answer at: repeat with --yes.", 2)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise NotConfirmed("Nothing was changed.", 1)
