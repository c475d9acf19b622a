"""Kills projectors and their operator at random steps of what operators do to projections.

Before a repair, documents of the build that serves are changed, removed and added in MongoDB. A
document that is wrong is answered as it is, so these are of users of their own: no list or page is
held against them, and their answers only have to have the last write. In the history they are
entries that the streams have passed. These users are written without a pause during a repair. It is
killed, and repeated until the command says that all is repaired; then none of the damage is left.
A document that was removed is parked by its next event, and is replayed after the repair.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from typing import Any

from app.adapters.mongo import MongoReadModel
from app.framework.projections import EVERYTHING, BuildRecord, BuildState
from app.host.settings import Settings
from tests.acceptance.clusters import Cluster, client_of, cluster, for_each
from tests.acceptance.damages import Damages
from tests.acceptance.fleets import Fleet
from tests.acceptance.folding import FOLLOWED, differences
from tests.acceptance.operators import Operator
from tests.acceptance.releases import REFUSED
from tests.acceptance.services import environment
from tests.acceptance.steps import LASTS, PHASES, Found, Work, chosen, is_parked, repairing
from tests.acceptance.witnesses import DAMAGED, Witnesses

DATABASE = str(Settings.model_fields["mongodb_database"].default)
SETTLE_SECONDS = 90.0
POLL_SECONDS = 0.1
MARKED = [f"marked-{each}" for each in range(5)]
DAMAGED_USERS = [f"{DAMAGED}-{each}" for each in range(8)]
PHASE_SECONDS = 3.0


class Trial:
    """Projectors, an operator, and what happens to them."""

    def __init__(
        self, urls: dict[str, str], fleet: Fleet, witnesses: Witnesses, *, seed: int
    ) -> None:
        self._fleet, self._witnesses = fleet, witnesses
        self._chance = random.Random(seed)
        self._marks = 0
        self._unparked_since = time.monotonic()
        url = urls["MONGODB_URL"]
        self.store = MongoReadModel(url, DATABASE, "motor")
        self.damages = Damages(url, DATABASE, DAMAGED_USERS, seed)
        self._operator = Operator(url, DATABASE, environment(LOG_LEVEL="error", **urls))
        self.kills = 0
        self.hits: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def run(self, kills: int) -> None:
        """Act and kill until there were so many kills; then repair and replay all that is left."""
        said = 0
        await self._operator.started()
        await self._until(self._all_caught_up, "the first builds")
        self._registered = self._witnesses.ledger.events
        await self._until(self._streams_go_on, "the streams")
        while self.kills < kills:
            await self._act(kills - self.kills)
            if self.kills // 10 > said or self.kills >= kills:
                said = self.kills // 10
                self._say()
        if self._fleet.release:
            await self._deploy({}, "end")
        await self._until(self._all_repaired, "the last repairs")
        while parked := await self._parked():
            for _, build in parked:
                await self._operator.do("replay", build=build.id, keys=[EVERYTHING])
            await self._until(self._nothing_asked, "the last replay")
        await self._until(self._all_caught_up, "the end")

    async def close(self) -> None:
        """End the operator."""
        await self._operator.kill()
        await self.damages.close()
        await self.store.close()

    async def _act(self, left: int) -> None:
        """Have the operator do something, and kill a process meanwhile."""
        is_refused = await self._marked_are_parked()
        if is_refused:
            self._unparked_since = time.monotonic()
        # Readers know for a second what was parked.
        elif not self._fleet.release and time.monotonic() - self._unparked_since > 5:
            self._witnesses.may_refuse = False
        if self._fleet.release:
            if self._chance.random() < 0.4:
                await self._deploy({}, "correct")
        elif not is_refused and left > 2 * len(self._fleet) and self._chance.random() < 0.15:
            await self._park()
        builds, damaged = await self._builds(), await self._damaged()
        may_replay = not self._fleet.release
        work = chosen(self._chance, builds, damaged, may_replay=may_replay)
        if work.step == "repair" and (build := await self._work(work)):
            await self.damages.make(build)
        await self._operator.started()
        doing = asyncio.create_task(self._do(work))
        if self._chance.random() < 0.6:
            await self._come_to(self._chance.choice(PHASES[work.step]), work)
            await asyncio.sleep(self._chance.uniform(0, 0.3))
        else:
            await asyncio.sleep(self._chance.uniform(0, LASTS[work.step]))
        await self._kill(work)
        done = await doing
        build_id = done if work.step == "rebuild" else work.build
        if build_id is not None and self._chance.random() < 0.5:
            await self._until(lambda: self._is_settled(build_id), f"{work.step} of {build_id}")

    async def _do(self, work: Work) -> Any:
        """Carry a step out; what came of it, None if the operator was killed meanwhile."""
        self.done[work.step] += 1
        self.done["parked documents to replay"] += len(work.arguments.get("keys", ()))
        if work.step == "repair":
            return await self._repair(work)
        return await self._operator.do(work.step, **work.arguments)

    async def _repair(self, work: Work) -> None:
        """Have a damaged build repaired."""
        self._witnesses.repairing.set()
        found = await self._operator.do("repair", **work.arguments)
        self._witnesses.repairing.clear()
        if found is None:
            return
        self.done["documents repaired"] += found["repaired"]
        if found["is_verified"] and found["repaired"] == found["differing"]:
            assert work.build
            if left := await self.damages.left(work.build):
                self._witnesses.ledger.breaks("no repair", f"{left} of {work.build}: {found}")
            self.damages.forget(work.build)

    async def _all_repaired(self) -> bool:
        """Whether no build was damaged any more; one of those is repaired."""
        damaged = await self._damaged()
        if damaged:
            await self._do(repairing(damaged[0]))
        return not damaged

    async def _damaged(self) -> list[Found]:
        """The builds that are damaged and followed."""
        found = [each for each in await self._builds() if each[1].id in self.damages.builds]
        return [each for each in found if each[1].state in FOLLOWED]

    async def _work(self, work: Work) -> BuildRecord | None:
        """The build under work: the one with its id, or one that is not known."""
        for projection, build in await self._builds():
            is_new = projection.name == work.name and build.id not in work.known
            if build.id == work.build or (work.build is None and is_new):
                return build
        return None

    async def _come_to(self, phase: str, work: Work) -> None:
        """Return once the build under work is in a phase, or if it does not come to it."""
        until = time.monotonic() + PHASE_SECONDS
        while time.monotonic() < until:
            build = await self._work(work)
            if build is not None and phase == await self._phase(work, build):
                return

    async def _phase(self, work: Work, build: BuildRecord | None) -> str:
        if build is None:
            return "not begun"
        if work.step == "repair":
            return await self.damages.phase(build.id)
        return "replaying" if build.replay else str(build.state)

    async def _kill(self, work: Work) -> None:
        build = await self._work(work)
        # A repair is the work of the operator, everything else that of projectors.
        weights = [3, 1, 5] if work.step == "repair" else [5, 2, 2]
        whom = self._chance.choices(["holder", "another", "operator"], weights)[0]
        self.hits[f"{work.step} ({await self._phase(work, build)}): {whom}"] += 1
        self.kills += 1
        if whom == "operator":
            await self._operator.kill()
            return
        holders = self._fleet.holders(build)
        others = [each for each in range(len(self._fleet)) if each not in holders]
        self._fleet.restart(
            self._chance.choice((holders if whom == "holder" else others) or others)
        )

    async def _deploy(self, release: dict[str, str], why: str) -> None:
        """Kill every projector, and start it from another release."""
        self._fleet.release = release
        for number in range(len(self._fleet)):
            self._fleet.restart(number)
            self.kills += 1
            self.hits[f"deploy to {why}"] += 1
            await asyncio.sleep(self._chance.uniform(0, 1))

    async def _park(self) -> None:
        """Have documents parked, by projectors that cannot apply what real ones can."""
        self._witnesses.may_refuse = True
        await self._deploy(self._fleet.refusing, "park")
        for each in self._chance.sample(MARKED, 3):
            self._marks += 1
            await self._witnesses.patch(each, avatar_url=f"{REFUSED}{self._marks}")
        await self._until(self._marked_are_parked, "parking")

    async def _marked_are_parked(self) -> bool:
        """Whether documents are parked that no repair restores."""
        return any(each.key in MARKED for _, build in await self._parked() for each in build.parked)

    async def _parked(self) -> list[Found]:
        return [each for each in await self._builds() if is_parked(each)]

    async def _builds(self) -> list[Found]:
        records = await self.store.projections()
        return [(each, build) for each in records for build in each.builds]

    async def _is_settled(self, build_id: str) -> bool:
        (build,) = [build for _, build in await self._builds() if build.id == build_id]
        return build.state is BuildState.RETIRED or (build.state in FOLLOWED and not build.replay)

    async def _nothing_asked(self) -> bool:
        return not any(build.replay for _, build in await self._parked())

    async def _streams_go_on(self) -> bool:
        """Whether they have passed what was registered at first."""
        return all(len(each.told) >= self._registered for each in self._witnesses.readers)

    async def _all_caught_up(self) -> bool:
        builds = [
            build for _, build in await self._builds() if build.state is not BuildState.RETIRED
        ]
        events = self._witnesses.ledger.events
        return len(builds) >= 3 and all(
            build.state in FOLLOWED and build.position >= events for build in builds
        )

    async def _until(self, condition: Any, what: str) -> None:
        until = time.monotonic() + SETTLE_SECONDS
        while not await condition():
            found = [
                build for _, build in await self._builds() if build.state is not BuildState.RETIRED
            ]
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


async def kills(
    kills: int, seed: int, *, users: int = 1000, projectors: int = 3, pause: float = 0.1
) -> str:
    """Kill so often; what was found."""
    async with cluster() as processes:
        service, fleet = processes.launch("commands,queries"), Fleet(processes, projectors)
        await asyncio.to_thread(service.await_serving)
        async with client_of(service) as client:
            witnesses = Witnesses(client, seed, pause=pause)
            ids = [*MARKED, *DAMAGED_USERS, *(f"old-{each}" for each in range(users))]
            trial = Trial(processes.urls, fleet, witnesses, seed=seed)
            try:
                await for_each(range(len(ids)), lambda each: witnesses.register(ids[each]))
                async with witnesses.at_work(marked=MARKED, damaged=DAMAGED_USERS):
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
        f"{trial.kills} kills; {dict(trial.done)}; documents {dict(trial.damages.counts)}; "
        f"{dict(ledger.counts)}; {len(reader.told)} changes, cut off {reader.cuts} times; "
        f"0 differences in {', '.join(found)}; 0 stale answers, 0 broken lists, pages or streams"
    )
