"""Sends the API what schemathesis makes of its document, valid and not, and checks the answers.

    python -m tests.acceptance.fuzzing --seconds 300

What is checked is in schemathesis.toml beside this file, what schemathesis has to be told of the
API in fuzzing_hooks.py.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.acceptance.services import SERVE, UNMEASURED, Service, environment

CONFIG = Path(__file__).with_name("schemathesis.toml")


def fuzz(url: str, *options: str, cwd: Path, **process) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with `options` on the service at `url`; it may leave files in `cwd`."""
    schemathesis = (sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG)
    return subprocess.run(
        [*schemathesis, "run", f"{url}/openapi.json", "--no-color", *options],
        cwd=cwd,
        env=environment(no_proxy="127.0.0.1"),
        text=True,
        check=False,
        **process,
    )


def main() -> None:
    """Fuzz a service that is started for it, in a data directory that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    options = ("--max-time", str(given.seconds), "--seed", str(given.seed))
    with tempfile.TemporaryDirectory(prefix="diptych-fuzzing-") as folder:
        service = Service(Path(folder) / "data", SERVE, None, LOG_LEVEL="error", **UNMEASURED)
        try:
            found = fuzz(service.await_serving().url, *options, cwd=Path(folder))
            stopped = service.stop()
            sys.stdout.write(service.log.read_text())
        finally:
            service.clean_up()
    sys.exit(found.returncode or stopped)


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    main()
