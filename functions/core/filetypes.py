"""D10: what a file is by its content, whatever its name or its sender says.

Photos, PDF, Word and Excel are accepted; everything else is not, HTML and SVG least of all, since
a browser would run what stands in them. Office files with macros are refused too.

Signatures: RFC 2083 (PNG), ISO/IEC 10918-1 (JPEG), ISO/IEC 23008-12 (HEIC), ISO 32000 (PDF),
RFC 9649 (WebP), [MS-CFB] (compound files), ECMA-376 part 2 (Office's packages).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileType:
    """An accepted type: what people call it, its media type, the endings of its names."""

    name: str
    media: str
    endings: tuple[str, ...]


JPEG = FileType("JPEG", "image/jpeg", ("jpg", "jpeg"))
PNG = FileType("PNG", "image/png", ("png",))
GIF = FileType("GIF", "image/gif", ("gif",))
WEBP = FileType("WebP", "image/webp", ("webp",))
HEIC = FileType("HEIC", "image/heic", ("heic", "heif"))
PDF = FileType("PDF", "application/pdf", ("pdf",))
DOC = FileType("Word", "application/msword", ("doc",))
XLS = FileType("Excel", "application/vnd.ms-excel", ("xls",))
_OPEN = "application/vnd.openxmlformats-officedocument"
DOCX = FileType("Word", f"{_OPEN}.wordprocessingml.document", ("docx",))
XLSX = FileType("Excel", f"{_OPEN}.spreadsheetml.sheet", ("xlsx",))

ACCEPTED = (JPEG, PNG, GIF, WEBP, HEIC, PDF, DOC, DOCX, XLS, XLSX)

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_ENTRY = 128
"""Bytes of a directory entry in a compound file; each begins at a multiple of it."""


def file_type(content: bytes) -> FileType | None:
    """What a whole file is, None where it is nothing that is accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    if content[4:8] == b"ftyp":
        return HEIC if _brands(content) & _HEIC_BRANDS else None
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(_COMPOUND):
        return _compound(content)
    return _package(content) if content.startswith(b"PK\x03\x04") else None


def named_as(name: str, found: FileType) -> str:
    """The name under which a file is kept: with an ending of what it is, so that nothing opens
    it as anything else."""
    _, dot, ending = name.rpartition(".")
    fits = dot and ending.casefold() in found.endings
    return name if fits else f"{name or 'file'}.{found.endings[0]}"


def _brands(content: bytes) -> set[bytes]:
    """The brands that the first box of an ISO media file names, the main one among them."""
    size = min(int.from_bytes(content[:4], "big"), 256)
    return {content[8:12]} | {content[at : at + 4] for at in range(16, size - 3, 4)}


def _compound(content: bytes) -> FileType | None:
    if _stream(content, "WordDocument"):
        return DOC
    return XLS if _stream(content, "Workbook") or _stream(content, "Book") else None


def _stream(content: bytes, name: str) -> bool:
    """Whether a compound file's directory has a stream of this name ([MS-CFB], section 2.6)."""
    wanted = (name + "\0").encode("utf-16-le")
    at = content.find(wanted)
    while at >= 0:
        entry = content[at : at + _ENTRY]
        length = int.from_bytes(entry[64:66], "little")
        if at % _ENTRY == 0 and length == len(wanted) and entry[66:67] == b"\x02":
            return True
        at = content.find(wanted, at + 1)
    return False


def _package(content: bytes) -> FileType | None:
    """What an Office package is, by the names of its parts."""
    from io import BytesIO
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(BytesIO(content)) as package:
            names = {name.casefold() for name in package.namelist()}
    except (BadZipFile, ValueError, EOFError, NotImplementedError, UnicodeDecodeError):
        return None
    if "[content_types].xml" not in names or any("vbaproject" in name for name in names):
        return None
    if "word/document.xml" in names:
        return DOCX
    return XLSX if "xl/workbook.xml" in names else None
