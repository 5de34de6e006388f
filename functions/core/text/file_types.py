"""File types by content, regardless of name and declared type, and safe file names (D10).

Programs and Office files with macros are never kept. Other files get an ending that matches their
content, so that nothing opens them as another type: HTML, SVG and scripts, which a browser or shell
would run, are texts and end in `.txt`. Archives are not searched.

Signatures: RFC 2083 (PNG), ISO/IEC 10918-1 (JPEG), ISO/IEC 23008-12 (HEIC), ISO 32000 (PDF),
RFC 9649 (WebP), [MS-CFB] (compound files), ECMA-376 part 2 (Office's packages), ISO/IEC 26300-3
(OpenDocument), ISO/IEC 14496-12 (MP4), RFC 8794 (Matroska), the formats' own otherwise.
"""

import re
from dataclasses import dataclass

from functions.core.domain.rules import FileKind


@dataclass(frozen=True)
class FileType:
    """A file type: its name for people, media type and name endings.

    `kind` is None for types that no desk accepts. A file of a type without endings keeps its name,
    unless a system would run a file of that name.
    """

    name: str
    media: str
    endings: tuple[str, ...]
    kind: FileKind | None = "image"


def _document(name: str, media: str, *endings: str) -> FileType:
    return FileType(name, media, endings, "document")


JPEG = FileType("JPEG", "image/jpeg", ("jpg", "jpeg"))
PNG = FileType("PNG", "image/png", ("png",))
GIF = FileType("GIF", "image/gif", ("gif",))
WEBP = FileType("WebP", "image/webp", ("webp",))
HEIC = FileType("HEIC", "image/heic", ("heic", "heif"))
AVIF = FileType("AVIF", "image/avif", ("avif",))
TIFF = FileType("TIFF", "image/tiff", ("tif", "tiff"))
BMP = FileType("BMP", "image/bmp", ("bmp",))
_OPEN = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
PDF = _document("PDF", "application/pdf", "pdf")
DOC = _document("Word", "application/msword", "doc")
XLS = _document("Excel", "application/vnd.ms-excel", "xls")
PPT = _document("PowerPoint", "application/vnd.ms-powerpoint", "ppt")
DOCX = _document("Word", f"{_OPEN}.wordprocessingml.document", "docx")
XLSX = _document("Excel", f"{_OPEN}.spreadsheetml.sheet", "xlsx")
PPTX = _document("PowerPoint", f"{_OPEN}.presentationml.presentation", "pptx")
ODT = _document("OpenDocument", f"{_ODF}.text", "odt")
ODS = _document("OpenDocument", f"{_ODF}.spreadsheet", "ods")
ODP = _document("OpenDocument", f"{_ODF}.presentation", "odp")
RTF = _document("RTF", "application/rtf", "rtf", "doc")
TEXT = FileType(
    "text",
    "text/plain",
    ("txt", "log", "csv", "tsv", "json", "md", "yaml", "yml", "ini", "conf", "asc", "srt", "diff"),
    "text",
)
ICS = FileType("calendar", "text/calendar", ("ics",), "message")
VCF = FileType("contact", "text/vcard", ("vcf",), "message")
EML = FileType("mail", "message/rfc822", ("eml",), "message")
MSG = FileType("mail", "application/vnd.ms-outlook", ("msg",), "message")
MP4 = FileType("MP4", "video/mp4", ("mp4", "m4v", "mov", "m4a", "3gp", "3g2"), "media")
WEBM = FileType("Matroska", "video/webm", ("webm", "mkv", "mka"), "media")
AVI = FileType("AVI", "video/x-msvideo", ("avi",), "media")
ASF = FileType("ASF", "video/x-ms-asf", ("wmv", "wma", "asf"), "media")
MPEG = FileType("MPEG", "video/mpeg", ("mpg", "mpeg"), "media")
MP3 = FileType("MP3", "audio/mpeg", ("mp3",), "media")
AAC = FileType("AAC", "audio/aac", ("aac",), "media")
WAV = FileType("WAV", "audio/wav", ("wav",), "media")
OGG = FileType("Ogg", "audio/ogg", ("ogg", "oga", "opus", "ogv"), "media")
AMR = FileType("AMR", "audio/amr", ("amr", "awb"), "media")
FLAC = FileType("FLAC", "audio/flac", ("flac",), "media")
ZIP = FileType("ZIP", "application/zip", ("zip",), "archive")
SEVENZIP = FileType("7z", "application/x-7z-compressed", ("7z",), "archive")
RAR = FileType("RAR", "application/vnd.rar", ("rar",), "archive")
GZIP = FileType("gzip", "application/gzip", ("gz", "tgz"), "archive")
BZIP2 = FileType("bzip2", "application/x-bzip2", ("bz2", "tbz2"), "archive")
XZ = FileType("xz", "application/x-xz", ("xz", "txz"), "archive")
ZSTD = FileType("zstd", "application/zstd", ("zst",), "archive")
TAR = FileType("tar", "application/x-tar", ("tar",), "archive")
OTHER = FileType("other", "application/octet-stream", (), "other")
PROGRAM = FileType("program", "application/octet-stream", (), None)
MACROS = FileType("macros", "application/octet-stream", (), None)

