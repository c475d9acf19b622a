"""An issuer for tests: it answers over HTTP as it is made to, and signs any token."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

URL = "https://login.example.com"
AUDIENCE = "https://users.example.com"
NOW = 1_800_000_000.0


class TestIssuer:
    """Serves its discovery document and its keys through `transport`, and counts requests.

    answer: replaces the answer to a path, if it gives one.
    """

    __test__ = False

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {"one": ec.generate_private_key(ec.SECP256R1())}
        self.asked: list[str] = []
        self.answer: Callable[[str], httpx.Response | None] = lambda _: None

    @property
    def client(self) -> httpx.AsyncClient:
        """A client whose requests this issuer answers."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    def token(
        self, claims: dict[str, Any] | None = None, *, key: str = "one", **headers: Any
    ) -> str:
        """A token that is right, but for `claims` (None leaves one out) and `headers`."""
        given = {
            "iss": URL,
            "sub": "alice",
            "aud": AUDIENCE,
            "iat": NOW,
            "exp": NOW + 300,
            "scope": "users:read users:write",
            **(claims or {}),
        }
        private = self.keys[key]
        algorithm = "RS256" if isinstance(private, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(
            {name: each for name, each in given.items() if each is not None},
            private,
            headers.pop("alg", algorithm),
            headers={"typ": "at+jwt", "kid": key, **headers},
        )

    def jwk(self, key: str) -> dict[str, Any]:
        """The public half of a key."""
        private = self.keys[key]
        kind = RSAAlgorithm if isinstance(private, rsa.RSAPrivateKey) else ECAlgorithm
        return {**kind.to_jwk(private.public_key(), as_dict=True), "kid": key, "use": "sig"}

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if (answer := self.answer(path)) is not None:
            return answer
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={"issuer": URL, "jwks_uri": f"{URL}/keys"})
        return httpx.Response(
            200, text=json.dumps({"keys": [self.jwk(each) for each in self.keys]})
        )


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        """The time, which the test sets."""
        return self.at
