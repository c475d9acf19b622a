"""Kills projectors and their operator at random steps of what operators do to projections."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.adapters.mongo import MongoReadModel
from app.framework.projections import (
    EVERYTHING,
    BuildRecord,
    BuildState,
    ProjectionRecord,
    TakeOver,
)
from app.host.settings import Settings
from tests.acceptance.clusters import Cluster, client_of, cluster, for_each
from tests.acceptance.folding import FOLLOWED, differences
from tests.acceptance.operators import Operator
from tests.acceptance.releases import REFUSED, refusing
from tests.acceptance.services import Service, environment
from tests.acceptance.witnesses import Witnesses

DATABASE = str(Settings.model_fields["mongodb_database"].default)
SETTLE_SECONDS = 90.0
POLL_SECONDS = 0.1
MARKED = 5
MOST_BUILDS = 4

LASTS = {"rebuild": 3.0, "switch": 0.2, "retire": 0.2, "replay": 1.5}
"""For how long after the beginning of a step a kill may come."""

PHASES = {
    "rebuild": ("building", "comparing", "ready"),
    "switch": ("serving",),
    "retire": ("retired",),
    "replay": ("replaying",),
}
"""In which phases of a step it is to come more often than by chance."""

PHASE_SECONDS = 3.0

Found = tuple[ProjectionRecord, BuildRecord]
Work = tuple[str, str, str | None, dict[str, Any]]
"""A step, its projection, the build that it is about, and its arguments."""


class Trial:
    """Three projectors, of which each is started again when it was killed, and an operator.

    release: the settings by which projectors are started.
    """

    def __init__(
        self, processes: Cluster, witnesses: Witnesses, *, seed: int, projectors: int
    ) -> None:
        self._processes, self._witnesses = processes, witnesses
        self._chance = random.Random(seed)
        self._refusing = refusing(processes.home / "refusing")
        self._release: dict[str, str] = {}
        self._marks = 0
        self._unparked_since = time.monotonic()
        url = processes.urls["MONGODB_URL"]
        self.store = MongoReadModel(url, DATABASE, "motor")
        self._operator = Operator(url, DATABASE, environment())
        self._projectors = [self._launch() for _ in range(projectors)]
        self.kills = 0
        self.hits: Counter[str] = Counter()

    async def run(self, kills: int) -> None:
        """Act and kill until there were so many kills; then see to it that nothing is parked."""
        said = 0
        await self._until(self._all_caught_up, "the first builds")
        while self.kills < kills:
            await self._act(kills - self.kills)
            if self.kills // 10 > said:
                said = self.kills // 10
                self._say()
        if self._release:
            await self._deploy({}, "end")
        while parked := await self._parked():
            for _, build in parked:
                await self._operator.do("replay", build=build.id, keys=[EVERYTHING])
            await self._until(self._nothing_asked, "the last replay")
        await self._until(self._all_caught_up, "the end")

    async def close(self) -> None:
        """End the operator."""
        await self._operator.kill()
        await self.store.close()

    async def _act(self, left: int) -> None:
        """Have the operator do something, and kill a process meanwhile."""
        parked = await self._parked()
        if parked:
            self._unparked_since = time.monotonic()
        # Readers know for a second what was parked.
        elif not self._release and time.monotonic() - self._unparked_since > 5:
            self._witnesses.may_refuse = False
        if self._release:
            if self._chance.random() < 0.4:
                await self._deploy({}, "mend")
        elif not parked and left > 2 * len(self._projectors) and self._chance.random() < 0.15:
            await self._park()
        step, name, build, arguments = self._choose(await self._others(), parked)
        doing = asyncio.create_task(self._operator.do(step, **arguments))
        known = {each.id for _, each in await self._builds()}
        if self._chance.random() < 0.6:
            await self._come_to(self._chance.choice(PHASES[step]), name, build, known)
            await asyncio.sleep(self._chance.uniform(0, 0.3))
        else:
            await asyncio.sleep(self._chance.uniform(0, LASTS[step]))
        await self._kill(step, name, build, known)
        done = await doing
        if step == "rebuild":
            build = done
        if build is not None and self._chance.random() < 0.5:
            await self._until(lambda: self._is_settled(build), f"{step} of {build}")

    def _choose(self, others: Sequence[Found], parked: Sequence[Found]) -> Work:
        """What the operator does next."""
        if parked and not self._release and self._chance.random() < 0.6:
            projection, build = self._chance.choice(parked)
            keys = [EVERYTHING, *(each.key for each in build.parked)]
            keys = [self._chance.choice(keys)]
            return "replay", projection.name, build.id, {"build": build.id, "keys": keys}
        chosen = self._chance.choices(["rebuild", "switch", "retire"], [5, 4, 1])[0]
        names = sorted({projection.name for projection, _ in others}) or ["user_summaries"]
        name = self._chance.choice([*names, "user_profiles", "user_history"])
        mine = [build for projection, build in others if projection.name == name]
        ready = [build for build in mine if build.state in FOLLOWED]
        if mine and (chosen == "retire" or len(mine) >= MOST_BUILDS):
            build = self._chance.choice(mine)
            return "retire", name, build.id, {"name": name, "build": build.id}
        if ready and chosen == "switch":
            build = self._chance.choice(ready)
            return "switch", name, build.id, {"name": name, "to": build.id}
        take_over = self._chance.choice([TakeOver.WHEN_EQUAL, TakeOver.ON_REQUEST])
        return "rebuild", name, None, {"name": name, "take_over": take_over.value}

    async def _work(self, name: str, build_id: str | None, known: set[str]) -> BuildRecord | None:
        """The build under work: the one with this id, or one that is not `known`."""
        for projection, build in await self._builds():
            if build.id == build_id or (projection.name == name and build.id not in known):
                return build
        return None

    async def _come_to(self, phase: str, name: str, build_id: str | None, known: set[str]) -> None:
        """Return once the build under work is in a phase, or if it does not come to it."""
        until = time.monotonic() + PHASE_SECONDS
        while time.monotonic() < until:
            build = await self._work(name, build_id, known)
            if build is not None and phase == _phase(build):
                return

    async def _kill(self, step: str, name: str, build_id: str | None, known: set[str]) -> None:
        build = await self._work(name, build_id, known)
        whom = self._chance.choices(["holder", "another", "operator"], [5, 2, 2])[0]
        self.hits[f"{step} ({_phase(build)}): {whom}"] += 1
        self.kills += 1
        if whom == "operator":
            await self._operator.kill()
            return
        holders = [
            number
            for number, each in enumerate(self._projectors)
            if build and build.holder and f":{each.process.pid}:" in build.holder
        ]
        others = [each for each in range(len(self._projectors)) if each not in holders]
        self._restart(self._chance.choice((holders if whom == "holder" else others) or others))

    def _restart(self, number: int) -> None:
        self._projectors[number].process.kill()
        self._projectors[number].await_end()
        self._projectors[number] = self._launch()

    def _launch(self) -> Service:
        return self._processes.launch("projector", **self._release)

    async def _deploy(self, release: dict[str, str], why: str) -> None:
        """Kill every projector, and start it from another release."""
        self._release = release
        for number in range(len(self._projectors)):
            self._restart(number)
            self.kills += 1
            self.hits[f"deploy to {why}"] += 1
            await asyncio.sleep(self._chance.uniform(0, 1))

    async def _park(self) -> None:
        """Have documents parked, by projectors that cannot apply what real ones can."""
        self._witnesses.may_refuse = True
        await self._deploy(self._refusing, "park")
        for each in self._chance.sample(range(MARKED), 3):
            self._marks += 1
            await self._witnesses.patch(f"marked-{each}", avatar_url=f"{REFUSED}{self._marks}")

        async def are_parked() -> bool:
            return bool(await self._parked())

        await self._until(are_parked, "parking")

    async def _others(self) -> list[Found]:
        """The builds that do not serve and are not retired, with their projections."""
        gone = (BuildState.RETIRED, BuildState.FAILED, BuildState.SERVING)
        return [each for each in await self._builds() if each[1].state not in gone]

    async def _parked(self) -> list[Found]:
        builds = await self._builds()
        return [each for each in builds if each[1].parked and each[1].state is not _RETIRED]

    async def _builds(self) -> list[Found]:
        records = await self.store.projections()
        return [(each, build) for each in records for build in each.builds]

    async def _is_settled(self, build_id: str) -> bool:
        (build,) = [build for _, build in await self._builds() if build.id == build_id]
        return build.state is _RETIRED or (build.state in FOLLOWED and not build.replay)

    async def _nothing_asked(self) -> bool:
        return not any(build.replay for _, build in await self._parked())

    async def _all_caught_up(self) -> bool:
        builds = [build for _, build in await self._builds() if build.state is not _RETIRED]
        events = self._witnesses.ledger.events
        return len(builds) >= 3 and all(
            build.state in FOLLOWED and build.position >= events for build in builds
        )

    async def _until(self, condition: Any, what: str) -> None:
        until = time.monotonic() + SETTLE_SECONDS
        while not await condition():
            found = [build for _, build in await self._builds() if build.state is not _RETIRED]
            assert time.monotonic() < until, f"{what} takes too long: {found}"
            await asyncio.sleep(POLL_SECONDS)

    def _say(self) -> None:
        hits = ", ".join(f"{times} {what}" for what, times in self.hits.most_common())
        counts = self._witnesses.ledger.counts
        wrong = len(self._witnesses.ledger.wrong)
        sys.stdout.write(
            f"{self.kills} kills ({hits}); {counts['writes']} writes, "
            f"{counts['reads with a token']} reads with tokens, {wrong} wrong\n"
        )
        sys.stdout.flush()
        self.hits.clear()


def _phase(build: BuildRecord | None) -> str:
    if build is None:
        return "not begun"
    return "replaying" if build.replay else str(build.state)


_RETIRED = BuildState.RETIRED


async def kills(
    kills: int, seed: int, *, users: int = 1000, projectors: int = 3, pause: float = 0.1
) -> str:
    """Kill so often; what was found."""
    async with cluster() as processes:
        service = await processes.start("commands,queries")
        async with client_of(service) as client:
            witnesses = Witnesses(client, seed, pause=pause)
            ids = [f"marked-{each}" for each in range(MARKED)]
            ids += [f"old-{each}" for each in range(users)]
            trial = Trial(processes, witnesses, seed=seed, projectors=projectors)
            try:
                await for_each(range(len(ids)), lambda each: witnesses.register(ids[each]))
                async with witnesses.at_work(marked=ids[:MARKED]):
                    await trial.run(kills)
                return await _found(processes, trial, witnesses)
            finally:
                await trial.close()


async def _found(processes: Cluster, trial: Trial, witnesses: Witnesses) -> str:
    await trial._until(trial._all_caught_up, "the last events")
    ledger, [reader] = witnesses.ledger, witnesses.readers
    found = await differences(processes.urls["DATABASE_URL"], trial.store)
    records = {each.name: each for each in await trial.store.projections()}
    stored = await trial.store.load(records["user_profiles"].serving or "", list(ledger.users))
    for user_id, (profile, _) in ledger.users.items():
        document = stored[user_id].document or {}
        if any(document[each] != profile[each] for each in ("version", "bio", "avatar_url")):
            ledger.breaks("lost writes", f"{document} instead of {profile}")
    if (position := records["user_history"].serving_build.position) != ledger.events:
        ledger.breaks("events", f"{position} instead of {ledger.events}")
    differing = [f"{build}: {each}" for build, all_of_it in found.items() for each in all_of_it]
    assert not differing, differing[:10]
    assert not ledger.wrong, ledger.wrong[:10]
    return (
        f"{trial.kills} kills; {dict(ledger.counts)}; {len(reader.told)} changes, cut off "
        f"{reader.cuts} times; 0 differences in {', '.join(found)}; 0 stale answers, "
        "0 broken lists, pages or streams"
    )
