"""File types by content, and safe names. The tests build tiny real files."""

import struct
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, strategies as st

from functions.core.text import file_types
from functions.core.text.file_types import (
    MACROS,
    OTHER,
    PROGRAM,
    TEXT,
    TYPES,
    ZIP,
    file_type,
    name_with_ending,
    safe_name,
)

pytestmark = pytest.mark.requirement("D10")


def png() -> bytes:
    """Return a PNG image of one grey pixel."""

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
    """Return an Office package with these parts."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as found:
        for part in ("[Content_Types].xml", *parts):
            found.writestr(part, "<x/>")
    return packed.getvalue()


def compound(*streams: str) -> bytes:
    """Return a compound file: header, one allocation and one directory sector ([MS-CFB])."""
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


def open_document(kind: str, *parts: str) -> bytes:
    """Return an OpenDocument package, which begins with its uncompressed media type."""
    packed = BytesIO()
    with ZipFile(packed, "w") as found:
        found.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        for part in ("META-INF/manifest.xml", "content.xml", *parts):
            found.writestr(part, "<x/>")
    return packed.getvalue()


def archive(*parts: str) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as found:
        for part in parts:
            found.writestr(part, "x")
    return packed.getvalue()


def box(brand: bytes, *others: bytes) -> bytes:
    """Return the first box of an ISO media file."""
    return (
        struct.pack(">I", 16 + 4 * len(others)) + b"ftyp" + brand + b"\0\0\0\0" + b"".join(others)
    )


def tar() -> bytes:
    import tarfile

    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as found:
        found.addfile(tarfile.TarInfo("a.txt"))
    return packed.getvalue()


MAIL = b"Received: by mx\r\nFrom: a@example.com\r\nMessage-ID: <1@x>\r\n\r\ntext"
HEIC = box(b"mif1", b"mif1", b"heic")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
REAL = {
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
    "png": png(),
    "gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00;",
    "webp": b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11",
    "heic": HEIC,
    "avif": box(b"avif", b"mif1", b"avif"),
    "tif": b"II*\x00\x08\x00\x00\x00\x00\x00",
    "bmp": b"BM" + struct.pack("<IHHIIii", 58, 0, 0, 54, 40, 1, 1) + b"\0" * 32,
    "pdf": PDF,
    "doc": compound("WordDocument", "1Table"),
    "xls": compound("Workbook"),
    "ppt": compound("PowerPoint Document"),
    "docx": package("word/document.xml"),
    "xlsx": package("xl/workbook.xml"),
    "pptx": package("ppt/presentation.xml"),
    "odt": open_document("text"),
    "ods": open_document("spreadsheet"),
    "odp": open_document("presentation"),
    "rtf": b"{\\rtf1\\ansi text}",
    "txt": "日志：启动失败\n".encode(),
    "ics": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
    "vcf": b"BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n",
    "eml": MAIL,
    "msg": compound("__properties_version1.0"),
    "mp4": box(b"isom", b"mp42"),
    "webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01",
    "avi": b"RIFF\x1a\x00\x00\x00AVI LIST",
    "wmv": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "mpg": b"\x00\x00\x01\xba\x44\x00",
    "mp3": b"ID3\x03\x00\x00\x00\x00\x00\x00",
    "aac": b"\xff\xf1\x50\x80\x00",
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "ogg": b"OggS\x00\x02\x00",
    "amr": b"#!AMR\n\x3c",
    "flac": b"fLaC\x00\x00\x00\x22",
    "zip": archive("a.txt"),
    "7z": b"7z\xbc\xaf\x27\x1c\x00\x04",
    "rar": b"Rar!\x1a\x07\x01\x00",
    "gz": b"\x1f\x8b\x08\x00\x00",
    "bz2": b"BZh91AY&SY",
    "xz": b"\xfd7zXZ\x00\x00\x04",
    "zst": b"\x28\xb5\x2f\xfd\x04",
    "tar": tar(),
}


@pytest.mark.parametrize("ending", REAL)
def test_a_type_is_recognised_by_content(ending: str) -> None:
    assert ending in file_type(REAL[ending]).endings


def test_every_type_has_a_sample() -> None:
    assert {file_type(content) for content in REAL.values()} | {OTHER} == set(TYPES)


INSTALLER = compound("x") + bytes.fromhex("84100c0000000000c000000000000046")


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00",
        b"\x7fELF",
        b"\xca\xfe\xba\xbe\x00\x00\x00\x34",
        b"\xcf\xfa\xed\xfe\x07",
        b"#!/bin/sh\n",
        b"L\x00\x00\x00\x01\x14\x02\x00\x00",
        b"MSCF\x00",
        b"\x00asm\x01",
        b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae",
        b"\0" * 0x8001 + b"CD001\x01",
        archive("META-INF/MANIFEST.MF", "A.class"),
        archive("classes.dex"),
        INSTALLER,
    ],
    ids=range(13),
)
def test_a_program_is_recognised_whatever_its_name(content: bytes) -> None:
    assert file_type(content) is PROGRAM


@pytest.mark.parametrize(
    "content",
    [
        package("word/document.xml", "word/vbaProject.bin"),
        package("xl/workbook.xml", "xl/VBAPROJECT.BIN"),
        open_document("text", "Basic/Standard/Module1.xml"),
        compound("WordDocument", "_VBA_PROJECT"),
        compound("Workbook", "_VBA_PROJECT_CUR"),
    ],
    ids=range(5),
)
def test_a_file_with_macros_is_recognised(content: bytes) -> None:
    assert file_type(content) is MACROS


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        "<script>alert(1)</script>".encode("utf-16"),
        b"WScript.Echo(1)\r\n",
        "中文".encode("gb18030"),
        b"Subject: a note\nabout mails",
    ],
    ids=range(7),
)
def test_html_svg_and_scripts_are_text(content: bytes) -> None:
    """Their names end in `.txt`, which no system runs."""
    found = file_type(content)
    assert found is TEXT
    for name in ("bill.html", "logo.svg", "run.js", "run.bat"):
        assert name_with_ending(name, found) == f"{name}.txt"
    assert name_with_ending("startup.LOG", found) == "startup.LOG"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02",
        b"PK\x03\x04broken",
        b"\x89PNG\r\n\x1a\n<html>",
        b"RIFF\x00\x00\x00\x00????",
        package("xl/workbook.bin"),
        compound("EncryptedPackage"),
        compound("Bookkeeping"),
    ],
    ids=range(8),
)
def test_unknown_content_is_other(content: bytes) -> None:
    """It keeps its name, unless a system would run a file of that name."""
    assert file_type(content) is OTHER
    assert name_with_ending("drawing.dwg", OTHER) == "drawing.dwg"
    for name in ("a.exe", "a.HTML", "a.docm", "a"):
        assert name_with_ending(name, OTHER) == f"{name}.bin"


def test_a_zip_with_an_office_name_inside_stays_a_zip() -> None:
    assert file_type(archive("index.html", "word/document.xml")) is ZIP


def test_a_package_of_very_many_parts_is_not_examined() -> None:
    packed = archive("word/document.xml", "[Content_Types].xml")
    end = packed.rfind(b"PK\x05\x06")
    many = packed[: end + 10] + struct.pack("<H", 60_000) + packed[end + 12 :]
    assert file_type(many) is ZIP


def test_a_stream_name_in_the_content_does_not_make_a_document() -> None:
    said = "WordDocument\0".encode("utf-16-le")
    assert file_type(compound() + b"x" * 8 + said) is OTHER


@pytest.mark.requirement("G3")
@given(st.binary(max_size=400), st.sampled_from(["", *REAL]))
def test_any_content_has_a_type(content: bytes, start: str) -> None:
    file_type(content)
    file_type(REAL.get(start, b"")[: len(content)] + content)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("现场.PNG", "现场.PNG"), ("evil.html", "evil.html.png"), ("photo", "photo.png"),
        ("", "file.png"), ("a.png.exe", "a.png.exe.png"),
    ],
)  # fmt: skip
def test_a_name_gets_the_ending_of_its_content(name: str, kept: str) -> None:
    assert name_with_ending(name, file_types.PNG) == kept


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("发票 2026.pdf", "发票 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\a.dll", "a.dll"),
        ("a\x00b\r\nc\x1b[31m.pdf", "ab c[31m.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("in\u200bvoice\u2066.pdf", "invoice.pdf"),
        ("invoice.pdf" + " " * 80 + ".exe", "invoice.pdf .exe"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.pdf", "_com1.pdf"),
        ("console.txt", "console.txt"),
        ("a:b*c?.txt", "a_b_c_.txt"),
        ("...", ""),
        (" .hidden. ", "hidden"),
        ("\ud800.txt", "txt"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=400))
def test_making_a_safe_name_safe_again_changes_nothing(name: str) -> None:
    safe = safe_name(name)
    assert safe_name(safe) == safe
    assert len(safe) <= 121
    assert not set(safe) & set('/\\<>:"|?*\0\u202e')


def test_a_long_name_keeps_its_ending() -> None:
    assert safe_name("长" * 300 + ".jpeg").endswith("长.jpeg")
