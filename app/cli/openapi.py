"""`openapi`: the document that describes the API."""

import argparse
import json
import sys
from pathlib import Path

from app.main import create_app
from app.settings import Settings


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "openapi",
        help="write the OpenAPI document",
        description="Write the OpenAPI document of the API. No database is needed, and no setting "
        "makes a difference.",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the document as JSON."""
    text = document()
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text, encoding="utf-8")
    return 0


def document() -> str:
    """The OpenAPI document, in the form it is committed in."""
    nowhere = Settings.model_construct(
        database_url="postgresql://nowhere.invalid/", mongodb_url="mongodb://nowhere.invalid/"
    )
    return json.dumps(create_app(nowhere).openapi(), indent=2, ensure_ascii=False) + "\n"
