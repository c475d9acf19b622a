"""The processes that a page shows, and what they answer together."""

import os
import socket
from dataclasses import replace

from app.console.findings import Level, findings
from app.console.processes import known_processes, reads_of, refusals_of
from app.framework.observability.metrics.declarations import full_name
from app.framework.observability.metrics.slots import Report
from tests.unit.console.test_overview import BUILD, NOTES

NOW = 1_800_000_000.0


def test_processes_are_known_by_their_reports_and_leases():
    """Each with the builds that it works on; that of the page comes first."""
    own = replace(BUILD, holder=f"{socket.gethostname()}:12:ab")
    builds = [own, replace(BUILD, number=2, holder="host:7:cd"), replace(own, number=3)]
    reports = [
        Report("projector", 12, NOW, {}),
        Report("worker-2", 99, NOW, {}),
        Report("worker-1", os.getpid(), NOW, {}),
    ]
    projections = [replace(NOTES, builds=builds)]
    first, *others = known_processes(reports, NOW + 1, ["projector", "queries"], projections)
    assert (first.name, first.is_here, first.roles) == ("worker-1", True, ["queries"])
    known = {each.pid: (each.name, each.roles, each.builds) for each in others}
    assert known == {
        "99": ("worker-2", ["queries"], []),
        "12": ("projector", ["projector"], ["notes 1", "notes 3"]),
        "7": ("", (), ["notes 2"]),
    }


def test_a_process_that_has_not_reported_is_wrong():
    """Measured when reports were read: a page may show them for longer than they are live."""
    reports = [Report("worker-1", 1, NOW - 9, {}), Report("projector", 99, NOW - 11, {})]
    processes = known_processes(reports, NOW, ["projector", "queries"], [])
    assert [each.is_silent for each in processes] == [False, True]
    [found] = findings([], [NOTES], processes)
    assert (found.level, found.title) == (Level.WRONG, "projector is silent")
    assert f"Process 99 on {processes[1].host}" in found.detail


def test_reads_are_what_clients_read():
    """Neither writes nor what watches the service, nor what failed; all processes together."""

    def answered(method, route, *counts, status="200"):
        return ["operation", method, route, status], [counts, 0.5]

    states = {
        "http_server_request_duration_seconds": [
            answered("GET", "/lamps/{id}", 1, 2, 2),
            answered("GET", "/lamps/{id}", 1, status="404"),
            answered("GET", "/lamps/{id}", 100, status="401"),
            answered("GET", "/lamps/{id}", 100, status="429"),
            answered("GET", "/lamps/{id}", 100, status="503"),
            answered("GET", "/console", 100),
            answered("GET", "/health/ready", 100),
            answered("GET", "/metrics", 100),
            answered("PUT", "/lamps/{id}", 100),
            answered("_OTHER", "", 100),
        ],
        full_name("rate_limit_refusals_total"): [(["principal"], 3), (["address"], 4)],
    }
    assert refusals_of([Report("a", 1, 0.0, states)]) == 7
    assert reads_of([Report("a", 1, 0.0, states), Report("b", 2, 0.0, states)]) == 12
