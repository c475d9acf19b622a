"""Which build is to serve is decided from what is stored."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.framework.projections import (
    BuildRecord,
    BuildState,
    Comparison,
    Condemned,
    ProjectionRecord,
    TakeOver,
)
from app.framework.projections.takeover import (
    ABANDONED_SECONDS,
    DROP_SECONDS,
    Step,
    may_be_dropped,
    needs_build,
    next_step,
)
from tests.notes import notes, status

ABANDONED: dict[str, Any] = {"is_free": True, "silent_seconds": ABANDONED_SECONDS + 1}
EQUAL = Comparison(10, 0, [])
DIFFERING = Comparison(10, 1, ["a"])


def build(number: int, state: BuildState, *, position: int = 7, **rest: Any) -> BuildRecord:
    """The build of this number, of the version of the same number."""
    projection = notes(version=number)
    fields = {"is_free": False, **rest}
    return BuildRecord(
        projection.id,
        "notes",
        number,
        number=number,
        state=state,
        status=status(projection, position),
        **fields,
    )


FIRST = build(1, BuildState.SERVING)


@dataclass(frozen=True)
class Case:
    """What is stored of the build that serves and of the one that is held, and what follows."""

    due: Step
    held: BuildRecord
    serving: BuildRecord | None = FIRST
    versions: tuple[int, ...] = (2,)
    yielded: str | None = None


def building(**rest: Any) -> BuildRecord:
    """A build that has never served."""
    return build(2, BuildState.BUILDING, **rest)


def ready(take_over: TakeOver, comparison: Comparison | None) -> BuildRecord:
    """A build that was compared."""
    return build(2, BuildState.READY, take_over=take_over, comparison=comparison)


LATER = build(3, BuildState.SERVING, **ABANDONED)

CASES = {
    "what serves is left": Case(Step.NOTHING, FIRST),
    "nothing serves": Case(Step.SERVE, building(), serving=None),
    "caught up": Case(Step.SERVE, building()),
    "caught up, but behind what serves": Case(Step.NOTHING, building(position=6)),
    "on request, caught up": Case(Step.COMPARE, building(take_over=TakeOver.ON_REQUEST)),
    "when equal, caught up": Case(Step.COMPARE, building(take_over=TakeOver.WHEN_EQUAL)),
    "a comparison that broke off": Case(
        Step.COMPARE, replace(building(take_over=TakeOver.WHEN_EQUAL), state=BuildState.COMPARING)
    ),
    "equal": Case(Step.SERVE, ready(TakeOver.WHEN_EQUAL, EQUAL)),
    "differing": Case(Step.NOTHING, ready(TakeOver.WHEN_EQUAL, DIFFERING)),
    "equal, on request": Case(Step.NOTHING, ready(TakeOver.ON_REQUEST, EQUAL)),
    "kept": Case(Step.NOTHING, build(2, BuildState.KEPT)),
    "kept, and what serves is abandoned": Case(
        Step.SERVE_FOR_NOW, build(2, BuildState.KEPT), serving=LATER
    ),
    "kept, but behind what serves": Case(
        Step.NOTHING, build(2, BuildState.KEPT, position=6), serving=LATER
    ),
    "this process could work on what serves": Case(
        Step.NOTHING, build(2, BuildState.KEPT), serving=LATER, versions=(2, 3)
    ),
    "what serves is silent for a moment": Case(
        Step.NOTHING,
        build(2, BuildState.KEPT),
        serving=replace(LATER, silent_seconds=ABANDONED_SECONDS - 1),
    ),
    "what serves is held": Case(
        Step.NOTHING, build(2, BuildState.KEPT), serving=replace(LATER, is_free=False)
    ),
    "it had yielded": Case(
        Step.SERVE, build(2, BuildState.KEPT), yielded=notes(version=2).id, versions=(1, 2)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_next_step(case):
    """Of the holder of a build that has caught up."""
    others = [case.serving] if case.serving and case.serving.id != case.held.id else []
    projection = ProjectionRecord(
        "notes",
        [*others, case.held],
        serving=case.serving.id if case.serving else None,
        yielded=case.yielded,
    )
    assert next_step(projection, case.held, case.versions) is case.due


@pytest.mark.parametrize("state", BuildState)
@pytest.mark.parametrize("silent", [DROP_SECONDS - 1, DROP_SECONDS + 1])
@pytest.mark.parametrize("switched", [None, DROP_SECONDS - 1, DROP_SECONDS + 1])
def test_documents_are_dropped_when_no_reader_looks_for_them_any_more(state, silent, switched):
    """A process may read a build for a second after another one took its place."""
    found = build(2, state, silent_seconds=silent)
    projection = ProjectionRecord("notes", [FIRST, found], FIRST.id, switched_seconds=switched)
    is_over = state in (BuildState.RETIRED, BuildState.FAILED)
    is_forgotten = min(silent, switched or silent) > DROP_SECONDS
    assert may_be_dropped(projection, found) is (is_over and is_forgotten)
    assert not may_be_dropped(projection, replace(found, is_dropped=True))


@pytest.mark.parametrize(
    ("others", "due"),
    [
        ([], True),
        ([BuildState.FAILED], True),
        ([BuildState.RETIRED], False),
        ([BuildState.FAILED, BuildState.RETIRED], False),
        ([BuildState.BUILDING], False),
        ([BuildState.FAILED, BuildState.KEPT], False),
    ],
)
def test_a_newer_version_is_built_unless_an_operator_retired_it(others, due):
    """Also after its documents were lost while an older version was there to serve."""
    builds = [FIRST, *(replace(build(2, each), id=f"{each}") for each in others)]
    assert needs_build(ProjectionRecord("notes", builds, FIRST.id), 2, [2]) is due


@pytest.mark.parametrize(
    ("later", "due"),
    [
        ([], True),
        ([build(2, BuildState.BUILDING)], False),
        ([build(2, BuildState.FAILED)], True),
        ([build(3, BuildState.BUILDING)], True),
        ([build(2, BuildState.RETIRED), build(3, BuildState.READY)], True),
    ],
)
def test_documents_that_are_lost_are_rebuilt_unless_that_has_begun(later, due):
    """A build of a version that this process does not know may be filled by none."""
    lost = build(1, BuildState.SERVING, condemned=Condemned.DOCUMENTS_LOST)
    projection = ProjectionRecord("notes", [lost, *later], lost.id)
    assert needs_build(projection, 2, [1, 2]) is due
