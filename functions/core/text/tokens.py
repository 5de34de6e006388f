"""Keyed proofs: what lets a stranger show that Deskbell itself handed something to them.

Each purpose has a key of its own, derived from the deployment's root key (HMAC-SHA256 as in
RFC 5869's expand step), so a proof for one purpose is worthless for another.
"""

from __future__ import annotations

import hmac
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256

_PROOF_BYTES = 16  # 128 bits: not to be guessed, and short enough for a link in an SMS


_REPLY_BYTES = 10  # 80 bits: the part before an address's @ has 64 characters for everything


def derive(root: bytes, purpose: str) -> bytes:
    """The 32-byte key for one purpose."""
    return hmac.new(root, f"deskbell/{purpose}".encode(), sha256).digest()


def _proof(root: bytes, purpose: str, *parts: str) -> str:
    message = "\x1f".join(parts).encode(errors="surrogatepass")
    digest = hmac.new(derive(root, purpose), message, sha256).digest()
    return urlsafe_b64encode(digest[:_PROOF_BYTES]).rstrip(b"=").decode()


def status_key(root: bytes, desk: str, number: str) -> str:
    """The secret in a ticket's status link: 22 URL-safe characters."""
    return _proof(root, "status", desk, number)


def message_id(root: bytes, desk: str, number: str, version: int, domain: str) -> str:
    """The keyed Message-ID (RFC 5322, without angle brackets) of mail about a ticket."""
    mac = _proof(root, "message-id", desk, number, str(version))
    return f"{desk}.{number}.{version}.{mac}@{domain}"


def ticket_of_message_id(root: bytes, found: str) -> tuple[str, str] | None:
    """`(desk, number)` where `found` is a Message-ID that Deskbell made, else None."""
    local, _, _ = found.strip().strip("<>").rpartition("@")
    parts = local.split(".")
    if len(parts) != 4:
        return None
    desk, number, version, mac = parts
    expected = _proof(root, "message-id", desk, number, version)
    return (desk, number) if same(mac, expected) else None


def reply_token(root: bytes, desk: str, number: str) -> str:
    """What stands after the `+` in the address that answers about a ticket go to.

    Mail systems may write an address in small letters, so the number's case is not part of it; a
    number of both cases could not be told again and gets none, which is empty.
    """
    if number not in (number.upper(), number.lower()):
        return ""
    return f"{number.lower()}.{_reply_mac(root, desk, number)}"


def numbers_of_token(root: bytes, desk: str, token: str) -> tuple[str, ...]:
    """The ticket's number, in the ways it may be written, where Deskbell made this token."""
    number, _, mac = token.lower().rpartition(".")
    if not number or not same(mac, _reply_mac(root, desk, number)):
        return ()
    return (number.upper(), number) if number != number.upper() else (number,)


def _reply_mac(root: bytes, desk: str, number: str) -> str:
    message = "\x1f".join((desk, number.lower())).encode(errors="surrogatepass")
    digest = hmac.new(derive(root, "reply-to"), message, sha256).digest()
    return b32encode(digest[:_REPLY_BYTES]).decode().lower()


def same(given: str, expected: str) -> bool:
    """Whether two texts are equal, in time that does not depend on where they differ."""
    # Mail headers may hold lone surrogates, where a sender wrote bytes that are no text.
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
