"""Operates projections under load, on processes of their own, and sees what clients notice.

    python -m tests.acceptance.operating kills --kills 200 --seed 1
    python -m tests.acceptance.operating switches --events 1000000 --clients 20
    python -m tests.acceptance.operating poison --users 10000

kills: projectors, and the operator that rebuilds, switches, retires, replays and repairs, are
killed at random moments of these steps; documents are damaged before a repair. In the end each
build equals a fold of the log, all acknowledged writes are there once, and no answer was stale, no
list, page or stream broken.
switches: all projections of a large log are rebuilt while users are written and read, compared,
take over, go back and take over again. Clients write, read, page and follow through the switches.
poison: a release refuses an event of one user among many. The others keep their lag, reads of the
one are as promised, and after a restart with this release a replay brings it level amid writes.
"""

import argparse
import asyncio
import sys
import time

from tests.acceptance.kills import kills
from tests.acceptance.poison import poison
from tests.acceptance.switches import switches


def main() -> None:
    """Do one of them, from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    trials = parser.add_subparsers(required=True)
    killing = trials.add_parser("kills")
    killing.add_argument("--kills", type=int, default=200)
    killing.add_argument("--seed", type=int, default=1)
    killing.set_defaults(test=lambda options: kills(options.kills, options.seed))
    switching = trials.add_parser("switches")
    switching.add_argument("--events", type=int, default=1_000_000)
    switching.add_argument("--clients", type=int, default=20)
    switching.add_argument("--rounds", type=int, default=1, help="how often all is rebuilt")
    switching.set_defaults(
        test=lambda options: switches(options.events, options.clients, rounds=options.rounds)
    )
    poisoning = trials.add_parser("poison")
    poisoning.add_argument("--users", type=int, default=10_000)
    poisoning.add_argument("--seconds", type=float, default=30, help="how long each phase lasts")
    poisoning.set_defaults(test=lambda options: poison(options.users, seconds=options.seconds))
    options = parser.parse_args()
    started = time.monotonic()
    said = asyncio.run(options.test(options))
    sys.stdout.write(f"{said}; {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
