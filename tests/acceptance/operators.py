"""An operator of projections, as a process of its own that can be killed at any moment.

    python -m tests.acceptance.operators MONGODB_URL DATABASE

It reads steps from its input, a line of JSON each, and writes what came of them. The settings of
the service name the databases for those steps that are commands.
"""

import asyncio
import contextlib
import io
import json
import sys
from typing import Any

from app.adapters.mongo import MongoReadModel
from app.bootstrap import all_projections
from app.cli.projections import verify
from app.framework.projections import ProjectionRecord, TakeOver

PROJECTIONS = {each.name: each for each in all_projections()}


async def record_of(store: MongoReadModel, name: str) -> ProjectionRecord:
    """A projection as it is stored."""
    return next(each for each in await store.projections() if each.name == name)


async def rebuild(store: MongoReadModel, name: str, take_over: str) -> Any:
    """Begin a build; its id."""
    known = len((await record_of(store, name)).builds)
    return await store.begin(PROJECTIONS[name], take_over=TakeOver(take_over), known=known)


async def switch(store: MongoReadModel, name: str, to: str) -> Any:
    """Let another build serve."""
    serving = (await record_of(store, name)).serving
    return await store.switch(name, serving=serving, to=to)


async def retire(store: MongoReadModel, name: str, build: str) -> Any:
    """Give up a build."""
    return await store.retire(name, build)


async def replay(store: MongoReadModel, build: str, keys: list[str]) -> Any:
    """Have parked documents replayed."""
    await store.ask_to_replay(build, keys)
    return True


async def repair(_: MongoReadModel, name: str, number: int) -> Any:
    """Have the command of operators repair a build; what it prints of it as JSON."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as printed,
        contextlib.redirect_stderr(io.StringIO()),
    ):
        await asyncio.to_thread(verify.run, [name], build=number, repair=True, as_json=True)
    [found] = json.loads(printed.getvalue())["items"]
    return found


STEPS = {each.__name__: each for each in (rebuild, switch, retire, replay, repair)}


class Operator:
    """The process, seen from the one that started it; it is started again after a kill."""

    def __init__(self, url: str, database: str, environment: dict[str, str]) -> None:
        self._command = (sys.executable, "-m", __name__, url, database)
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    async def do(self, step: str, **arguments: object) -> Any:
        """Carry a step out; None if it was killed meanwhile, and nobody knows what came of it."""
        process = await self.started()
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{json.dumps([step, arguments])}\n".encode())
        line = await process.stdout.readline()
        return json.loads(line) if line else None

    async def kill(self) -> None:
        """Kill it on the spot, if it runs."""
        async with self._starting:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()

    async def started(self) -> asyncio.subprocess.Process:
        """The process, once it is ready for a step."""
        async with self._starting:
            if self._process is None:
                pipe = asyncio.subprocess.PIPE
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=pipe, stdout=pipe, env=self._environment
                )
                assert self._process.stdout
                await self._process.stdout.readline()
            return self._process


async def main(url: str, database: str) -> None:
    """Carry out one step after the other."""
    store = MongoReadModel(url, database, "motor")
    await store.check()
    _write("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        step, arguments = json.loads(line)
        _write(await STEPS[step](store, **arguments))
    await store.close()


def _write(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
