"""An issuer within the service, for development: it signs tokens with a key in a file."""

import os
import time
from collections.abc import Iterable
from functools import cached_property
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
from app.framework.storage import StorageError

ALGORITHM = "ES256"
VALID_SECONDS = 12 * 3600
"""How long a token of development is valid."""


class UnusableKey(StorageError):
    """The key of development cannot be read or made; the message says why and what to do."""


class LocalIssuer:
    """Makes tokens, and has the key that verifies them.

    Each data directory has a key of its own, so a token of one machine is nothing on another. It
    is made when it is first needed, and its owner alone may read it.
    """

    url: str = "urn:development"
    trouble: str | None = None

    def __init__(self, file: Path) -> None:
        self._file = file

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key, which has no id.

        Raises:
            InvalidToken: the token names one.
            UnusableKey: see there.

        """
        if key_id is not None:
            raise InvalidToken("Its issuer has no key of the id that it names.")
        return self._public

    async def prefetch(self) -> None:
        """Read the key, or make it.

        Raises:
            UnusableKey: see there.

        """
        self._public  # noqa: B018 - it is cached

    async def close(self) -> None:
        """Do nothing: the key is here."""

    def token(self, subject: str, scopes: Iterable[str], audience: str) -> str:
        """A token for a subject.

        Raises:
            UnusableKey: see there.

        """
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

    @cached_property
    def _public(self) -> jwt.PyJWK:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return jwt.PyJWK.from_dict({**public, "alg": ALGORITHM})

    @cached_property
    def _private(self) -> ec.EllipticCurvePrivateKey:
        try:
            return _private_key(self._file)
        except OSError as error:
            raise UnusableKey(f"DATA_DIR: {error.filename}: {error.strerror}") from error


def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_once(file, pem)
    if file.stat().st_mode & 0o077:
        raise UnusableKey(
            f"DATA_DIR: others may read {file}, a private key; remove it, and a new one is made"
        )
    try:
        found = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError):  # damaged; with a password
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(
        found.curve, ec.SECP256R1
    ):
        raise UnusableKey(
            f"DATA_DIR: {file} is no key for {ALGORITHM}; remove it, and a new one is made"
        )
    return found


def _write_once(file: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all; one that is there stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
