"""`projections parked`: the documents that lack an event."""

import sys

from app.cli.output import AsJson, Cell, print_json, print_table
from app.cli.projections.operating import Name, document, operate, time_of
from app.framework.administration import ListParkedDocuments, ParkedDocument

_HEADINGS = ("KEY", "POSITION", "WAITING", "SINCE", "REPLAY", "ERROR")


def run(name: Name, *, as_json: AsJson = False) -> int:
    """Show the parked documents of the build that serves, by position.

    POSITION is of the event that could not be applied, and ERROR says why. WAITING is how many
    events of the document are not applied. REPLAY says whether the document is to be replayed.
    """
    found = operate(lambda mediator: mediator.send(ListParkedDocuments(name)))
    if as_json:
        print_json(document(found))
    elif found.items:
        print_table(_HEADINGS, [row(each) for each in found.items])
    else:
        sys.stdout.write(f"No document of {name} is parked.\n")
    return 0


def row(parked: ParkedDocument) -> tuple[Cell, ...]:
    """A row of the table."""
    replay = "yes" if parked.is_replaying else "-"
    since = time_of(parked.since)
    return (parked.key, parked.position, parked.waiting, since, replay, parked.error)
