"""`projections pause`: no work on a projection, until it is resumed."""

import sys

from app.cli.output import AsJson, print_json
from app.cli.projections.operating import Name, document, operate
from app.framework.administration import PauseProjection


def run(name: Name, *, as_json: AsJson = False) -> int:
    """Pause all work on a projection until it is resumed, over restarts too.

    Queries read what there is; one that waits for a later write is refused.
    """
    outcome = operate(lambda mediator: mediator.send(PauseProjection(name)))
    if as_json:
        print_json(document(outcome.value))
    else:
        sys.stdout.write(f"{name} is paused at position {outcome.value.position or 0:,}.\n")
    return 0
