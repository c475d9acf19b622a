"""Issuers of tokens on this machine: a real one, and one that tests can have misbehave."""

import base64
import contextlib
import hashlib
import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.acceptance.services import ROOT, environment
from tests.unit.identity.issuing import AUDIENCE, TestIssuer

VALID_SECONDS = 300
_NODE = Path(sys.executable).with_name("node")
_PROGRAM = ROOT / "tests/clients/issuer.mjs"
_SIGNED_IN = "http://127.0.0.1/signed-in"
_SECRET = "of-the-tests-only"


class _OnThisMachine(TestIssuer):
    """Signs tokens that are valid now."""

    url: str

    def token(
        self, claims: dict[str, Any] | None = None, *, key: str = "one", **headers: Any
    ) -> str:
        """A token that is right, but for `claims` and `headers`."""
        now = int(time.time())
        valid = {"iss": self.url, "iat": now, "exp": now + VALID_SECONDS}
        return super().token(
            {**valid, "jti": secrets.token_hex(8), **(claims or {})}, key=key, **headers
        )


class OidcProvider(_OnThisMachine):
    """The npm package oidc-provider, whose keys are known here as well."""

    def __init__(self) -> None:
        super().__init__()
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None

    def rotate(self, key: str, *, others: bool = True) -> None:
        """Sign with another key from the next start on; `others` are still published."""
        new = {key: ec.generate_private_key(ec.SECP256R1())}
        self.keys = {**new, **self.keys} if others else new

    def start(self) -> None:
        """Start it, and wait until it answers."""
        private = [self._private_jwk(each) for each in self.keys]
        self._process = subprocess.Popen(
            [_NODE, _PROGRAM, str(self._port), AUDIENCE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        with self._process.stdin as given:
            json.dump({"keys": private}, given)
        assert self._process.stdout.readline().strip() == self.url

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)  # node, and what has started it
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()
        self._process = None

    def token_of_client(self, scope: str) -> str:
        """The access token that a program gets for its credentials."""
        return self._tokens(
            {"grant_type": "client_credentials", "scope": scope}, auth=("program", _SECRET)
        )["access_token"]

    def tokens_of_user(self, name: str, scope: str) -> dict[str, str]:
        """The tokens that an application gets for a person: authorization code with PKCE."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "client_id": "web",
            "response_type": "code",
            "redirect_uri": _SIGNED_IN,
            "scope": f"openid {scope}",
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return self._tokens(
            {
                "grant_type": "authorization_code",
                "code": self._signed_in(name, asked),
                "redirect_uri": _SIGNED_IN,
                "client_id": "web",
                "code_verifier": verifier,
            }
        )

    def _signed_in(self, name: str, asked: dict[str, str]) -> str:
        """The code that a person brings back who signs in and consents."""
        with httpx.Client(base_url=self.url, trust_env=False) as browser:
            answer = browser.get("/auth", params=asked)
            while not answer.headers.get("Location", "").startswith(_SIGNED_IN):
                if answer.is_redirect:
                    answer = browser.get(answer.headers["Location"])
                    continue
                assert answer.status_code == httpx.codes.OK, answer.text
                [form] = re.findall(r'action="([^"]+)"', answer.text)
                [prompt] = re.findall(r'name="prompt" value="(\w+)"', answer.text)
                answer = browser.post(form, data={"prompt": prompt, "login": name, "password": "x"})
            return httpx.URL(answer.headers["Location"]).params["code"]

    def _tokens(self, form: dict[str, str], **options: Any) -> dict[str, str]:
        answer = httpx.post(f"{self.url}/token", data=form, trust_env=False, **options)
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    def _private_jwk(self, key: str) -> dict[str, Any]:
        jwk = ECAlgorithm.to_jwk(self.keys[key], as_dict=True)
        return {**jwk, "kid": key, "use": "sig", "alg": "ES256"}


def _free_port() -> int:
    """A port below those that systems give away, also while the issuer does not listen."""
    while True:
        with socket.socket() as bound, contextlib.suppress(OSError):
            bound.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            port: int = bound.getsockname()[1]
            return port


class LoopbackIssuer(_OnThisMachine):
    """An issuer in a thread of the tests."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""

    @contextlib.contextmanager
    def serving(self) -> Iterator["LoopbackIssuer"]:
        """Answer for the length of a `with` block."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = json.dumps(issuer.document(self.path)).encode()
                self.send_response(httpx.codes.OK)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler

    def document(self, path: str) -> dict[str, Any]:
        """What it answers to a path: its discovery document, or its keys."""
        if path == "/keys":
            return {"keys": [self.jwk(each) for each in self.keys]}
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
