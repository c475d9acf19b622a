"""The table: on the terminal as it comes, in `build/bench/` as Markdown and JSON in the end."""

import dataclasses
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from pymongo import MongoClient

from benchmarks.comparisons import Turns
from benchmarks.figures import Figure
from benchmarks.world import Databases

_HEAD = (
    "| what | measured | spread | target | met | behind it |\n| --- | --- | --- | --- | --- | --- |"
)
_PAGE_HEAD = "| what | measured | spread | target | met |\n| --- | --- | --- | --- | --- |"


class Report:
    """Gathers figures, printing each."""

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self.figures: list[Figure] = []
        self.turns: list[Turns] = []
        say(machine)

    def add(self, figure: Figure) -> None:
        """Take a figure on."""
        self.figures.append(figure)
        value, low, high = (_number(each) for each in (figure.value, figure.low, figure.high))
        spread = "" if low == high else f" [{low} to {high}]"
        say(f"{figure.what}: {value}{_unit(figure)}{spread}{_verdict(figure)}")
        if figure.absolute:
            say(f"    {figure.absolute}")

    def write(self, folder: Path) -> None:
        """Write everything to files in `folder`."""
        (folder / "results.md").write_text(self._markdown(), encoding="utf-8")
        results = {
            "machine": self._machine,
            "figures": [dataclasses.asdict(each) for each in self.figures],
            "turns": [dataclasses.asdict(each) for each in self.turns],
        }
        (folder / "results.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
        targets = [each.target.met_by(each.value) for each in self.figures if each.target]
        say(f"{sum(targets)} of {len(targets)} targets met; see {folder / 'results.md'}.")

    def write_page(self, page: Path) -> None:
        """Write the table as a page of the documentation, without times and rates."""
        intro = "Written by `make bench`; [Performance](performance.md) says what it means."
        table = self._markdown(_PAGE_HEAD)
        page.write_text(f"# Benchmarks\n\n{intro}\n\n{table}", encoding="utf-8")

    def _markdown(self, head: str = _HEAD) -> str:
        lines = [self._machine, "", head]
        for each in self.figures:
            value, low, high = (_number(it) for it in (each.value, each.low, each.high))
            target = f"{each.target.sense} {each.target.value:g}" if each.target else ""
            met = ("yes" if each.target.met_by(each.value) else "no") if each.target else ""
            spread = "" if low == high else f"{low} to {high}"
            cells = (each.what, f"{value}{_unit(each)}", spread, target, met, each.absolute)
            shown = cells if head == _HEAD else cells[:-1]
            lines.append(f"| {' | '.join(shown)} |")
        return "\n".join([*lines, ""])


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def machine(on: Databases) -> str:
    """What it was measured on, in a sentence."""
    connection = await asyncpg.connect(on.postgres)
    try:
        settings = {
            name: await connection.fetchval(f"show {name}")
            for name in ("server_version", "fsync", "synchronous_commit")
        }
    finally:
        await connection.close()
    with MongoClient[dict[str, Any]](on.mongodb) as client:
        mongod = client.server_info()["version"]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, PostgreSQL {settings['server_version']} "
        f"(fsync {settings['fsync']}, synchronous_commit {settings['synchronous_commit']}), "
        f"MongoDB {mongod} (w: majority). Load generator and databases share the cores."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [each.partition(":")[2].strip() for each in lines if each.startswith("model name")]
    return names[0] if names else platform.machine()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _unit(figure: Figure) -> str:
    return f" {figure.unit}" if figure.unit else ""


def _verdict(figure: Figure) -> str:
    if figure.target is None:
        return ""
    met = "met" if figure.target.met_by(figure.value) else "missed"
    return f", {met} (target {figure.target.sense} {figure.target.value:g})"
