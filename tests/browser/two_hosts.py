"""Two hosts over TLS on loopback, so that a browser sees two real origins with their real names and rules."""

import datetime
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.embed_hub import ACCOUNT, HUB
from tests.serving import in_thread


class Host:
    """A server whose application a test may change at any time."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Hosts:
    """The account and the hub, each under its own name."""

    account: Host
    hub: Host

    def rules(self) -> str:
        """Return what tells Chromium where the two names lead."""
        names = ((ACCOUNT, self.account), (HUB, self.hub))
        return ",".join(f"MAP {name.removeprefix('https://')}:443 127.0.0.1:{host.port}" for name, host in names)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate nobody trusts and its key, and return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file


@contextmanager
def serving(host: Host, cert_file: Path, key_file: Path) -> Iterator[Host]:
    """Serve a host on a free port of loopback, over TLS."""
    listening = socket.create_server(("127.0.0.1", 0))
    host.port = listening.getsockname()[1]
    tls = {"ssl_certfile": str(cert_file), "ssl_keyfile": str(key_file)}
    with in_thread(host, listening, log_level="error", **tls):
        yield host
