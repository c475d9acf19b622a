"""What needs attention, the most urgent first."""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.console.formats import number
from app.console.processes import KnownProcess
from app.framework.administration import BuildDetails, ProjectionDetails
from app.framework.http.service import Check
from app.framework.projections import BuildState, ProjectionState

BEHIND = 1_000
"""A view that is so many events behind needs attention."""

STOPPED = "Deploy a release that can apply the event, or do what the error names."

_OF_PROJECTIONS = ("projector", "views")
_NAMES = {
    "postgresql": "PostgreSQL",
    "mongodb": "MongoDB",
    "writes": "Writes",
    "identity": "Tokens",
}
_MEANWHILE = {
    "postgresql": "Writes get 503 until it is back; reads go on.",
    "mongodb": "Reads get 503 until it is back; writes go on, and the views catch up.",
}


class Level(enum.IntEnum):
    """How urgent something is."""

    WRONG = 0
    ATTENTION = 1
    NOTE = 2

    @property
    def word(self) -> str:
        """The name of its style, too."""
        return ("wrong", "attention", "note")[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    where: the page about it, under that of projections; empty if there is none.
    """

    level: Level
    title: str
    detail: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all findings come to, in one sentence."""

    word: str
    title: str

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> "Verdict":
        """The verdict on `findings`."""
        wrong = sum(each.level is Level.WRONG for each in findings)
        attention = sum(each.level is Level.ATTENTION for each in findings)
        if wrong:
            return cls("wrong", "Something is wrong" if wrong == 1 else f"{wrong} things are wrong")
        if attention:
            need = "One thing needs" if attention == 1 else f"{attention} things need"
            return cls("attention", f"{need} attention")
        return cls("well", "All is well")


def findings(
    checks: Iterable[Check],
    projections: Sequence[ProjectionDetails] | None,
    processes: Iterable[KnownProcess] = (),
    refusals: float | None = None,
) -> Sequence[Finding]:
    """What needs attention.

    projections: None if they could not be read.
    refusals: of requests of clients over their limit, a second.
    """
    found = [it for each in projections or () for it in _of_projection(each)]
    known, said = {each.level for each in found}, set[str]()
    for check in checks:
        if check.ok or (check.name in _OF_PROJECTIONS and Level.WRONG in known):
            continue
        if check.detail in said:  # one cause, such as a database that is away
            continue
        said.add(check.detail)
        title = f"{_NAMES.get(check.name, check.name.capitalize())}: not ready"
        found.append(Finding(Level.WRONG, title, _with_meanwhile(check)))
    found[:0] = [_of_silent(each) for each in processes if each.is_silent]  # causes, not effects
    if refusals is not None and refusals >= 1:
        words = (
            f"{number(round(refusals))} requests a second get 429; the other clients are not "
            "affected. The audit log says who sends them."
        )
        found.append(Finding(Level.NOTE, "A client sends more than its limit", words))
    return sorted(found, key=lambda it: it.level)


def _with_meanwhile(check: Check) -> str:
    meanwhile = _MEANWHILE.get(check.name)
    return f"{check.detail}. {meanwhile}" if meanwhile else check.detail


def _of_silent(process: KnownProcess) -> Finding:
    words = (
        f"Process {process.pid} on {process.host} hangs or has ended. If this lasts, end it with "
        f"kill -KILL {process.pid}: the service starts another one."
    )
    return Finding(Level.WRONG, f"{process.name} is silent", words)


def _of_projection(projection: ProjectionDetails) -> Iterator[Finding]:
    name = projection.name
    if projection.serving is None:
        yield Finding(Level.ATTENTION, f"{name} serves nothing", "No build of it serves yet.", name)
    if projection.paused:
        words = "Nothing works on it until you resume it; queries read what there is."
        yield Finding(Level.ATTENTION, f"{name} is paused", words, name)
    elif trouble := _trouble(projection):
        yield trouble
    if projection.parked:
        documents = "1 document is" if projection.parked == 1 else f"{projection.parked} are"
        words = f"{documents} parked: an event could not be applied. Everything else goes on."
        yield Finding(Level.ATTENTION, f"{name} has parked documents", words, f"{name}#parked")
    for build in projection.builds:
        if not build.serves and (finding := _of_build(build)):
            yield finding


def _trouble(projection: ProjectionDetails) -> Finding | None:
    name, error = projection.name, projection.last_error or ""
    match projection.activity:
        case ProjectionState.STOPPED:
            return Finding(Level.WRONG, f"{name} is stopped", f"{error} {STOPPED}".strip(), name)
        case ProjectionState.RETRYING:
            return Finding(Level.WRONG, f"{name} does not get on", error, name)
        case ProjectionState.ABSENT:
            words = (
                "No process works on what serves. Start one with the role projector; one that "
                "hangs has to be ended."
            )
            return Finding(Level.WRONG, f"{name} has no process", words, name)
        case ProjectionState.WAITING:
            words = error or "The log has events of a newer release."
            return Finding(Level.ATTENTION, f"{name} waits for a newer release", words, name)
    if projection.lag is not None and projection.lag >= BEHIND:
        words = f"Reads are {number(projection.lag)} events behind what was written."
        return Finding(Level.ATTENTION, f"{name} is behind", words, name)
    return None


def _of_build(build: BuildDetails) -> Finding | None:
    name, number_ = build.projection, build.number
    match build.state:
        case BuildState.READY:
            differing = build.comparison.differing if build.comparison else 0
            if differing:
                words = f"{number(differing)} keys differ from what serves. Look which is right."
                return Finding(Level.ATTENTION, f"{name}: build {number_} differs", words, name)
            words = "Nothing differs from what serves. It waits for you to let it serve."
            return Finding(Level.NOTE, f"{name}: build {number_} is ready", words, name)
        case BuildState.FAILED:
            words = build.last_error or "Its documents cannot be trusted any more."
            return Finding(Level.NOTE, f"{name}: build {number_} failed", words, name)
        case BuildState.BUILDING | BuildState.COMPARING:
            words = f"At {number(build.position)} of {number(build.head)} events."
            return Finding(Level.NOTE, f"{name}: build {number_} is {build.state}", words, name)
    return None
