"""`python -m app`."""

import signal
import sys

if __name__ == "__main__":
    # The import takes a second: a Ctrl-C meanwhile ends the process at once, with no traceback.
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from app.cli import main

    signal.signal(signal.SIGINT, usual)
    sys.exit(main())
