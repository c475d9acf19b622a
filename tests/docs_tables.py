"""The tables in the documentation that are made from the code.

    python -m tests.docs_tables

renews them.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from app.cli.openapi import document
from app.framework.http.access import scopes_of
from app.framework.http.application import mappings_of
from app.framework.http.problems import problem_types
from app.main import http_sides

API = Path(__file__).parents[1] / "docs/api.md"
PARTS = 4


def with_tables(page: str) -> str:
    """The text of docs/api.md with its tables as they have to be.

    Raises:
        ValueError: the page has no place for one.

    """
    for name, rows in {"scopes": _scopes(), "problems": _problems()}.items():
        place = rf"(<!-- {name}: made by `make docs-tables` -->\n).*?(<!-- end -->)"
        parts = re.split(place, page, flags=re.DOTALL)
        if len(parts) != PARTS:
            raise ValueError(f"{API} has to have one place for the table of {name}.")
        before, begin, end, after = parts
        page = f"{before}{begin}{rows}{end}{after}"
    return page


def _scopes() -> str:
    rows = [
        f"| `{operation['operationId']}` | {own} | {scope} |\n"
        for item in json.loads(document())["paths"].values()
        for operation in item.values()
        for own, scope in [_two(scopes_of(operation))]
    ]
    return _table("operation", "for one's own", "for any", rows)


def _two(scopes: Sequence[str]) -> Sequence[str]:
    named = [f"`{each}`" for each in scopes] or ["none: public"]
    return ["", *named][-2:]


def _problems() -> str:
    rows = [
        f"| `{each.code}` | {each.status} | {each.meaning} |\n"
        for each in problem_types(mappings_of(http_sides()))
    ]
    return _table("code", "status", "when, and what to do", rows)


def _table(first: str, second: str, third: str, rows: Sequence[str]) -> str:
    return "".join([f"\n| {first} | {second} | {third} |\n", "| --- | --- | --- |\n", *rows, "\n"])


if __name__ == "__main__":
    API.write_text(with_tables(API.read_text("utf-8")), "utf-8")
