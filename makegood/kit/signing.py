"""Signatures that anybody can check with a public key: Ed25519, the newest key signs, older ones stay known."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from makegood.kit import errors
from makegood.kit.kept import keep_instead, kept

FILE = "receipt_keys"
SEED_BYTES = 32


class SigningKeyUnreadable(errors.Malformed):
    code = "signing_key_unreadable"
    message = "{field}: this is no key ({rule})."


@dataclass(frozen=True, slots=True)
class PublicKey:
    """``id`` is the beginning of the key's SHA-256: short enough to read out, long enough to tell keys apart."""

    id: str
    base64: str

    @classmethod
    def read(cls, text: str, *, field: str = "key") -> PublicKey:
        """From its base64. Raises SigningKeyUnreadable."""
        raw = _decoded(text, field)
        return cls(hashlib.sha256(raw).hexdigest()[:16], base64.b64encode(raw).decode())

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether this key made the signature (base64) of exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(self.base64)).verify(
                base64.b64decode(signature, validate=True), message
            )
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    seed: bytes

    @property
    def public(self) -> PublicKey:
        raw = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return PublicKey.read(base64.b64encode(raw).decode())

    def sign(self, message: bytes) -> str:
        return base64.b64encode(Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)).decode()


def signing_keys(folder: Path) -> list[SigningKey]:
    """Newest first; the first signs. From ``MAKEGOOD_RECEIPT_KEYS``, else kept in the data folder, made once.

    Raises SigningKeyUnreadable.
    """
    written = os.environ.get("MAKEGOOD_RECEIPT_KEYS") or kept(folder, FILE, _new_seed)
    return [SigningKey(_decoded(part, "MAKEGOOD_RECEIPT_KEYS")) for part in written.replace(",", " ").split()]


def rotate_signing_key(folder: Path) -> SigningKey:
    """A new key signs from now on; the older ones stay, so that what they signed can still be checked."""
    older = kept(folder, FILE, _new_seed)
    keep_instead(folder, FILE, f"{_new_seed()}\n{older}")
    return signing_keys(folder)[0]


def _new_seed() -> str:
    return base64.b64encode(secrets.token_bytes(SEED_BYTES)).decode()


def _decoded(text: str, field: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != SEED_BYTES:
        raise SigningKeyUnreadable(field=field, rule="32 bytes in base64")
    return raw
