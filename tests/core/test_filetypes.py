"""D10: what a file is by its content; tiny real files, made here."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import filetypes
from functions.core.filetypes import ACCEPTED, file_type, named_as


def png() -> bytes:
    """A picture of one grey dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            chunk(b"IDAT", zlib.compress(b"\x00\x80")),
            chunk(b"IEND", b""),
        )
    )


def package(*parts: str) -> bytes:
    """An Office package with these parts."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as found:
        for part in ("[Content_Types].xml", *parts):
            found.writestr(part, "<x/>")
    return packed.getvalue()


def compound(*streams: str) -> bytes:
    """A compound file: its header, one sector of allocation, one of directory ([MS-CFB])."""
    head = bytearray(512)
    head[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    struct.pack_into("<HHHH", head, 24, 0x3E, 3, 0xFFFE, 9)
    struct.pack_into("<II", head, 44, 1, 1)
    struct.pack_into("<I", head, 76, 0)
    fat = struct.pack("<128I", 0xFFFFFFFD, 0xFFFFFFFE, *[0xFFFFFFFF] * 126)
    entries = [("Root Entry", 5), *((name, 2) for name in streams)]
    directory = b""
    for name, kind in entries:
        written = (name + "\0").encode("utf-16-le")
        entry = written.ljust(64, b"\0") + struct.pack("<HB", len(written), kind)
        directory += entry.ljust(128, b"\0")
    return bytes(head) + fat + directory.ljust(512, b"\0")


HEIC = struct.pack(">I", 24) + b"ftypmif1" + b"\0\0\0\0" + b"mif1heic"
AVIF = struct.pack(">I", 24) + b"ftypavif" + b"\0\0\0\0" + b"mif1avif"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
REAL = {
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
    "png": png(),
    "gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00;",
    "webp": b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11",
    "heic": HEIC,
    "pdf": PDF,
    "doc": compound("WordDocument", "1Table"),
    "xls": compound("Workbook"),
    "docx": package("word/document.xml"),
    "xlsx": package("xl/workbook.xml"),
}


@pytest.mark.parametrize("ending", REAL)
def test_what_is_accepted_is_known_by_its_content(ending: str) -> None:
    """D10: photos, PDF, Word."""
    found = file_type(REAL[ending])
    assert found is not None
    assert ending in found.endings


def test_every_accepted_type_is_tested() -> None:
    assert {file_type(content) for content in REAL.values()} == set(ACCEPTED)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"\n%PDF-1.4",
        b"MZ\x90\x00",
        b"\x7fELF",
        b"#!/bin/sh\n",
        b"PK\x03\x04broken",
        b"\x89PNG\r\n\x1a\n<html>",
        b"RIFF\x00\x00\x00\x00WAVE",
        AVIF,
        package("index.html"),
        package("word/document.xml", "word/vbaProject.bin"),
        package("xl/workbook.bin"),
        compound("EncryptedPackage"),
        compound("Bookkeeping"),
    ],
    ids=range(17),
)
def test_everything_else_is_refused(content: bytes) -> None:
    """D10: HTML and SVG above all, programs, macros, what cannot be looked into."""
    assert file_type(content) is None


def test_a_word_in_the_text_makes_no_compound_file_a_document() -> None:
    said = "WordDocument\0".encode("utf-16-le")
    assert file_type(compound() + b"x" * 8 + said) is None


@given(st.binary(max_size=400), st.sampled_from(["", *REAL]))
def test_any_content_is_answered(content: bytes, start: str) -> None:
    """G3: nothing that is uploaded makes the check fail."""
    file_type(content)
    file_type(REAL.get(start, b"")[: len(content)] + content)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("现场.PNG", "现场.PNG"),
        ("evil.html", "evil.html.png"),
        ("photo", "photo.png"),
        ("", "file.png"),
        ("a.png.exe", "a.png.exe.png"),
    ],
)
def test_a_name_ends_as_its_content_is(name: str, kept: str) -> None:
    """D10: nothing is opened as what it is not."""
    assert named_as(name, filetypes.PNG) == kept
