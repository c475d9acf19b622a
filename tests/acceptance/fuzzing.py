"""Sends the API what schemathesis makes of its document, valid and not, and checks the answers.

    python -m tests.acceptance.fuzzing --seconds 300
    python -m tests.acceptance.fuzzing --seconds 60 --token none

With the token of an administrator everything about the answers is checked; without one, or with one
that is not accepted, that nothing is served but what is public.

What is checked is in schemathesis.toml beside this file, what schemathesis has to be told of the
API in fuzzing_hooks.py.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from app import IDENTIFIER
from app.adapters.identity import LocalIssuer
from tests.acceptance.services import SERVE, UNMEASURED, Service, environment
from tests.unit.api.access import ALL_SCOPES

CONFIG = Path(__file__).with_name("schemathesis.toml")
TOKENS = ("administrator", "none", "wrong")


def fuzz(
    service: Service, *options: str, token: str = "administrator", cwd: Path, **process
) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with `options` on a service; it may leave files in `cwd`.

    `token` is one of TOKENS; the service is its own issuer.
    """
    schemathesis = (sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG))
    command = [*schemathesis, "run", f"{service.url}/openapi.json", "--no-color", *options]
    if token != "none":
        command += ["--header", f"Authorization: Bearer {_made(token, service)}"]
    if token == "administrator":
        command += ["--exclude-checks", "is_refused"]
    else:
        command += ["--checks", "not_a_server_error,is_refused"]
    return subprocess.run(
        command, cwd=cwd, env=environment(no_proxy="127.0.0.1"), text=True, check=False, **process
    )


def _made(token: str, service: Service) -> str:
    folder = service.data_dir if token == "administrator" else service.data_dir.parent
    issuer = LocalIssuer(folder / "issuer/key.pem")
    return issuer.token("fuzzing", ALL_SCOPES, IDENTIFIER)


def main() -> None:
    """Fuzz a service that is started for it, in a data directory that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--token", choices=TOKENS, default=TOKENS[0])
    given = parser.parse_args()
    options = ("--max-time", str(given.seconds), "--seed", str(given.seed))
    with tempfile.TemporaryDirectory(prefix="diptych-fuzzing-") as folder:
        settings = {"AUTH": "", "LOG_LEVEL": "error", "AUDIT_LOG": "/dev/null", **UNMEASURED}
        service = Service(Path(folder) / "data", SERVE, None, **settings)
        try:
            service.await_serving()
            found = fuzz(service, *options, token=given.token, cwd=Path(folder))
            stopped = service.stop()
            sys.stdout.write(service.log.read_text())
        finally:
            service.clean_up()
    sys.exit(found.returncode or stopped)


_Raw = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    main()
