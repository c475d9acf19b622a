"""`projections retire`: the end of a build."""

import sys

from app.cli.confirming import Yes, confirm
from app.cli.projections.operating import Name, Number, operate
from app.framework.administration import RetireBuild


def run(name: Name, number: Number, *, yes: Yes = False) -> int:
    """Give up a build for good, also one that is being made.

    A projector deletes its documents 10 s later. The build that serves is not retired.
    """
    confirm(f"Delete build {number} of {name}?", yes=yes)
    operate(lambda mediator: mediator.send(RetireBuild(name, number)))
    sys.stdout.write(f"Build {number} of {name} is retired.\n")
    return 0
