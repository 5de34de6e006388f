"""Seal what an agent wrote so that only a chat's token opens it (G4, G10).

The table keeps texts masked, and a chat's token is on the customer's device alone. So a chat has a
public key that follows from its token: whoever delivers a reply seals it with that key (X25519,
RFC 7748; HKDF, RFC 5869; Fernet), and the customer's next request opens it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


def public_key(token: str) -> str:
    """Return the public key that follows from a chat's token."""
    return _encoded(_private_key(token).public_key().public_bytes_raw())


def seal(public: str, text: str) -> str:
    """Seal a text for the chat with this public key."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    once = X25519PrivateKey.generate()
    shared = once.exchange(X25519PublicKey.from_public_bytes(urlsafe_b64decode(public)))
    sender = once.public_key().public_bytes_raw()
    return f"{_encoded(sender)}.{_fernet(shared, sender).encrypt(text.encode()).decode()}"


def unseal(token: str, sealed: str) -> str:
    """Open a text that was sealed for the chat with this token.

    Raises:
        ValueError: it was sealed for another chat.
    """
    from cryptography.fernet import InvalidToken
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    sender, _, text = sealed.partition(".")
    raw = urlsafe_b64decode(sender)
    shared = _private_key(token).exchange(X25519PublicKey.from_public_bytes(raw))
    try:
        return _fernet(shared, raw).decrypt(text.encode()).decode()
    except InvalidToken:
        raise ValueError("sealed for another chat") from None


def _private_key(token: str) -> X25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(_derived(token.encode(), b"reply box"))


def _fernet(shared: bytes, sender: bytes) -> Fernet:
    from cryptography.fernet import Fernet

    return Fernet(urlsafe_b64encode(_derived(shared, sender)))


def _derived(secret: bytes, info: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()
