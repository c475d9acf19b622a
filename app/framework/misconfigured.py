"""The error of start-up for code that is not wired up."""

from collections.abc import Sequence


class Misconfigured(Exception):
    """Code is not wired up; `problems` lists every mistake, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
