"""`projections serve`: another build for queries."""

import sys

from app.cli.output import AsJson, print_json
from app.cli.projections.operating import Name, Number, document, operate
from app.framework.administration import ServeBuild


def run(name: Name, number: Number, *, as_json: AsJson = False) -> int:
    """Let a build serve queries: take over from the one that does, or go back to an earlier one.

    The one before is kept and brought up to date, so that going back loses nothing.
    """
    outcome = operate(lambda mediator: mediator.send(ServeBuild(name, number)))
    if as_json:
        print_json(document(outcome.value))
    else:
        sys.stdout.write(f"Build {number} of {name} serves.\n")
    return 0
