"""`openapi`: the document that describes the API."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.devtools.openapi import breaking_changes
from app.host.settings import Settings
from app.main import create_app


def run(
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to FILE, not to standard output.")
    ] = None,
    breaking: Annotated[
        bool, typer.Option("--breaking", help="Overwrite FILE even if that breaks clients.")
    ] = False,
) -> int:
    """Write the OpenAPI document of the API. It depends on no database and no setting.

    A file with an older document is not overwritten if the new one would break clients generated
    from it.
    """
    text = document()
    if output is None:
        sys.stdout.write(text)
        return 0
    changes = breaking_changes(_held_by(output), json.loads(text))
    if changes and not breaking:
        sys.stderr.write(_refusal(output, changes))
        return 1
    output.write_text(text, encoding="utf-8")
    return 0


def document() -> str:
    """The OpenAPI document, in its committed form."""
    nowhere = Settings.model_construct(
        database_url="postgresql://nowhere.invalid/", mongodb_url="mongodb://nowhere.invalid/"
    )
    return json.dumps(create_app(nowhere).openapi(), indent=2, ensure_ascii=False) + "\n"


def _held_by(file: Path) -> dict[str, Any]:
    try:
        held = json.loads(file.read_bytes()) if file.is_file() else None
    except ValueError:
        held = None
    return held if isinstance(held, dict) else {}


def _refusal(file: Path, changes: list[str]) -> str:
    return "\n".join(
        [
            f"{file} is unchanged: the new document would break clients generated from it:",
            *(f"  {each}" for each in changes),
            "Keep what they rely on; if no client has it yet, use --breaking (BREAKING=1 by make).",
            "",
        ]
    )
