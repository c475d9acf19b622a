"""`python -m app`, or a program of its own where the wheel is installed."""

import signal
import sys

from app import IDENTIFIER


def main(program: str = IDENTIFIER) -> int:
    # A Ctrl-C during the import ends the process at once, with no traceback.
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.cli import main as run  # noqa: PLC0415 - see above

    signal.signal(signal.SIGINT, usual)
    return run(program=program)


if __name__ == "__main__":
    sys.exit(main("python -m app"))
