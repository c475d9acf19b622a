"""The steps of an operator of projections, of which chance chooses the next."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.framework.projections import (
    EVERYTHING,
    BuildRecord,
    BuildState,
    ProjectionRecord,
    TakeOver,
)
from tests.acceptance.folding import FOLLOWED

MOST_BUILDS = 4

LASTS = {"rebuild": 3.0, "switch": 0.2, "retire": 0.2, "replay": 1.5, "repair": 2.0}
"""For how long after the beginning of a step a kill may come."""

PHASES = {
    "rebuild": ("building", "comparing", "ready"),
    "switch": ("serving",),
    "retire": ("retired",),
    "replay": ("replaying",),
    "repair": ("damaged", "partly repaired", "repaired"),
}
"""In which phases of a step it is to come more often than by chance."""

Found = tuple[ProjectionRecord, BuildRecord]


@dataclass(frozen=True, slots=True)
class Work:
    """A step, its projection, the build that it is about, and its arguments.

    known: the ids of the builds before it.
    """

    step: str
    name: str
    build: str | None
    arguments: dict[str, Any]
    known: frozenset[str] = frozenset()


def chosen(
    chance: random.Random, builds: Sequence[Found], damaged: Sequence[Found], *, may_replay: bool
) -> Work:
    """What the operator does next."""
    parked = [each for each in builds if is_parked(each)]
    if parked and may_replay and chance.random() < 0.6:
        return _replaying(chance, *chance.choice(parked))
    if damaged and chance.random() < 0.6:
        return repairing(chance.choice(damaged))
    step = chance.choices(["rebuild", "switch", "repair", "retire"], [5, 4, 3, 1])[0]
    others = [each for each in builds if each[1].state not in _NO_OTHERS]
    names = sorted({projection.name for projection, _ in others}) or ["user_summaries"]
    name = chance.choice([*names, "user_profiles", "user_history"])
    if step == "repair":
        [serving] = [
            each for each in builds if each[0].serving == each[1].id and each[0].name == name
        ]
        return repairing(serving)
    mine = [build for projection, build in others if projection.name == name]
    ready = [build for build in mine if build.state in FOLLOWED]
    if mine and (step == "retire" or len(mine) >= MOST_BUILDS):
        build = chance.choice(mine)
        return Work("retire", name, build.id, {"name": name, "build": build.id})
    if ready and step == "switch":
        build = chance.choice(ready)
        return Work("switch", name, build.id, {"name": name, "to": build.id})
    take_over = chance.choice([TakeOver.WHEN_EQUAL, TakeOver.ON_REQUEST])
    arguments = {"name": name, "take_over": take_over.value}
    return Work("rebuild", name, None, arguments, frozenset(each.id for _, each in builds))


def repairing(found: Found) -> Work:
    """The repair of a build."""
    projection, build = found
    arguments = {"name": projection.name, "number": build.number}
    return Work("repair", projection.name, build.id, arguments)


def is_parked(found: Found) -> bool:
    """Whether documents of a build are parked."""
    return bool(found[1].parked) and found[1].state is not BuildState.RETIRED


def _replaying(chance: random.Random, projection: ProjectionRecord, build: BuildRecord) -> Work:
    all_keys = [each.key for each in build.parked]
    keys = [chance.choice([EVERYTHING, *all_keys])]
    return Work("replay", projection.name, build.id, {"build": build.id, "keys": keys})


_NO_OTHERS = (BuildState.RETIRED, BuildState.FAILED, BuildState.SERVING)
