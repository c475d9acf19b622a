"""The tables in the documentation that are made from the code.

    python -m tests.docs_tables

renews them.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import app
from app.cli.openapi import document
from app.framework.http.access import scopes_of
from app.framework.http.application import mappings_of
from app.framework.http.problems import problem_types
from app.framework.observability.metrics import Count, Distribution, Metric, declared
from app.main import http_sides

DOCS = Path(__file__).parents[1] / "docs"
API = DOCS / "api.md"
MONITORING = DOCS / "monitoring.md"
PAGES = (API, MONITORING)
PARTS = 4


def with_tables(page: Path) -> str:
    """The text of one of PAGES with its tables as they have to be.

    Raises:
        ValueError: the page has no place for one.

    """
    text = page.read_text("utf-8")
    for name, rows in _TABLES[page].items():
        place = rf"(<!-- {name}: made by `make docs-tables` -->\n).*?(<!-- end -->)"
        parts = re.split(place, text, flags=re.DOTALL)
        if len(parts) != PARTS:
            raise ValueError(f"{page} has to have one place for the table of {name}.")
        before, begin, end, after = parts
        text = f"{before}{begin}{rows()}{end}{after}"
    return text


def _scopes() -> str:
    rows = [
        f"| `{operation['operationId']}` | {own} | {scope} |\n"
        for item in json.loads(document())["paths"].values()
        for operation in item.values()
        for own, scope in [_two(scopes_of(operation))]
    ]
    return _table("operation", "for one's own", "for any", rows=rows)


def _two(scopes: Sequence[str]) -> Sequence[str]:
    named = [f"`{each}`" for each in scopes] or ["none: public"]
    return ["", *named][-2:]


def _problems() -> str:
    rows = [
        f"| `{each.code}` | {each.status} | {each.meaning} |\n"
        for each in problem_types(mappings_of(http_sides()))
    ]
    return _table("code", "status", "when, and what to do", rows=rows)


def all_metrics() -> "Sequence[Metric[Count] | Metric[Distribution]]":
    """The metrics of all modules of the service, in the order of their names."""
    for each in pkgutil.walk_packages(app.__path__, "app."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)
    found = sorted(declared().values(), key=lambda it: it.name)
    return [each for each in found if "_tests_of_" not in each.name]


def _metrics() -> str:
    rows = [
        f"| `{each.name}` | {each.kind} | {labels} | {each.reach.value} | {each.meaning} |\n"
        for each in all_metrics()
        for labels in [", ".join(f"`{label}`" for label in each.labels)]
    ]
    return _table("metric", "kind", "labels", "of", "meaning", rows=rows)


def _table(*names: str, rows: Sequence[str]) -> str:
    head = f"\n| {' | '.join(names)} |\n{'| --- ' * len(names)}|\n"
    return "".join([head, *rows, "\n"])


_TABLES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    API: {"scopes": _scopes, "problems": _problems},
    MONITORING: {"metrics": _metrics},
}


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(with_tables(each), "utf-8")
