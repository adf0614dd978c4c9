"""Secrets and personal facts at rest: AES-256-GCM, a fresh key per value wrapped by a key of the ring.

The associated data names tenant, owner and column, so a value moved to another row or tenant does not open. The key's
id stands in each value: a new first key seals from now on while the old ones still open (ASVS 11.3).
"""

import base64
import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import KeyRingInvalid

_KEY, _NONCE, _TAG = 32, 12, 16
_SAMPLE = b"\0" * _KEY
_FORM = 1  # of a sealed value: form, length of the key id, key id, nonce, wrapped key, nonce, ciphertext


class Unopenable(Exception):
    """A sealed value does not open here: another key, tenant, row or column sealed it, or it was changed."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens values with a ring of keys; the first one seals."""

    ring: dict[str, bytes] = field(repr=False)

    def seal(self, clear: str, *names: object) -> bytes:
        """Return ``clear`` sealed for the place that ``names`` say (tenant first)."""
        key_id, key = next(iter(self.ring.items()))
        place = _place(names)
        fresh = os.urandom(_KEY + 2 * _NONCE)
        own, outer, inner = fresh[:_KEY], fresh[_KEY:-_NONCE], fresh[-_NONCE:]
        head = bytes([_FORM, len(key_id)]) + key_id.encode()
        wrapped = AESGCM(key).encrypt(outer, own, head + place)
        return head + outer + wrapped + inner + AESGCM(own).encrypt(inner, clear.encode(), place)

    def open(self, sealed: bytes, *names: object) -> str:
        """Return the clear value; ``Unopenable`` when it was not sealed for this place with a key of this ring."""
        try:
            start = 2 + sealed[1]
            key = self.ring[sealed[2:start].decode()]
            middle = start + _NONCE + _KEY + _TAG
            place = _place(names)
            own = AESGCM(key).decrypt(
                sealed[start : start + _NONCE], sealed[start + _NONCE : middle], sealed[:start] + place
            )
            return AESGCM(own).decrypt(sealed[middle : middle + _NONCE], sealed[middle + _NONCE :], place).decode()
        except (InvalidTag, KeyError, IndexError, ValueError) as error:
            raise Unopenable(f"A sealed value of {'.'.join(map(str, names))} does not open with these keys.") from error

    def fingerprint(self, clear: str, tenant: int) -> str:
        """Return a keyed hash by which equal values of one tenant are found without being stored in the clear.

        It is derived from the oldest key of the ring, so that adding a key does not change it.
        """
        oldest = list(self.ring.values())[-1]
        return hmac.new(oldest, f"fingerprint:{tenant}:{clear}".encode(), hashlib.sha256).hexdigest()[:32]


def read_ring(text: str, origin: str = "HUB_KEYS") -> Vault:
    """Read ``id:base64,id:base64``; each key is 32 bytes, the first one seals; ``origin`` says where it stood."""
    ring: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or not key_id.isascii() or len(key_id) > 32 or len(key) != _KEY:
            raise KeyRingInvalid(
                f"{origin} holds id:base64 pairs of 32-byte keys, divided by commas; one of them is not."
            )
        if key == _SAMPLE:
            raise KeyRingInvalid(f"{origin} holds the sample key: make one with 'cthub key'.")
        if key_id in ring:
            raise KeyRingInvalid(f"{origin} holds the id {key_id} twice: what the first of them sealed would not open.")
        ring[key_id] = key
    if not ring:
        raise KeyRingInvalid(f"{origin} is empty.")
    return Vault(ring)


def new_key() -> str:
    """Return a new ring of one key, as ``HUB_KEYS`` takes it."""
    return f"k{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(_KEY)).decode()}"


def ring_in(folder: Path) -> Vault:
    """Read the key file of a data folder; make it on the first start, readable by its owner alone."""
    path = folder / "keys"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_new(path, new_key() + "\n")
    return read_ring(path.read_text(errors="replace").replace("\n", ","), str(path))


def _write_new(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all; whoever was faster is not overwritten."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _place(names: tuple[object, ...]) -> bytes:
    return "\x1f".join(map(str, names)).encode()
