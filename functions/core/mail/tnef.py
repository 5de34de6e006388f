"""Read text and attachments from winmail.dat, a TNEF container (MS-OXTNEF).

Only message text, HTML, and attachment names and contents are read. Every length is checked against
the remaining bytes, so reading a damaged container stops early and never raises.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from functions.core.mail.charsets import Note, decode

SIGNATURE = 0x223E9F78
MAX_ATTRIBUTES = 5_000
MAX_PROPERTIES = 5_000

_ATT_BODY = 0x0002800C
_ATT_CODEPAGE = 0x00069007
_ATT_MAPI = 0x00069003
_ATT_ATTACH_RENDER = 0x00069002
_ATT_ATTACH_TITLE = 0x00018010
_ATT_ATTACH_DATA = 0x0006800F
_ATT_ATTACH_MAPI = 0x00069005

_BODY, _BODY_HTML = 0x1000, 0x1013
_ATTACH_DATA, _ATTACH_NAME, _ATTACH_LONG_NAME = 0x3701, 0x3704, 0x3707
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8,
          0x40: 8, 0x48: 16}  # fmt: skip
_TEXT8, _TEXT16, _BINARY, _OBJECT = 0x1E, 0x1F, 0x102, 0x0D


@dataclass(slots=True)
class TnefMessage:
    """The content of a container; `files` are (name, content)."""

    text: str = ""
    html: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)


def read(data: bytes, note: Note) -> TnefMessage:
    """Read a container; a damaged one yields the readable part and a defect."""
    message = TnefMessage()
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != SIGNATURE:
        note("tnef:unreadable")
        return message
    codepage = "cp1252"
    files: list[_File] = []
    for attribute, value in _attributes(data, note):
        if attribute == _ATT_CODEPAGE and len(value) >= 4:
            codepage = f"cp{struct.unpack_from('<I', value)[0]}"
        elif attribute == _ATT_BODY:
            message.text = _text(value, codepage, note)
        elif attribute == _ATT_MAPI:
            _read_properties(message, value, codepage, note)
        elif attribute == _ATT_ATTACH_RENDER:
            files.append(_File())
        elif attribute in {_ATT_ATTACH_TITLE, _ATT_ATTACH_DATA, _ATT_ATTACH_MAPI}:
            if not files:
                files.append(_File())
            files[-1].read(attribute, value, codepage, note)
    message.files = [(file.name, file.content) for file in files if file.name or file.content]
    return message


@dataclass(slots=True)
class _File:
    name: str = ""
    content: bytes = b""

    def read(self, attribute: int, value: bytes, codepage: str, note: Note) -> None:
        if attribute == _ATT_ATTACH_TITLE:
            self.name = self.name or _text(value, codepage, note)
        elif attribute == _ATT_ATTACH_DATA:
            self.content = value
        else:
            for tag, kind, content in _properties(value):
                if tag == _ATTACH_LONG_NAME or (tag == _ATTACH_NAME and not self.name):
                    self.name = _string(kind, content, codepage, note) or self.name
                elif tag == _ATTACH_DATA and not self.content:
                    self.content = content[16:] if kind == _OBJECT else content


def _read_properties(message: TnefMessage, value: bytes, codepage: str, note: Note) -> None:
    for tag, kind, content in _properties(value):
        if tag == _BODY and not message.text:
            message.text = _string(kind, content, codepage, note)
        elif tag == _BODY_HTML and not message.html:
            message.html = (
                decode(content, None, note)
                if kind == _BINARY
                else _string(kind, content, codepage, note)
            )


def _attributes(data: bytes, note: Note) -> Iterator[tuple[int, bytes]]:
    position = 6
    for _ in range(MAX_ATTRIBUTES):
        if position + 9 > len(data):
            return
        _, attribute, length = struct.unpack_from("<BII", data, position)
        position += 9
        if position + length > len(data):
            note("tnef:cut-off")
            yield attribute, data[position:]
            return
        yield attribute, data[position : position + length]
        position += length + 2


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The (tag, type, first value) of each MAPI property."""
    if len(data) < 4:
        return
    position = 4
    for _ in range(min(struct.unpack_from("<I", data)[0], MAX_PROPERTIES)):
        if position + 4 > len(data):
            return
        kind, tag = struct.unpack_from("<HH", data, position)
        position += 4
        if tag >= 0x8000:
            position = _after_name(data, position)
        several = bool(kind & 0x1000)
        kind &= 0x0FFF
        value, position = _value(data, position, kind, several)
        if position < 0:
            return
        yield tag, kind, value


def _after_name(data: bytes, position: int) -> int:
    """The position after the GUID and name of a named property."""
    if position + 24 > len(data):
        return len(data)
    numbered = struct.unpack_from("<I", data, position + 16)[0] == 0
    if numbered:
        return position + 24
    length = struct.unpack_from("<I", data, position + 20)[0]
    return min(len(data), position + 24 + _padded(length))


def _value(data: bytes, position: int, kind: int, several: bool) -> tuple[bytes, int]:
    variable = kind in {_TEXT8, _TEXT16, _BINARY, _OBJECT}
    count = 1
    if variable or several:
        if position + 4 > len(data):
            return b"", -1
        count = struct.unpack_from("<I", data, position)[0]
        position += 4
    first = b""
    for index in range(min(count, MAX_PROPERTIES)):
        if variable:
            if position + 4 > len(data):
                return first, -1
            length = struct.unpack_from("<I", data, position)[0]
            position += 4
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            return first, -1
        if position + length > len(data):
            return first or data[position:], len(data)
        if index == 0:
            first = data[position : position + length]
        position += _padded(length)
    return first, position


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _string(kind: int, value: bytes, codepage: str, note: Note) -> str:
    if kind == _TEXT16:
        return value.decode("utf-16-le", "replace").partition("\x00")[0]
    return _text(value, codepage, note)


def _text(value: bytes, codepage: str, note: Note) -> str:
    text = decode(value.partition(b"\x00")[0], codepage, note)
    return text.replace("\r\n", "\n").replace("\r", "\n")
