"""An issuer within the service, for development: it signs tokens with a key in a file."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.framework.security import InvalidToken

ALGORITHM = "ES256"
VALID_SECONDS = 12 * 3600
"""How long a token of development is valid."""


class LocalIssuer:
    """Makes tokens, and has the key that verifies them.

    Each data directory has a key of its own, so a token of one machine is nothing on another.
    """

    url: str = "urn:development"
    trouble: str | None = None

    def __init__(self, file: Path) -> None:
        """Use the key in `file`, which is made if it is not there, for its owner's eyes only."""
        private = _private_key(file)
        self._private = private
        public = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        self._public = jwt.PyJWK.from_dict({**public, "alg": ALGORITHM})

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key, which has no id.

        Raises:
            InvalidToken: the token names one.

        """
        if key_id is not None:
            raise InvalidToken("Its issuer has no key of the id that it names.")
        return self._public

    async def prefetch(self) -> None:
        """Do nothing: the key is here."""

    async def close(self) -> None:
        """Do nothing: the key is here."""

    def token(self, subject: str, scopes: Iterable[str], audience: str) -> str:
        """A token for a subject."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + VALID_SECONDS,
            "jti": uuid4().hex,
            "scope": " ".join(sorted(scopes)),
        }
        return jwt.encode(claims, self._private, ALGORITHM, headers={"typ": "at+jwt"})


def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_once(file, pem)
    found = load_pem_private_key(file.read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


def _write_once(file: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all; one that is there stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        os.link(draft, file)
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink()
