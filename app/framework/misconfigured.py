"""What start-up raises for code that does not fit together."""

from collections.abc import Sequence


class Misconfigured(Exception):
    """The code does not fit together; `problems` says, a line each, all that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
