"""The tables in the documentation that are made from the code.

    python -m tests.docs_tables

renews them.
"""

import re
from pathlib import Path

from app.framework.http.application import mappings_of
from app.framework.http.problems import problem_types
from app.main import http_sides

API = Path(__file__).parents[1] / "docs/api.md"

_PROBLEMS = re.compile(
    r"(?<=<!-- problems: made by `make docs-tables` -->\n).*?(?=<!-- end -->)", re.DOTALL
)


def with_tables(page: str) -> str:
    """The text of docs/api.md with its tables as they have to be.

    Raises:
        ValueError: the page has no place for one.

    """
    renewed, found = _PROBLEMS.subn(lambda _: _problems(), page)
    if found != 1:
        raise ValueError(f"{API} has to have one place for the table of problems.")
    return renewed


def _problems() -> str:
    rows = [
        f"| `{each.code}` | {each.status} | {each.meaning} |\n"
        for each in problem_types(mappings_of(http_sides()))
    ]
    return "".join(
        ["\n| code | status | when, and what to do |\n| --- | --- | --- |\n", *rows, "\n"]
    )


if __name__ == "__main__":
    API.write_text(with_tables(API.read_text("utf-8")), "utf-8")