TYPES = (
    JPEG, PNG, GIF, WEBP, HEIC, AVIF, TIFF, BMP,
    PDF, DOC, DOCX, XLS, XLSX, PPT, PPTX, ODT, ODS, ODP, RTF,
    TEXT, ICS, VCF, EML, MSG,
    MP4, WEBM, AVI, ASF, MPEG, MP3, AAC, WAV, OGG, AMR, FLAC,
    ZIP, SEVENZIP, RAR, GZIP, BZIP2, XZ, ZSTD, TAR, OTHER,
)  # fmt: skip
"""The types that a desk may accept."""

_BEGINNINGS: tuple[tuple[bytes, FileType], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"%PDF-", PDF),
    (b"{\\rtf", RTF),
    (b"\x1aE\xdf\xa3", WEBM),
    (b"0&\xb2u\x8ef\xcf\x11", ASF),
    (b"\x00\x00\x01\xba", MPEG),
    (b"ID3", MP3),
    (b"\xff\xfb", MP3),
    (b"\xff\xf3", MP3),
    (b"\xff\xf1", AAC),
    (b"\xff\xf9", AAC),
    (b"OggS", OGG),
    (b"#!AMR", AMR),
    (b"fLaC", FLAC),
    (b"7z\xbc\xaf\x27\x1c", SEVENZIP),
    (b"Rar!\x1a\x07", RAR),
    (b"\x1f\x8b\x08", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\x00", XZ),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    # Types that a system runs or mounts.
    (b"MZ", PROGRAM),
    (b"\x7fELF", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"\xfe\xed\xfa", PROGRAM),
    (b"\xce\xfa\xed\xfe", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"#!", PROGRAM),
    (b"L\x00\x00\x00\x01\x14\x02\x00", PROGRAM),  # a shortcut ([MS-SHLLINK])
    (b"ITSF", PROGRAM),  # compiled help
    (b"MSCF", PROGRAM),  # a cabinet
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", PROGRAM),  # OneNote, which holds programs
    (b"dex\n", PROGRAM),
    (b"\x00asm", PROGRAM),
    (b"!<arch>", PROGRAM),
    (b"\xed\xab\xee\xdb", PROGRAM),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
"""The class of an installer's compound file."""
_ENTRY = 128
"""Bytes of a directory entry in a compound file; each begins at a multiple of it."""
_MANY = 20_000
"""The most parts of a package that is examined; Office documents have some dozens."""
_NOT_TEXT = bytes(set(range(32)) - set(b"\t\n\f\r\x1b")) + b"\x7f"
_MAIL = re.compile(rb"\A(?:[!-9;-~]{1,80}:[^\n]*\n(?:[ \t][^\n]*\n)*){2}", re.IGNORECASE)
_MAIL_HEADERS = re.compile(
    rb"^(?:message-id|mime-version|received|return-path)[ \t]*:", re.I | re.M
)

_RUNS = frozenset(
    {
        "exe", "scr", "com", "pif", "cpl", "dll", "ocx", "sys", "drv", "msi", "msp", "mst", "msix",
        "msixbundle", "appx", "appxbundle", "apk", "aab", "ipa", "jar", "jse", "js", "mjs", "vbs",
        "vbe", "vb", "ws", "wsf", "wsh", "wsc", "sct", "hta", "bat", "cmd", "ps1", "ps1xml", "psm1",
        "psd1", "sh", "bash", "zsh", "csh", "command", "py", "pyw", "pyc", "rb", "pl", "php",
        "phtml", "asp", "aspx", "jsp", "lnk", "url", "website", "webloc", "desktop", "scf", "inf",
        "reg", "chm", "hlp", "gadget", "application", "jnlp", "iso", "img", "vhd", "vhdx", "dmg",
        "pkg", "app", "deb", "rpm", "run", "xll", "xla", "xlam", "docm", "dotm", "xlsm", "xltm",
        "pptm", "potm", "ppam", "ppsm", "sldm", "one", "onepkg", "html", "htm", "xhtml", "shtml",
        "mht", "mhtml", "svg", "svgz", "xml", "xsl", "xslt", "swf", "theme", "themepack", "diagcab",
        "library-ms", "search-ms", "settingcontent-ms", "appref-ms", "cab", "mdb", "accdb", "accde",
    }
)  # fmt: skip
"""Name endings of files that a system runs or shows in a browser."""


def file_type(content: bytes) -> FileType:
    for beginning, candidate in _BEGINNINGS:
        if content.startswith(beginning):
            return candidate
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return PNG
    if content.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"WAVE": WAV, b"AVI ": AVI}.get(content[8:12], OTHER)
    if content[4:8] == b"ftyp":
        return _boxes(content)
    if content.startswith(b"BM") and len(content) > 26 and content[6:10] == b"\0\0\0\0":
        return BMP
    if content.startswith(_COMPOUND):
        return _compound(content)
    if content.startswith(b"PK\x03\x04"):
        return _package(content)
    if content[257:262] == b"ustar":
        return TAR
    if content[0x8001:0x8006] == b"CD001":
        return PROGRAM  # a disk image, which a system mounts
    return _text(content) if _is_text(content) else OTHER


