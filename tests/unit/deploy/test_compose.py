"""compose.yaml: for trying on one machine, without a password that is known."""

import re
import stat
import subprocess
from typing import Any

import pytest
import uvicorn
import yaml

from app.bootstrap import all_scopes
from app.host.settings import Settings
from tests.acceptance.fronts import FRONT, filled_in, needs
from tests.acceptance.services import ROOT

TEXT = (ROOT / "compose.yaml").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
OURS = {
    name: each for name, each in SERVICES.items() if each["image"].startswith("${DIPTYCH_IMAGE")
}
ROLES = ("commands", "queries", "projector")


def test_it_can_be_reached_on_loopback_only():
    """And the databases not even there."""
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert set(published) == {"nginx", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert SERVICES["postgres"]["networks"] == SERVICES["mongodb"]["networks"] == ["databases"]


def test_no_password_is_written_down():
    """Each comes from .env, and without it nothing starts."""
    secret = re.compile(r"(PASSWORD|KEY|SECRET|TOKEN)\w*: +(?!\$\{)\S")
    assert [line for line in TEXT.splitlines() if secret.search(line)] == []
    for url in re.findall(r"\w+://[^:\s]+:(\S+)@", TEXT.replace(" ", "")):
        assert re.match(r"\$\{\w+:\?", url)


def test_processes_are_configured_by_settings():
    """Their variables are settings; each role has a process, and requests need a key or a token."""
    for name, each in OURS.items():
        assert {it.lower() for it in each["environment"]} <= set(Settings.model_fields), name
        assert each["environment"]["AUTH"] == "${AUTH-keys}"
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
    roles = {name: each["environment"].get("ROLES") for name, each in OURS.items()}
    assert {name: role for name, role in roles.items() if role} == {each: each for each in ROLES}


def test_nginx_has_all_that_its_configuration_asks_for():
    """It is the tested one, and names the processes."""
    nginx = SERVICES["nginx"]
    values = {name: str(value) for name, value in nginx["environment"].items()}
    configuration = filled_in(FRONT.read_text("utf-8"), **values)
    for role in ROLES:
        assert f"server {role}:8000 resolve;" in configuration
    [template] = nginx["volumes"]
    assert template.startswith(f"./{FRONT.relative_to(ROOT)}:/etc/nginx/templates/")


def test_nginx_closes_idle_connections_before_the_processes_do():
    """Else one may be closed just as a POST is sent on it, which nginx would not repeat."""
    seconds = re.findall(r"keepalive_timeout (\d+)s;", FRONT.read_text("utf-8"))
    assert len(seconds) == FRONT.read_text("utf-8").count("keepalive 32;") == 2
    assert all(
        int(each) < uvicorn.Config("", log_config=None).timeout_keep_alive for each in seconds
    )


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name):
    """Files of the checkout, for reading."""
    for each in SERVICES[name].get("volumes", ()):
        source, _, *mode = each.split(":")
        if source.startswith("."):
            assert (ROOT / source).exists(), each
            assert mode == ["ro"]


@needs("promtool")
def test_prometheus_takes_its_configuration():
    """And scrapes the job that the alerts name."""
    file = ROOT / "deploy/prometheus/prometheus.yml"
    command = ["promtool", "check", "config", "--syntax-only", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    jobs = [each["job_name"] for each in yaml.safe_load(file.read_text("utf-8"))["scrape_configs"]]
    rules = (file.parent / "rules.yml").read_text("utf-8")
    assert set(re.findall(r'job="(\w+)"', rules)) <= set(jobs)


def test_the_key_of_prometheus_allows_metrics_alone(tmp_path):
    """It is made once, by the command that there is, for the owner and the group alone."""
    programs, folder = tmp_path / "bin", tmp_path / "volume"
    programs.mkdir()
    folder.mkdir()
    diptych = programs / "diptych"
    diptych.write_text('#!/bin/sh\necho "$@" >> ../calls\necho a-key\n')
    diptych.chmod(0o755)
    script = ROOT / "deploy/compose/make_metrics_key.sh"
    for _ in range(2):
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        subprocess.run(["/bin/sh", script], cwd=folder, env=environment, check=True)

    [made] = folder.iterdir()
    assert (made.name, made.read_text()) == ("metrics-key", "a-key\n")
    assert stat.S_IMODE(made.stat().st_mode) == 0o640
    [call] = (tmp_path / "calls").read_text().splitlines()
    assert call == "keys create --name prometheus --scope metrics:read"
    assert call.split()[-1] in all_scopes()
