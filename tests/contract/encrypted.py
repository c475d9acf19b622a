"""An authority for certificates, and a mongod that takes TLS only."""

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.devtools.servers import processes
from app.devtools.servers.accounts import account_for, hand_over
from app.devtools.servers.binaries import mongod_binary

HOST = "localhost"
"""The servers' name in their certificates; by another one they are not trusted."""

_SECONDS = 60.0


class Authority:
    """Makes certificates. Clients trust them by `file`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._signed(self._key.public_key(), self._name, is_authority=True))

    def issue(self) -> str:
        """A certificate for servers on this machine, with its private key."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        signed = self._signed(key.public_key(), _name("a server"), is_authority=False)
        return (pem + signed).decode()

    def _signed(
        self, key: ec.EllipticCurvePublicKey, name: x509.Name, *, is_authority: bool
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(
                issuer_name=self._name,
                subject_name=name,
                public_key=key,
                serial_number=x509.random_serial_number(),
                not_valid_before=now - timedelta(days=1),
                not_valid_after=now + timedelta(days=1),
            )
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@contextmanager
def encrypted_mongod(authority: Authority) -> Iterator[int]:
    """The port of a mongod on this machine that refuses connections without TLS."""
    home = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    binary, port, log = mongod_binary(), _free_port(), home / "server.log"
    (home / "data").mkdir()
    (home / "server.pem").write_text(authority.issue())
    shutil.copy(authority.file, home / "authority.pem")
    account = account_for("mongod", home, "mongodb")
    if account:
        hand_over(home, account, binary, [binary.parent])
    command: list[str | Path] = [
        binary,
        *("--dbpath", home / "data"),
        *("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"),
        *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", home / "server.pem"),
        *("--tlsCAFile", home / "authority.pem", "--tlsAllowConnectionsWithoutCertificates"),
    ]
    process = processes.spawn("mongod", command, log, account)
    try:
        assert process.await_ready(lambda: _accepts(port), _SECONDS), log.read_text()
        yield port
    finally:
        process.stop((signal.SIGKILL, _SECONDS))  # there is nothing to keep
        shutil.rmtree(home, ignore_errors=True)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
