"""Documents that are parked: an event of theirs could not be applied, and later ones wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.framework.projections.projection import Refused

ERROR_LENGTH = 1_000
"""How much of an error is stored: an exception may have all of a document in it."""

MAX_PARKED = 100
"""More parked documents of a build stop it: then the fold is wrong, and not an event."""

EVERYTHING = "*"
"""In place of a key: every parked document. No key is empty, and this one is no aggregate's id."""


class DocumentParked(Exception):
    """A read asks for an event that its document lacks, as it is parked."""

    def __init__(self, view: str, key: str, position: int) -> None:
        super().__init__(
            f"The document {key!r} of {view} is parked: the event at position {position} could not "
            "be applied. An operator has to replay it; without a Consistency-Token it is read as "
            "it was before."
        )


class TooManyParked(Exception):
    """So many documents are parked that the fold must be wrong."""

    def __init__(self, build: str, parked: int, last: str) -> None:
        super().__init__(
            f"{parked} documents of {build} would be parked, more than {MAX_PARKED}: the fold is "
            f"wrong. The last error: {last}"
        )


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked document.

    position: of the event that could not be applied.
    error: what applying it raised.
    since: when it was parked, in UTC.
    waiting: how many events of the document are not applied, with that one.
    """

    key: str
    position: int
    error: str
    since: datetime
    waiting: int = 1


def parked_after(
    parked: Mapping[str, Parked], waiting: Mapping[str, Sequence[Refused]], build: str
) -> dict[str, Parked]:
    """The parked documents after the events `waiting`, as `fold_around` returns them.

    Raises:
        TooManyParked: there would be too many.

    """
    after = with_waiting(parked, waiting)
    if len(after) > MAX_PARKED and len(after) > len(parked):
        raise TooManyParked(build, len(after), _last_error(waiting.values()))
    return after


def with_waiting(
    parked: Mapping[str, Parked], waiting: Mapping[str, Sequence[Refused]]
) -> dict[str, Parked]:
    """`parked` and the documents of the events `waiting`, however many these are."""
    after = dict(parked)
    for key, events in waiting.items():
        first, known = events[0], parked.get(key)
        since = known or Parked(
            key,
            first.recorded.position,
            str(first.error)[:ERROR_LENGTH],
            datetime.now(UTC),
            waiting=0,
        )
        after[key] = replace(since, waiting=since.waiting + len(events))
    return after


def _last_error(waiting: Iterable[Sequence[Refused]]) -> str:
    return str([events[0].error for events in waiting][-1])[:ERROR_LENGTH]
