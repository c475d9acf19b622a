"""The projector in a process of its own; tests/acceptance/test_workers.py stops a real one."""

import asyncio
import signal

from app.host.workers.projecting import _Projecting


def test_a_signal_that_comes_after_the_end_is_no_error():
    """The last seconds of the process, when traces are sent, have no event loop."""

    async def make() -> _Projecting:
        return _Projecting()

    asyncio.run(make()).handle_exit(signal.SIGTERM, None)
