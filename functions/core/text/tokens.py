"""Keyed tokens: link keys, Message-IDs and reply tokens that only Deskbell can create.

Each purpose has a separate key, derived from the deployment's root key (HMAC-SHA256 as in RFC
5869's expand step), so a token for one purpose is worthless for another.
"""

import hmac
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal

_MAC_BYTES = 16  # 128 bits: unguessable, and short enough for a link in an SMS
_MOST_OF_NUMBER = 40
_REPLY_BYTES = 10  # 80 bits: the local part of an address has at most 64 characters


_NETWORK_BITS = 64
"""The part of an IPv6 address that names a customer's network; the rest he chooses freely."""

CODE_LENGTH = 11
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""Letters and digits that look like no other."""

LinkKind = Literal["customer", "submitter"]
"""The kind of a link by its holder: `customer` reads the contact's messages, `submitter` filed the
request (contract, *Links*)."""


def derive(root: bytes, purpose: str) -> bytes:
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


def short_code(root: bytes, desk: str, number: str, generation: int) -> str:
    """Return the code of a short link to a ticket: 64 bits in 11 letters and digits.

    Args:
        generation: as for `link_key`.
    """
    message = "\x1f".join((desk, number, str(generation))).encode()
    drawn = int.from_bytes(hmac.new(derive(root, "short-link"), message, sha256).digest())
    return "".join(_BASE58[drawn // 58**place % 58] for place in range(CODE_LENGTH))


def is_short_code(text: str) -> bool:
    return len(text) == CODE_LENGTH and set(text) <= set(_BASE58)


def message_id(root: bytes, desk: str, number: str, version: int, domain: str) -> str:
    """Return the keyed Message-ID (RFC 5322, without angle brackets) of mail about a ticket."""
    mac = _mac(root, "message-id", desk, number, str(version))
    return f"{desk}.{number}.{version}.{mac}@{domain}"


def ticket_of_message_id(root: bytes, text: str) -> tuple[str, str] | None:
    """Return the desk and number of a Message-ID that Deskbell created, else None."""
    found = parse_message_id(root, text)
    return found[:2] if found else None


def parse_message_id(root: bytes, text: str) -> tuple[str, str, int] | None:
    """Return the desk, number and version of a Message-ID that Deskbell created, else None."""
    local, _, _ = text.strip().strip("<>").rpartition("@")
    parts = local.split(".")
    if len(parts) != 4:
        return None
    desk, number, version, mac = parts
    expected = _mac(root, "message-id", desk, number, version)
    return (desk, number, int(version)) if same(mac, expected) else None


def reply_token(root: bytes, desk: str, number: str, generation: int) -> str:
    """Return the part after the `+` of the address that replies about a ticket go to.

    Mail systems may convert an address to lowercase, so the token does not contain the number's
    case. A number in mixed case could not be restored and gets no token: "".

    Args:
        generation: `Ticket.link_generation`; a later one invalidates the tokens of earlier ones.
    """
    if number not in (number.upper(), number.lower()):
        return ""
    # The first generation's tokens are those of versions that had no generations.
    parts = (desk, number.lower(), *([str(generation)] if generation > 1 else []))
    message = "\x1f".join(parts).encode(errors="surrogatepass")
    digest = hmac.new(derive(root, "reply-to"), message, sha256).digest()
    return f"{number.lower()}.{b32encode(digest[:_REPLY_BYTES]).decode().lower()}"


def numbers_in_reply_token(token: str) -> tuple[str, ...]:
    """Return the possible spellings of the number in a reply token, which need not be valid."""
    number, _, mac = token.lower().rpartition(".")
    if not number or not mac or not number.isascii() or len(number) > _MOST_OF_NUMBER:
        return ()
    return tuple(dict.fromkeys((number.upper(), number)))


def last_four_hash(root: bytes, desk: str, digits: str) -> str:
    """Return the keyed hash by which search finds the last four digits of a contact."""
    return _mac(root, "last-four", desk, digits)[:10]


def source_hash(root: bytes, source: str) -> str:
    """Return the keyed hash of the network that a request came from, never stored in clear."""
    digest = hmac.digest(derive(root, "source"), _network(source).encode(), "sha256")
    return urlsafe_b64encode(digest[:12]).decode()


def _network(source: str) -> str:
    """Return the network that an address belongs to, or the text itself if it is none."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, _NETWORK_BITS), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def same(text: str, expected: str) -> bool:
    # Mail headers may contain lone surrogates, from bytes that are not text.
    return hmac.compare_digest(text.encode(errors="surrogatepass"), expected.encode())


def lock(text: str, key: str) -> str:
    """Encrypt a text with a key of 32 bytes in base64url: a chat's token, or a derived key."""
    from cryptography.fernet import Fernet

    return Fernet(key.encode()).encrypt(text.encode()).decode()


def unlock(text: str, key: str) -> str:
    """Decrypt what `lock` encrypted."""
    from cryptography.fernet import Fernet

    return Fernet(key.encode()).decrypt(text.encode()).decode()
