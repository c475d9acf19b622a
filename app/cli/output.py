"""What commands print on standard output: a table for people, a document for programs."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.framework.observability.logs import escaped

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
"""The option of a command that can `print_json` instead of a table."""

Cell = str | int | None | Text
"""None stands for what is unknown. A Text may have a style, which terminals show."""


def print_json(document: Any) -> None:
    """Print `document`; times have the form that they have in the API."""
    sys.stdout.write(json.dumps(document, indent=2, default=_rfc3339) + "\n")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print `rows` under their headings.

    Off a terminal, and where NO_COLOR is set, it is plain text: a line a row, columns aligned by
    spaces. Control characters are escaped.
    """
    cells = [[_text(each) for each in row] for row in rows]
    console = Console(file=sys.stdout)
    if not is_terminal(console) or console.no_color:
        sys.stdout.write(_plain([[Text(each) for each in headings], *cells]))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        numbers = all(isinstance(row[index], int | None) for row in rows)
        table.add_column(heading, justify="right" if numbers else "left", no_wrap=True)
    table.columns[-1].no_wrap = False
    table.columns[-1].overflow = "fold"
    for row in cells:
        table.add_row(*row)
    console.print(table)


def is_terminal(console: Console) -> bool:
    """Whether what is printed there can have a style and be replaced.

    A pipe is none, also with FORCE_COLOR set.
    """
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


def _text(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return Text(escaped(cell.plain), style=cell.style)
    return Text("?" if cell is None else escaped(str(cell)))


def _plain(rows: Sequence[Sequence[Text]]) -> str:
    widths = [max(each.cell_len for each in column) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(
            cell.plain + " " * (width - cell.cell_len)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        + "\n"
        for row in rows
    )


def _rfc3339(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} has no form in JSON")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
