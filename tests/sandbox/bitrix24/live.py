"""A sandbox Bitrix24 on real loopback, in the clear or behind TLS, for clients that bring their own transport."""

import datetime
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.types import ASGIApp

from sandbox.bitrix24.app import Sandbox
from sandbox.ledger import LedgerRow
from sandbox.serve import DroppableProtocol, listen
from tests.serving import in_thread

MOMENT = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Live:
    """A sandbox that listens on loopback, with the keys of its app."""

    sandbox: Sandbox
    base_url: str
    keys: dict[str, str]

    @property
    def domain(self) -> str:
        return self.base_url.partition("://")[2]

    def asked(self, method: str = "") -> list[LedgerRow]:
        """What reached the sandbox, narrowed to a method of the portal."""
        rows = self.sandbox.ledger.rows
        return [row for row in rows if not method or row.path.removesuffix(".json").endswith(f"/{method}")]


@dataclass(frozen=True)
class Certificate:
    """A certificate for loopback, its own authority, and its key; both in files."""

    chain: Path
    key: Path


def certify(folder: Path) -> Certificate:
    """Writes a self-signed certificate for 127.0.0.1 and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(MOMENT)
        .not_valid_after(MOMENT + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = Certificate(folder / "chain.pem", folder / "key.pem")
    written.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    written.key.write_bytes(key.private_bytes(*plain))
    return written


@contextmanager
def served_securely(app: ASGIApp, certificate: Certificate) -> Iterator[str]:
    """Serves `app` over TLS on a free port; gives its base URL."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    files: dict[str, Any] = {"ssl_certfile": str(certificate.chain), "ssl_keyfile": str(certificate.key)}
    # A connection a client keeps open would be waited for, half a minute, when the server ends: it is asked to close each.
    once = [("connection", "close")]
    with in_thread(app, listener, http=DroppableProtocol, date_header=False, headers=once, **files):
        yield f"https://127.0.0.1:{port}"
