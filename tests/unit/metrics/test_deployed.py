"""The alert rules and the dashboard fit the metrics, and what is said of them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs_tables import MONITORING, all_metrics

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus/rules.yml"
TESTS = DEPLOY / "prometheus/rules_test.yml"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboard.json").read_text("utf-8"))

OF_THE_SYSTEM = {
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
METRICS = {each.name: each for each in all_metrics()}
OURS = re.compile(r"\b(?:diptych|http_server|process|python_gc)_\w+")
ALERTS = re.findall(r"^ +- alert: (\w+)$", RULES.read_text("utf-8"), re.MULTILINE)
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def named_in(text: str) -> set[str]:
    """The metrics that a query, or a file of rules, names."""
    return {re.sub(r"_(bucket|count|sum)$", "", each) for each in OURS.findall(text)}


def test_the_rules_name_metrics_that_there_are():
    """A misspelt one has no series, and its alert never fires."""
    text = re.sub(r"(summary|annotations|#).*", "", RULES.read_text("utf-8"))
    assert named_in(text) - METRICS.keys() - OF_THE_SYSTEM - {"diptych_up"} == set()


def test_the_dashboard_shows_every_metric():
    """And no other."""
    found = named_in("\n".join(QUERIES))
    assert found - OF_THE_SYSTEM - {"diptych_up"} == METRICS.keys()


def test_labels_are_those_of_the_metrics():
    """So that no query selects or groups by one that is not there."""
    given = {"instance", "job", "le", "process"}
    labels = {label for each in METRICS.values() for label in each.labels} | given
    text = "\n".join([*QUERIES, re.sub(r"#.*", "", RULES.read_text("utf-8"))])
    grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", text)
    selected = re.findall(r"(\w+)(?:=~|!=|=)\"", re.sub(r"labels:.*|summary:.*", "", text))
    assert {each.strip() for it in grouped for each in it.split(",")} - labels == set()
    assert set(selected) - labels == set()


def test_every_alert_is_tried_and_described():
    """With what it means and what to do."""
    text = MONITORING.read_text("utf-8")
    described = re.findall(r"^### (Diptych\w+)$", text, re.MULTILINE)
    tried = re.findall(r"alertname: (\w+)", TESTS.read_text("utf-8"))
    assert described == ALERTS
    assert set(tried) == set(ALERTS)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_alerts_fire_when_they_should_and_not_otherwise():
    """As promtool evaluates the rules on series that are made up."""
    done = subprocess.run(
        ["promtool", "test", "rules", TESTS.name],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
