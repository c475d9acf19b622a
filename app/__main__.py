"""`python -m app`, or `diptych` where the wheel is installed."""

import signal
import sys


def main(program: str = "diptych") -> int:
    """Run the command that the process's arguments name; the exit status."""
    # A Ctrl-C during the import ends the process at once, with no traceback.
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.cli import main as run  # noqa: PLC0415 - see above

    signal.signal(signal.SIGINT, usual)
    return run(program=program)


if __name__ == "__main__":
    sys.exit(main("python -m app"))
