"""A real Prometheus that scrapes a service, with the alert rules in a shorter time."""

import re
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.services import ROOT, await_that

RULES = ROOT / "deploy/prometheus/rules.yml"

SECONDS_A_MINUTE = 2
"""How long a minute of the rules is here."""

SHORTEST_WINDOW = 10
"""In seconds: rates need some scrapes."""

FAST, FAST_HERE = 'le="0.25"', 'le="1.0"'
"""What DiptychSlow takes for fast: here the machine has the load and what watches it to carry."""

_CONFIGURATION = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: diptych
    scrape_timeout: 1s
    authorization: {{credentials: "{token}"}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """Scrapes the service at a port of this machine each second."""

    def __init__(self, folder: Path, port: str, token: str) -> None:
        folder.mkdir()
        (folder / "rules.yml").write_text(shortened(RULES.read_text("utf-8")))
        configuration = folder / "prometheus.yml"
        configuration.write_text(_CONFIGURATION.format(port=port, token=token))
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{bound.getsockname()[1]}"
        self.url = f"http://{address}"
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={configuration}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={address}",
                    "--log.level=warn",
                ],
                stderr=log,
            )
        await_that(self._is_ready, "Prometheus does not start")
        self.began = time.time()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)

    def firing(self) -> frozenset[str]:
        """The names of the alerts that fire now."""
        found = self._get("/api/v1/alerts", {})["alerts"]
        return frozenset(each["labels"]["alertname"] for each in found if each["state"] == "firing")

    def value(self, query: str) -> float:
        """The only value of a query now, or 0."""
        found = self._get("/api/v1/query", {"query": query})["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def history(self, query: str) -> Sequence[str]:
        """All values of a query since it was started."""
        span = {"start": f"{self.began}", "end": f"{time.time()}", "step": "2"}
        found = self._get("/api/v1/query_range", {"query": query, **span})["result"]
        return [value for series in found for _, value in series["values"]]

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        answer = httpx.get(f"{self.url}{path}", params=parameters, timeout=30, trust_env=False)
        assert answer.status_code == httpx.codes.OK, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return httpx.get(f"{self.url}/-/ready", trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def shortened(rules: str) -> str:
    """The rules, with all their times shorter, and for a machine that has more to do."""

    def window(found: re.Match[str]) -> str:
        return f"[{max(SHORTEST_WINDOW, SECONDS_A_MINUTE * int(found[1]))}s]"

    assert rules.count(FAST) == 1
    shorter = re.sub(r"\[(\d+)m\]", window, rules.replace(FAST, FAST_HERE))
    return re.sub(r"for: (\d+)m", lambda it: f"for: {SECONDS_A_MINUTE * int(it[1])}s", shorter)
