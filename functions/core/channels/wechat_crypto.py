"""Encrypted messages (消息加解密) of official accounts, mini-programs, WeCom and DingTalk.

random(16) + length(4) + message + receiver, PKCS#7 to 32 bytes, AES-256-CBC with the key that the
account's administrator chose. The receiver is the id of the account: app id, CorpID, app key.
"""

import base64
import binascii
import hashlib
import secrets
import struct
from typing import Any
from xml.parsers import expat

from functions.core.channels.base import Unreadable

_BLOCK = 32
_MAX_DEPTH = 8
_MAX_FIELDS = 200


def signature(*parts: str) -> str:
    """Return the signature that WeChat defines: the hexadecimal SHA-1 of the sorted parts."""
    signed = "".join(sorted(parts)).encode()
    return hashlib.sha1(signed, usedforsecurity=False).hexdigest()


# XML: one level of names and texts, without entities


def xml_fields(body: bytes) -> dict[str, str]:
    """Return the texts of the root's children; a document type, and so any entity, is refused."""
    parser = expat.ParserCreate()
    fields: dict[str, list[str]] = {}
    path: list[str] = []

    def refuse(*_: Any) -> None:
        raise Unreadable("XML with a document type")

    def start(name: str, _attributes: Any) -> None:
        path.append(name)
        if len(path) > _MAX_DEPTH or len(fields) > _MAX_FIELDS:
            raise Unreadable("XML of another shape")

    def end(_name: str) -> None:
        path.pop()

    def text(data: str) -> None:
        if len(path) == 2:
            fields.setdefault(path[1], []).append(data)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"not XML: {error}") from error
    return {name: "".join(texts) for name, texts in fields.items()}


def to_xml(**fields: str) -> str:
    """Write an XML element of one level."""
    elements = (
        f"<{name}>{text if text.isdecimal() else _cdata(text)}</{name}>"
        for name, text in fields.items()
    )
    return f"<xml>{''.join(elements)}</xml>"


def _cdata(text: str) -> str:
    allowed = "".join(c for c in text if c in "\t\n\r" or 0x20 <= ord(c) not in _NOT_IN_XML)
    return f"<![CDATA[{allowed.replace(']]>', ']]]]><![CDATA[>')}]]>"


_NOT_IN_XML = frozenset((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF))


# Encryption


def decrypt(encrypted: str, aes_key: str, receiver: str) -> bytes:
    """Decrypt a message.

    Raises:
        Unreadable: it was encrypted with another key or for another receiver, or the key is none.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = _key(aes_key)
    try:
        data = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("Encrypt is not base64") from error
    if not data or len(data) % 16:
        raise Unreadable("Encrypt is not whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    pad = plain[-1]
    if not 1 <= pad <= _BLOCK or not plain.endswith(bytes([pad]) * pad):
        raise Unreadable("encrypted with another key")
    plain = plain[:-pad]
    if len(plain) < 20:
        raise Unreadable("encrypted with another key")
    (length,) = struct.unpack(">I", plain[16:20])
    message, written_to = plain[20 : 20 + length], plain[20 + length :]
    if len(message) != length or written_to != receiver.encode():
        raise Unreadable("encrypted for another account")
    return message


def encrypt(message: bytes, aes_key: str, receiver: str) -> str:
    """Encrypt a message, for the receiver's side or a reply.

    Raises:
        Unreadable: the key is none.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = _key(aes_key)
    plain = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + receiver.encode()
    pad = _BLOCK - len(plain) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
    return base64.b64encode(data).decode()


def _key(aes_key: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey (43 characters)."""
    try:
        key = base64.b64decode(f"{aes_key}=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("the channel's aes_key is not an EncodingAESKey") from error
    if len(key) != 32:
        raise Unreadable("the channel's aes_key is not an EncodingAESKey of 43 characters")
    return key