def accepted(kinds: tuple[FileKind, ...]) -> str:
    """Name the types of these kinds: `JPEG, PNG, …`."""
    return ", ".join(
        dict.fromkeys(candidate.name for candidate in TYPES if candidate.kind in kinds)
    )


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\.|$)", re.I)
_LONGEST = 120


def safe_name(name: str) -> str:
    """Return a name that every system can store and displays unchanged; "" if nothing is left.

    Folders, invisible and direction-changing characters, characters and device names that Windows
    reserves, and leading and trailing dots and spaces are removed or replaced. Runs of spaces,
    which could push an ending out of sight, become one. A long name keeps its ending.
    """
    import unicodedata

    name = unicodedata.normalize("NFC", name[: 10 * _LONGEST].replace("\\", "/")).rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    name = _FORBIDDEN.sub("_", " ".join(name.split())).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST:
        ending = ending[:15]
        name = f"{stem[: _LONGEST - 1 - len(ending)]}{dot}{ending}" if dot else name[:_LONGEST]
    return f"_{name}" if _RESERVED.match(name) else name


def name_with_ending(name: str, actual: FileType) -> str:
    """Return the name with an ending that matches the type, so that nothing opens it as another."""
    _, dot, ending = name.rpartition(".")
    if actual.endings:
        fits = bool(dot) and ending.casefold() in actual.endings
        return name if fits else f"{name or 'file'}.{actual.endings[0]}"
    return f"{name or 'file'}.bin" if not dot or ending.casefold() in _RUNS else name


def _boxes(content: bytes) -> FileType:
    brands = _brands(content)
    if brands & _HEIC_BRANDS:
        return HEIC
    return AVIF if brands & {b"avif", b"avis"} else MP4


def _brands(content: bytes) -> set[bytes]:
    """Return the brands in the first box of an ISO media file, the major one included."""
    size = min(int.from_bytes(content[:4], "big"), 256)
    return {content[8:12]} | {content[at : at + 4] for at in range(16, size - 3, 4)}


def _compound(content: bytes) -> FileType:
    if content.find(_INSTALLER) >= 0:
        return PROGRAM
    if any(_entry(content, name) for name in ("_VBA_PROJECT", "VBA", "Macros", "_VBA_PROJECT_CUR")):
        return MACROS
    for name, candidate in (
        ("WordDocument", DOC),
        ("Workbook", XLS),
        ("Book", XLS),
        ("PowerPoint Document", PPT),
        ("__properties_version1.0", MSG),
    ):
        if _entry(content, name, stream=True):
            return candidate
    return OTHER


def _entry(content: bytes, name: str, *, stream: bool = False) -> bool:
    """Return whether a compound file's directory has this entry ([MS-CFB], section 2.6)."""
    wanted = (name + "\0").encode("utf-16-le")
    at = content.find(wanted)
    while at >= 0:
        entry = content[at : at + _ENTRY]
        length = int.from_bytes(entry[64:66], "little")
        kinds = b"\x02" if stream else b"\x01\x02"
        if at % _ENTRY == 0 and length == len(wanted) and entry[66:67] and entry[66] in kinds:
            return True
        at = content.find(wanted, at + 1)
    return False


def _package(content: bytes) -> FileType:
    """Return the type of a ZIP file, by the names of its parts."""
    from io import BytesIO
    from zipfile import BadZipFile, ZipFile

    end = content.rfind(b"PK\x05\x06")
    if end < 0 or int.from_bytes(content[end + 10 : end + 12], "little") > _MANY:
        return ZIP if end >= 0 else OTHER
    try:
        with ZipFile(BytesIO(content)) as package:
            names = {name.casefold() for name in package.namelist()}
    except (BadZipFile, ValueError, EOFError, NotImplementedError, UnicodeDecodeError):
        return OTHER
    if any("vbaproject" in name or name.startswith("basic/") for name in names):
        return MACROS
    if names & {"meta-inf/manifest.mf", "classes.dex", "androidmanifest.xml", "appxmanifest.xml"}:
        return PROGRAM
    if "[content_types].xml" in names:
        for part, candidate in (
            ("word/document.xml", DOCX),
            ("xl/workbook.xml", XLSX),
            ("ppt/presentation.xml", PPTX),
        ):
            if part in names:
                return candidate
        return OTHER
    first_part = content[30:120]  # an OpenDocument's uncompressed media type
    for candidate in (ODT, ODS, ODP):
        if first_part.startswith(b"mimetype" + candidate.media.encode()):
            return candidate
    return ZIP


def _is_text(content: bytes) -> bool:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return bool(content) and len(content.translate(None, _NOT_TEXT)) == len(content)


def _text(content: bytes) -> FileType:
    head = content[:16_384].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:15].upper() == b"BEGIN:VCALENDAR":
        return ICS
    if head[:11].upper() == b"BEGIN:VCARD":
        return VCF
    return EML if _MAIL.match(head) and _MAIL_HEADERS.search(head) else TEXT
