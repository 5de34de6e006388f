"""Keyed tokens: link keys, Message-IDs and reply tokens that only Deskbell can create.

Each purpose has a separate key, derived from the deployment's root key (HMAC-SHA256 as in RFC
5869's expand step), so a token for one purpose is worthless for another.
"""

from __future__ import annotations

import hmac
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from typing import Literal

_MAC_BYTES = 16  # 128 bits: unguessable, and short enough for a link in an SMS
_REPLY_BYTES = 10  # 80 bits: the local part of an address has at most 64 characters


LinkKind = Literal["customer", "submitter"]
"""What the holder of a link has proven: `customer` reads the contact's messages, `submitter` filed
the request (contract, *Links*)."""


def derive(root: bytes, purpose: str) -> bytes:
    """Derive the 32-byte key for a purpose."""
    return hmac.new(root, f"deskbell/{purpose}".encode(), sha256).digest()


def _mac(root: bytes, purpose: str, *parts: str) -> str:
    message = "\x1f".join(parts).encode(errors="surrogatepass")
    digest = hmac.new(derive(root, purpose), message, sha256).digest()
    return urlsafe_b64encode(digest[:_MAC_BYTES]).rstrip(b"=").decode()


def link_key(root: bytes, kind: LinkKind, desk: str, number: str, generation: int) -> str:
    """Return the secret in a link to a ticket: 22 URL-safe characters.

    Args:
        generation: `Ticket.link_generation`; a later one invalidates the keys of earlier ones.
    """
    return _mac(root, f"{kind}-link", desk, number, str(generation))


def message_id(root: bytes, desk: str, number: str, version: int, domain: str) -> str:
    """Return the keyed Message-ID (RFC 5322, without angle brackets) of mail about a ticket."""
    mac = _mac(root, "message-id", desk, number, str(version))
    return f"{desk}.{number}.{version}.{mac}@{domain}"


def ticket_of_message_id(root: bytes, text: str) -> tuple[str, str] | None:
    """Return the desk and number of a Message-ID that Deskbell created, else None."""
    local, _, _ = text.strip().strip("<>").rpartition("@")
    parts = local.split(".")
    if len(parts) != 4:
        return None
    desk, number, version, mac = parts
    expected = _mac(root, "message-id", desk, number, version)
    return (desk, number) if same(mac, expected) else None


def reply_token(root: bytes, desk: str, number: str) -> str:
    """Return the part after the `+` of the address that replies about a ticket go to.

    Mail systems may convert an address to lowercase, so the token does not contain the number's
    case. A number in mixed case could not be restored and gets no token: "".
    """
    if number not in (number.upper(), number.lower()):
        return ""
    return f"{number.lower()}.{_reply_mac(root, desk, number)}"


def numbers_of_reply_token(root: bytes, desk: str, token: str) -> tuple[str, ...]:
    """Return the possible spellings of a reply token's number; none if the token is invalid."""
    number, _, mac = token.lower().rpartition(".")
    if not number or not same(mac, _reply_mac(root, desk, number)):
        return ()
    return (number.upper(), number) if number != number.upper() else (number,)


def _reply_mac(root: bytes, desk: str, number: str) -> str:
    message = "\x1f".join((desk, number.lower())).encode(errors="surrogatepass")
    digest = hmac.new(derive(root, "reply-to"), message, sha256).digest()
    return b32encode(digest[:_REPLY_BYTES]).decode().lower()


def same(text: str, expected: str) -> bool:
    """Compare two texts in constant time."""
    # Mail headers may contain lone surrogates, from bytes that are not text.
    return hmac.compare_digest(text.encode(errors="surrogatepass"), expected.encode())
