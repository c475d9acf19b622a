"""Projectors that are killed and started again."""

import functools

from app.framework.projections import BuildRecord
from tests.acceptance.clusters import Cluster
from tests.acceptance.releases import refusing
from tests.acceptance.services import Service


class Fleet:
    """Projector processes, of which each is started again when it was killed.

    release: the settings by which projectors are started.
    """

    def __init__(self, processes: Cluster, projectors: int) -> None:
        self._processes = processes
        self.release: dict[str, str] = {}
        self._projectors = [self._launch() for _ in range(projectors)]

    @functools.cached_property
    def refusing(self) -> dict[str, str]:
        """The settings that start a release that cannot apply what others can."""
        return refusing(self._processes.home / "refusing")

    def __len__(self) -> int:
        return len(self._projectors)

    def restart(self, number: int) -> None:
        """Kill a projector on the spot, and start another."""
        self._projectors[number].process.kill()
        self._projectors[number].await_end()
        self._projectors[number] = self._launch()

    def holders(self, build: BuildRecord | None) -> list[int]:
        """Which of them work on a build."""
        return [
            number
            for number, each in enumerate(self._projectors)
            if build and build.holder and f":{each.process.pid}:" in build.holder
        ]

    def _launch(self) -> Service:
        return self._processes.launch("projector", **self.release)
