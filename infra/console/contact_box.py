"""Seal the contacts of an export to the public key of whoever ordered it.

X25519 (RFC 7748) with a key made for one file, HKDF-SHA256 (RFC 5869), AES-256-GCM with the
ticket's number as associated data. The owner makes the keys:

    openssl genpkey -algorithm X25519 -out owner.pem
    openssl pkey -in owner.pem -pubout -out owner.pub
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from infra.console.errors import UsageError

_NONCE = 12


@dataclass(frozen=True)
class ContactBox:
    """Seals and opens; `sender` is the public key that the file names."""

    cipher: AESGCM
    sender: str

    @classmethod
    def sealing(cls, public_key: Path) -> "ContactBox":
        """Raises UsageError if the file holds no X25519 public key."""
        try:
            owner = load_pem_public_key(public_key.read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(f"{public_key} is not a public key in PEM") from error
        if not isinstance(owner, X25519PublicKey):
            raise UsageError(f"{public_key} is not an X25519 key")
        once = X25519PrivateKey.generate()
        sender = once.public_key().public_bytes_raw()
        return cls(_cipher(once.exchange(owner), sender), b64encode(sender).decode())

    @classmethod
    def opening(cls, private_key: Path, sender: str) -> "ContactBox":
        """Raises UsageError if the file holds no X25519 private key."""
        try:
            owner = load_pem_private_key(private_key.read_bytes(), None)
        except (OSError, TypeError, ValueError) as error:
            raise UsageError(f"{private_key} is not a private key in PEM") from error
        if not isinstance(owner, X25519PrivateKey):
            raise UsageError(f"{private_key} is not an X25519 key")
        key = b64decode(sender)
        shared = owner.exchange(X25519PublicKey.from_public_bytes(key))
        return cls(_cipher(shared, key), sender)

    def seal(self, number: str, contacts: Mapping[int, Any]) -> str:
        nonce = os.urandom(_NONCE)
        text = json.dumps(contacts, ensure_ascii=False).encode()
        return b64encode(nonce + self.cipher.encrypt(nonce, text, number.encode())).decode()

    def open(self, number: str, sealed: str) -> Any:
        """Raises UsageError if it was sealed to another key, or changed."""
        raw = b64decode(sealed)
        try:
            text = self.cipher.decrypt(raw[:_NONCE], raw[_NONCE:], number.encode())
        except InvalidTag as error:
            raise UsageError(f"{number}: this key does not open its contacts") from error
        return json.loads(text)


def _cipher(shared: bytes, sender: bytes) -> AESGCM:
    derived = HKDF(SHA256(), length=32, salt=sender, info=b"deskbell export").derive(shared)
    return AESGCM(derived)
