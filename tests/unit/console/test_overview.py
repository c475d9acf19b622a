"""The overview: what needs attention, how the last minutes went, and how it stays up to date."""

import asyncio
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import Request

from app.console.charts import lag_chart, traffic_chart
from app.console.findings import Level, Verdict, findings
from app.console.live import Live
from app.console.processes import known_processes, reads_of
from app.console.sampling import Sample, Sampler, rates
from app.framework.administration import BuildDetails, ProjectionDetails
from app.framework.http.principals import set_principal
from app.framework.http.service import Check
from app.framework.observability.metrics.slots import Report
from app.framework.principal import ANYONE
from app.framework.projections import BuildState, Comparison, ProjectionState, TakeOver
from app.framework.security import Forbidden
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
    assert [each.title for each in findings(away, None)] == ["MongoDB: not ready"]


def test_processes_are_known_by_their_reports_and_leases():
    """Each with the builds that it works on; that of the page comes first."""
    other = replace(BUILD, number=2, holder="host:7:cd")
    builds = [BUILD, other, replace(BUILD, number=3)]
    here = Report("worker 1", os.getpid(), time.time(), {})
    gone = Report("worker 2", 99, time.time() - 60, {})
    first, *others = known_processes([gone, here], [replace(NOTES, builds=builds)])
    assert (first.name, first.is_here, first.is_silent) == ("worker 1", True, False)
    known = {each.pid: (each.is_silent, each.builds) for each in others}
    assert known == {
        "99": (True, []),
        "12": (False, ["notes 1", "notes 3"]),
        "7": (False, ["notes 2"]),
    }


def test_reads_are_what_clients_read():
    """Neither writes nor what watches the service; all processes together."""

    def answered(method, route, *counts):
        return ["operation", method, route, "200"], [counts, 0.5]

    states = {
        "http_server_request_duration_seconds": [
            answered("GET", "/lamps/{id}", 1, 2, 3),
            answered("GET", "/console", 100),
            answered("GET", "/health/ready", 100),
            answered("GET", "/metrics", 100),
            answered("PUT", "/lamps/{id}", 100),
            answered("_OTHER", "", 100),
        ]
    }
    assert reads_of([Report("a", 1, 0.0, states), Report("b", 2, 0.0, states)]) == 12


def samples(*heads: int | None) -> list[Sample]:
    """Samples five seconds apart; the notes are one event behind."""
    now = datetime(2026, 3, 14, tzinfo=UTC)
    return [
        Sample(5.0 * at, now, head, 2 * at, {} if head is None else {"notes": 1})
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


def request(*, is_still_admitted: bool = True) -> Request:
    """One of a reader whose token is good, or no longer."""

    async def look(_: object) -> bool:
        return is_still_admitted

    scope: dict[str, Any] = {"type": "http"}
    set_principal(scope, ANYONE, look)
    return Request(scope)


async def texts(response) -> list[dict[str, Any]]:
    """The data of each event of a stream, to its end."""
    text = b"".join([each async for each in response.body_iterator]).decode()
    return [
        json.loads(each.removeprefix("data: "))
        for each in text.splitlines()
        if each.startswith("data: ")
    ]


async def test_a_stream_sends_what_has_changed_and_ends_with_the_service():
    """A part that stays is sent once; a storage that is away is said, and taken back."""
    stopping = asyncio.Event()
    found = iter([{"a": "1", "b": "1"}, {"a": "1", "b": "2"}, None, {"a": "1", "b": "2"}])

    async def look():
        try:
            parts = next(found)
        except StopIteration:
            stopping.set()
            return {}
        if parts is None:
            raise StorageUnavailable("MongoDB", "no primary")
        return parts

    live = Live(stopping, every_seconds=0.001)
    sent = await texts(live.parts(request(), look))
    trouble = [each["html"] for each in sent if each["id"] == "trouble"]
    others = [(each["id"], each["html"]) for each in sent if each["id"] != "trouble"]
    assert others == [("a", "1"), ("b", "1"), ("b", "2")]
    assert len(trouble) == 3
    assert "MongoDB" in trouble[1]


async def test_a_storage_that_is_away_keeps_no_stream_from_beginning():
    """The page that was opened in the outage says when it is over; what is refused is refused."""

    async def look():
        raise StorageUnavailable("MongoDB", "no primary")

    async def refused():
        raise Forbidden(["projections:read"])

    live = Live(asyncio.Event(), every_seconds=0.001)
    assert (await live.parts_of(request(), look)).status_code == 200
    with pytest.raises(Forbidden):
        await live.parts_of(request(), refused)


async def test_a_stream_ends_with_its_token():
    """The page is loaded again then, and asks for another one."""
    live = Live(asyncio.Event(), every_seconds=0.001, check_seconds=0.0)

    async def look():
        return {"a": "1"}

    assert (await texts(live.parts(request(is_still_admitted=False), look)))[-1] == {"left": True}


async def test_streams_are_bounded():
    """EventSource does not come back after a 204."""
    live = Live(asyncio.Event(), streams=0)

    async def look():
        return {}

    assert live.parts(request(), look).status_code == 204
