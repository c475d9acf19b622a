"""`projections resume`: the end of a pause."""

import sys

from app.cli.output import AsJson, print_json
from app.cli.projections.operating import Name, document, operate
from app.framework.administration import ResumeProjection


def run(name: Name, *, as_json: AsJson = False) -> int:
    """Resume the work on a projection: it goes on from where it was paused."""
    outcome = operate(lambda mediator: mediator.send(ResumeProjection(name)))
    if as_json:
        print_json(document(outcome.value))
    else:
        sys.stdout.write(f"{name} is resumed; it is {outcome.value.lag or 0:,} events behind.\n")
    return 0
