"""A PgBouncer in front of a PostgreSQL, on a port of loopback."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.devtools.servers.accounts import account_for
from tests.acceptance.fronts import program

SECONDS = 10
POOL_SIZE = 2
"""Fewer sessions than a process has connections, so that in transaction mode they are shared."""


_TLS = """
client_tls_sslmode = require
client_tls_cert_file = {file}
client_tls_key_file = {file}
"""


@contextlib.contextmanager
def pgbouncer(postgres_url: str, mode: str, certificate: str = "") -> Iterator[str]:
    """The URL of `postgres_url`'s database behind a PgBouncer in `mode`, for a `with` block.

    With a `certificate`, and its private key in the same text, clients have to use TLS.
    """
    home = Path(tempfile.mkdtemp(prefix="diptych-pgbouncer-"))
    account = account_for("PgBouncer", home / "none", "postgres")
    port = _free_port()
    config = home / "pgbouncer.ini"
    config.write_text(_config(postgres_url, mode, port))
    if certificate:
        (home / "server.pem").write_text(certificate)
        with config.open("a") as added:
            added.write(_TLS.format(file=home / "server.pem"))
    for path in (home, *home.iterdir()):
        path.chmod(0o755)
    log = (home / "log").open("wb")
    binary = program("pgbouncer")
    assert binary, "pgbouncer is not installed"
    process = subprocess.Popen(
        [binary, config],
        stdout=log,
        stderr=log,
        **(account.identity if account else {}),
    )
    try:
        _await_listening(port, process)
        yield f"postgresql://diptych@127.0.0.1:{port}{urlsplit(postgres_url).path}"
    except BaseException as error:
        error.add_note((home / "log").read_text())
        raise
    finally:
        process.terminate()
        process.wait(SECONDS)
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def _config(url: str, mode: str, port: int) -> str:
    server = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(server.query).items()}
    host = server.hostname or options["host"]
    server_port = server.port or options.get("port", "5432")
    password = f" password={server.password}" if server.password else ""
    return f"""
[databases]
* = host={host} port={server_port} user={server.username}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {POOL_SIZE if mode == "transaction" else 20}
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _await_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "PgBouncer did not start"
            assert time.monotonic() < deadline, "PgBouncer does not listen"
            time.sleep(0.02)
        else:
            return
