"""The overview: what needs attention, and how the last minutes went."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.console.charts import lag_chart, traffic_chart
from app.console.findings import STOPPED, Level, Verdict, findings
from app.console.processes import KnownProcess
from app.console.sampling import Sample, Sampler, rates
from app.framework.administration import BuildDetails, ProjectionDetails
from app.framework.http.service import Check
from app.framework.projections import BuildState, Comparison, ProjectionState, TakeOver
from app.framework.storage import StorageUnavailable
from tests.following import until
from tests.unit.api.service import MemoryService

BUILD = BuildDetails(
    projection="notes",
    number=1,
    version=1,
    collection="notes_v1",
    state=BuildState.SERVING,
    serves=True,
    activity=ProjectionState.RUNNING,
    position=10,
    head=10,
    lag=0,
    rate=None,
    seconds_left=0.0,
    holder="host:12:ab",
    held_since=None,
    seen_at=None,
    take_over=TakeOver.WHEN_EQUAL,
    comparison=None,
    parked=0,
    replaying=0,
    last_error=None,
)
NOTES = ProjectionDetails(
    name="notes",
    paused=False,
    serving=1,
    activity=ProjectionState.RUNNING,
    position=10,
    head=10,
    lag=0,
    parked=0,
    last_error=None,
    builds=[BUILD],
)
DIFFERS = replace(
    BUILD, number=2, serves=False, state=BuildState.READY, comparison=Comparison(9, 3, ["a"])
)


def verdict(*projections: ProjectionDetails, checks=()) -> tuple[str, str]:
    """The verdict, and the title of the most urgent finding."""
    found = findings(checks, projections)
    return Verdict.of(found).word, found[0].title if found else ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("well", "")),
        ({"paused": True}, ("attention", "notes is paused")),
        ({"activity": ProjectionState.STOPPED}, ("wrong", "notes is stopped")),
        ({"activity": ProjectionState.RETRYING}, ("wrong", "notes does not get on")),
        ({"activity": ProjectionState.ABSENT}, ("wrong", "notes has no process")),
        ({"activity": ProjectionState.WAITING}, ("attention", "notes waits for a newer release")),
        ({"lag": 1_000}, ("attention", "notes is behind")),
        ({"lag": 999}, ("well", "")),
        ({"parked": 2}, ("attention", "notes has parked documents")),
        ({"serving": None}, ("attention", "notes serves nothing")),
        ({"builds": [BUILD, DIFFERS]}, ("attention", "notes: build 2 differs")),
        (
            {"builds": [BUILD, replace(DIFFERS, state=BuildState.BUILDING)]},
            ("well", "notes: build 2 is building"),
        ),
        (
            {"builds": [BUILD, replace(DIFFERS, state=BuildState.FAILED)]},
            ("well", "notes: build 2 failed"),
        ),
        (
            {"builds": [BUILD, replace(DIFFERS, comparison=Comparison(9, 0, []))]},
            ("well", "notes: build 2 is ready"),
        ),
        ({"builds": [BUILD, replace(DIFFERS, state=BuildState.KEPT)]}, ("well", "")),
    ],
)
def test_each_state_of_a_projection_has_its_finding(changes, expected):
    """The word is also that of the sign and the colour."""
    assert verdict(replace(NOTES, **changes)) == expected


def test_a_stopped_projection_says_what_lets_it_go_on():
    """With the error, which alone tells an operator nothing to do."""
    [found] = findings([], [replace(NOTES, activity=ProjectionState.STOPPED, last_error="Oh")])
    assert found.detail == f"Oh {STOPPED}"
    assert "Deploy a release that can apply the event" in STOPPED


def test_the_most_urgent_comes_first():
    """What is wrong before what needs attention, and that before what is only said."""
    parked, stopped = replace(NOTES, parked=1), replace(NOTES, activity=ProjectionState.STOPPED)
    found = findings([], [parked, stopped])
    assert [each.level for each in found] == [Level.WRONG, Level.ATTENTION]
    assert Verdict.of(found).title == "Something is wrong"
    assert Verdict.of([*found, found[0]]).title == "2 things are wrong"
    assert Verdict.of([found[1]] * 2).title == "2 things need attention"
    assert Verdict.of([found[1]]).title == "One thing needs attention"


def test_a_check_that_fails_is_wrong():
    """That of the projector is not said twice where a projection says more."""
    checks = [Check("projector", ok=False, detail="stopped"), Check("writes", ok=True)]
    assert verdict(checks=checks) == ("wrong", "Projector: not ready")
    stopped = replace(NOTES, activity=ProjectionState.STOPPED)
    assert len(findings(checks, [stopped])) == 1
    away = [Check(each, ok=False, detail="no primary") for each in ("mongodb", "views")]
    [found] = findings(away, None)
    assert (found.title, found.detail) == (
        "MongoDB: not ready",
        "no primary. Reads get 503 until it is back; writes go on, and the views catch up.",
    )


def test_a_silent_process_comes_before_what_it_leaves_undone():
    """It says which process to end."""
    silent = KnownProcess("host", "12", "projector", is_silent=True)
    absent = replace(NOTES, activity=ProjectionState.ABSENT)
    first, second = findings([], [absent], [silent, KnownProcess("host", "7", "worker-1")])
    assert (first.title, second.title) == ("projector is silent", "notes has no process")
    assert "kill -KILL 12" in first.detail


def test_a_client_over_its_limit_is_only_said():
    """The others are not affected."""
    [found] = findings([], [NOTES], refusals=70.2)
    assert "70 requests a second get 429" in found.detail
    assert Verdict.of([found]).word == "well"
    assert findings([], [NOTES], refusals=0.2) == []


def samples(*heads: int | None) -> list[Sample]:
    """Samples five seconds apart; the notes are one event behind."""
    now = datetime(2026, 3, 14, tzinfo=UTC)
    return [
        Sample(5.0 * at, now, head, 2 * at, at, {} if head is None else {"notes": 1})
        for at, head in enumerate(heads)
    ]


def test_rates_are_between_samples():
    """None where the log was not seen; a log that was restored has no negative rate."""
    assert rates(samples(10, 20, None, 30, 30, 5), "head") == [2.0, None, None, 0.0, 0.0]


def test_a_chart_has_a_gap_where_nothing_was_seen():
    """Its words say what it shows."""
    chart = lag_chart(samples(10, 20, None, 30))
    [line] = chart.lines
    assert line.path.count("M") == 2
    assert (chart.top, line.last, line.highest) == (10, 1, 1)
    assert chart.words.endswith("notes: now 1, at most 1.")
    writes = traffic_chart(samples(0, 35))
    assert (writes.top, [each.last for each in writes.lines]) == (10, [7.0, 0.4])


async def test_a_sample_without_an_answer_has_no_values(monkeypatch):
    """The chart shows the outage, and goes on after it."""
    service = MemoryService()
    sampler = Sampler(service)
    await sampler.take()

    async def away():
        raise StorageUnavailable("MongoDB", "no primary")

    monkeypatch.setattr(service, "projections", away)
    await sampler.take()
    assert [(each.head, dict(each.lags)) for each in sampler.samples] == [
        (6, {"user_profiles": 2}),
        (None, {}),
    ]


async def test_samples_are_taken_while_the_application_runs():
    """From its start to its end."""
    sampler = Sampler(MemoryService())
    sampler.open()
    await until(lambda: bool(sampler.samples))
    await sampler.close()
