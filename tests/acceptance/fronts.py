"""Real proxies in front of a service, as processes of the test's own on the loopback interface."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.services import ROOT, SECONDS, await_that

_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
}}
"""

FRONT = ROOT / "deploy/helm/diptych/files/front.conf.template"
"""What compose.yaml and the chart have nginx do."""


def program(name: str) -> str | None:
    """Where the program is, also if it is a server that only root has on its PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def needs(*names: str) -> pytest.MarkDecorator:
    """Leave a test out where one of the programs is not installed; `.ci/run` installs them."""
    missing = [each for each in names if program(each) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)}")


@contextlib.contextmanager
def nginx(server: str, http: str = "") -> Iterator[str]:
    """Run an nginx for the length of a `with` block; its URL.

    Args:
        server: the directives of its one `server` block, without `listen`.
        http: directives of the block around it; `{folder}` stands for a folder it may write to.

    """
    with _nginx(lambda address: f"{http}server {{ listen {address}; {server} }}") as url:
        yield url


@contextlib.contextmanager
def front(template: str | None = None, **roles: str) -> Iterator[str]:
    """Run an nginx as it is deployed, before processes at the URLs of these `roles`; its URL."""
    template = template or FRONT.read_text("utf-8")
    values = {role.upper(): urlsplit(url).netloc for role, url in roles.items()}
    with _nginx(lambda address: filled_in(template, LISTEN=address, **values)) as url:
        yield url


def filled_in(template: str, **values: str) -> str:
    """The template as nginx's image fills it in: the names of variables are in capitals."""
    proxies = "set_real_ip_from 127.0.0.1;"
    for name, value in {"RESOLVER": "127.0.0.1", "PROXIES": proxies, **values}.items():
        template = template.replace(f"${{{name}}}", value)
    left = re.findall(r"\$\{[A-Z]+\}", re.sub(r"^ *#.*", "", template, flags=re.MULTILINE))
    assert left == [], "not filled in"
    return template


@contextlib.contextmanager
def _nginx(http_at: Callable[[str], str]) -> Iterator[str]:
    """Run an nginx whose block `http` is made for the address it listens on; its URL."""
    binary = program("nginx")
    assert binary, "nginx is not installed"
    folder = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    folder.chmod(0o755)
    # It inherits the socket: no other process can take the port in between.
    with socket.create_server(("127.0.0.1", 0), backlog=511) as bound:
        host, port = bound.getsockname()
        config = folder / "nginx.conf"
        http = http_at(f"{host}:{port}").replace("{folder}", str(folder))
        config.write_text(_NGINX.format(folder=folder, http=http))
        process = subprocess.Popen(
            [binary, "-p", folder, "-c", config],
            env={**os.environ, "NGINX": f"{bound.fileno()};"},
            pass_fds=[bound.fileno()],
            stderr=subprocess.PIPE,
        )
    try:
        await_that(lambda: (folder / "nginx.pid").exists() or process.poll() is not None, "nginx")
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        yield f"http://{host}:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)
        shutil.rmtree(folder)


def under_prefix(url: str, prefix: str = "/api") -> str:
    """Directives of a server that answers for `url` under `prefix`, which it strips, with gzip.

    The Host that the service sees is nginx's default, which is that of `url`.
    """
    return f"""
        gzip on;
        gzip_types application/json application/problem+json text/css text/javascript;
        gzip_proxied any;
        gzip_min_length 1;
        location {prefix}/ {{
            proxy_pass {url}/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    """


@contextlib.contextmanager
def varnish(url: str) -> Iterator[str]:
    """Run a Varnish as it comes, with the service at `url` behind it; its URL."""
    binary, console = program("varnishd"), program("varnishadm")
    assert binary, "varnish is not installed"
    assert console, "varnish is not installed"
    folder = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    process = subprocess.Popen(
        [
            *(binary, "-F", "-j", "none", "-n", folder, "-s", "malloc,16m"),
            *("-a", "127.0.0.1:0", "-b", urlsplit(url).netloc),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )

    def asked(command: str) -> list[str]:
        asking: list[str | Path] = [console, "-n", folder, "-t", "5", command]
        done = subprocess.run(asking, capture_output=True, text=True, check=False)
        return done.stdout.split() if done.returncode == 0 else []

    def serves() -> bool:
        return process.poll() is not None or "running" in asked("status")

    try:
        await_that(serves, "varnish")
        assert process.poll() is None, process.stdout and process.stdout.read().decode()
        _, host, port = asked("debug.listen_address")
        yield f"http://{host}:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)
        shutil.rmtree(folder)
