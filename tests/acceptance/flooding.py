"""Has one client flood the service, and measures how long the reads of others take meanwhile.

    python -m tests.acceptance.flooding --seconds 10 --rounds 5

Others are some principals who read at a steady pace. Their p99 with each kind of flood is compared
with their p99 without one, measured just before. It wants a free core for the service.
"""

import argparse
import asyncio
import itertools
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from app import IDENTIFIER
from app.adapters.identity import LocalIssuer
from tests.acceptance.clusters import cluster
from tests.acceptance.http import Connection
from tests.acceptance.services import Service

OTHERS = 8
READS_A_SECOND = 100
"""Of all others together."""

START_SECONDS = 1.0
"""For the client that floods to be ready."""

MOST = 1.5
"""How much longer the 99th of 100 reads of others may take while one client floods."""

KINDS = ("token", "reconnecting", "none", "bad", "health")


class Trial:
    """The service, with a user and tokens."""

    def __init__(self, service: Service) -> None:
        self._service = service
        issuer = LocalIssuer(service.data_dir / "issuer" / "key.pem")
        scopes = ["users:read:any", "users:admin", "users:list"]
        names = ["flooder", *(f"other{number}" for number in range(OTHERS))]
        self._flooder, *others = [issuer.token(each, scopes, IDENTIFIER) for each in names]
        host, port = "127.0.0.1", int(service.port)
        self._others = [
            Connection(host, port, f"Authorization: Bearer {each}\r\n") for each in others
        ]

    async def begin(self) -> None:
        """Have the user that all read, and every connection opened."""
        user = {"id": "user1", "name": "A", "email": "a@example.com"}
        status, _ = await self._others[0].request("POST", "/users", user)
        assert status == 201
        # Another process shows it.
        while (await self._others[0].request("GET", "/users/user1"))[0] != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await self.reads(1)

    async def reads(self, seconds: float) -> Sequence[float]:
        """How long the reads of the others took, in order."""
        took: list[float] = []
        end = time.monotonic() + seconds

        async def read_on(number: int, connection: Connection) -> None:
            for count in itertools.count():
                due = begin + (count + number / OTHERS) * OTHERS / READS_A_SECOND
                if due >= end:
                    return
                await asyncio.sleep(max(due - time.monotonic(), 0))
                status, _ = await connection.request("GET", "/users/user1")
                assert status == 200, status
                took.append(time.monotonic() - due)

        begin = time.monotonic()
        await asyncio.gather(*(read_on(*each) for each in enumerate(self._others)))
        return sorted(took)

    def flooder(self, kind: str) -> subprocess.Popen[str]:
        """A client that begins to flood at a line of its input: its start is no part of a flood."""
        path = "/health/live" if kind == "health" else "/users/user1"
        token = {"token": self._flooder, "reconnecting": self._flooder, "bad": f"{self._flooder}%d"}
        given = f"Authorization: Bearer {token[kind]}\r\n" if kind in token else ""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{given}\r\n"
        program = Path(__file__).with_name("flooder.py")
        return subprocess.Popen(
            [sys.executable, program, self._service.url, request, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return values[math.ceil(0.99 * len(values)) - 1]


async def measure(trial: Trial, kind: str, seconds: float) -> tuple[float, float, str]:
    """The p99 without and with a flood, and what the flood was answered with."""
    with trial.flooder(kind) as flooder:
        try:
            await asyncio.sleep(START_SECONDS)
            quiet = await trial.reads(seconds)
            assert flooder.stdin
            flooder.stdin.write("go\n")
            flooder.stdin.flush()
            flooded = await trial.reads(seconds)
            answers, _ = await asyncio.to_thread(flooder.communicate, "")
        finally:
            flooder.kill()
    return p99(quiet), p99(flooded), json.dumps(json.loads(answers))


async def _run(options: argparse.Namespace) -> int:
    late = []
    async with cluster() as processes:
        given = {"AUTH": "", "AUDIT_LOG": str(processes.home / "audit.log")}
        limit = {"RATE_LIMIT": options.rate_limit}
        service = await processes.start("commands,queries,projector", **given, **limit)
        trial = Trial(service)
        await trial.begin()
        for kind in options.kinds:
            found = [await measure(trial, kind, options.seconds) for _ in range(options.rounds)]
            for quiet, flooded, answers in found:
                sys.stdout.write(
                    f"{kind}: p99 {1000 * quiet:.1f} ms without, {1000 * flooded:.1f} ms with a "
                    f"flood that was answered {answers}\n"
                )
            median = statistics.median(flooded / quiet for quiet, flooded, _ in found)
            sys.stdout.write(f"{kind}: p99 is {median:.2f} times that without a flood\n")
            late += [kind] if median > MOST else []
    sys.stdout.write(f"Not as promised: {', '.join(late)}\n" if late else "All as promised.\n")
    return 1 if late else 0


def main() -> int:
    """Run what the arguments say; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate-limit", default="")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    return uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
