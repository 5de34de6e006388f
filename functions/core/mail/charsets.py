"""Decode bytes with the declared charset, or with a guess if that fails.

Declared charsets are often wrong: "GB2312" mails contain GBK and GB18030 characters, "Latin-1"
mails are Windows-1252, "us-ascii" can be anything. Labels therefore select the widest superset, as
in the WHATWG encoding standard; other bytes are guessed.
"""

import codecs
import re
from collections.abc import Callable

Note = Callable[[str], None]
"""Records the code of a defect, such as `charset:guessed:gb18030`."""

_SUPERSETS = {
    "ansix341968": "utf-8",
    "ascii": "utf-8",
    "usascii": "utf-8",
    "iso88591": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "iso885911": "cp874",
    "tis620": "cp874",
    "iso88599": "cp1254",
    "iso88598i": "iso8859-8",
    "gb2312": "gb18030",
    "gb231280": "gb18030",
    "csgb2312": "gb18030",
    "gbk": "gb18030",
    "xgbk": "gb18030",
    "cp936": "gb18030",
    "ms936": "gb18030",
    "windows936": "gb18030",
    "euccn": "gb18030",
    "xeuccn": "gb18030",
    "chinese": "gb18030",
    "big5": "big5hkscs",
    "xbig5": "big5hkscs",
    "cnbig5": "big5hkscs",
    "csbig5": "big5hkscs",
    "big5eten": "big5hkscs",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
    "windows31j": "cp932",
    "cswindows31j": "cp932",
    "mskanji": "cp932",
    "xeucjp": "euc-jp",
    "euckr": "cp949",
    "ksc56011987": "cp949",
    "ksc5601": "cp949",
    "korean": "cp949",
    "xwindows949": "cp949",
    "iso2022jp": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "hzgb2312": "hz",
    "xmaccyrillic": "mac-cyrillic",
    "xmacroman": "mac-roman",
    "macintosh": "mac-roman",
    "unicode11utf8": "utf-8",
    "utf8mb4": "utf-8",
    "cp65001": "utf-8",
    "unicode": "utf-16",
    "xcp1251": "cp1251",
}
# Python also has codecs that are not charsets (zlib, idna, unicode_escape), some of them costly.
_CHARSET = re.compile(
    r"(utf-?(7|8|16|32)([-_][a-z]+)*|ascii|iso-?8859-\d+|cp\d+|koi8-[rtu]|mac-\w+|gb\w+|big5\w*"
    r"|euc_\w+|shift_\w+|iso2022_\w+|hz|johab|tis-620|ptcp154|kz1048|hp-roman8)"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SAMPLE = 64 * 1024
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_HIGH_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")


def _of_wider_table(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decode a pair that Python's tables lack but mail programs use.

    The Windows tables have NEC's row 13 (①, ㈱) and its selection of IBM's characters; Python has
    them only as Shift JIS. GBK's euro is one byte; Big5 has the extensions of ETEN.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, at = error.object, error.start
    pair = data[at : at + 2]
    if error.encoding.startswith(("iso2022_jp", "iso-2022-jp", "euc_jp", "euc-jp")):
        text = _by_windows_table(pair) if len(pair) == 2 else ""
    elif error.encoding == "gb18030" and pair[:1] == b"\x80":
        return "€", at + 1
    else:
        text = pair.decode("cp950", "ignore") if error.encoding == "big5hkscs" else ""
    return (text, at + 2) if len(text) == 1 else ("\ufffd", error.end)


def _by_windows_table(pair: bytes) -> str:
    """Decode a pair of JIS X 0208, with or without the high bits, by the table of Windows."""
    row, cell = (pair[0] & 0x7F) - 0x21, (pair[1] & 0x7F) - 0x21
    if not (0 <= row < 94 and 0 <= cell < 94):
        return ""
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 if cell < 63 else 0x41)
    return bytes((lead, trail)).decode("cp932", "ignore")


codecs.register_error("deskbell.wider", _of_wider_table)


def codec_for(label: str) -> str | None:
    """The Python codec for a charset label; None if it is unknown."""
    plain = re.sub(r"[^a-z0-9]", "", label.lower()[:60])
    codec = _SUPERSETS.get(plain)
    if codec is None:
        codec = label.strip(" \t\"'").lower()[:60]
    for name in (codec, re.sub(r"^x-", "", codec), codec.replace("windows-", "cp")):
        try:
            python_name = codecs.lookup(name).name
        except (LookupError, ValueError):
            continue
        if _CHARSET.fullmatch(python_name):
            return python_name
    return None


def decode(data: bytes, declared: str | None, note: Note) -> str:
    """Decode bytes; never raises. Repairs are reported to `note`."""
    if data.isascii() and b"\x1b" not in data and b"~{" not in data:
        codec = codec_for(declared) if declared else None
        if codec is None or codec[:5] not in {"utf-7", "utf-1", "utf-3"}:
            return data.decode("ascii")
    codec = None
    if declared:
        codec = codec_for(declared)
        if codec is None:
            note("charset:unknown")
    if codec is not None:
        text = _declared(data, codec, note)
        if text is not None:
            return text
    return _guessed(data, note)


def _declared(data: bytes, codec: str, note: Note) -> str | None:
    if codec != "utf-8" and not data.isascii() and codec[:4] != "utf-" and _is_surely_utf8(data):
        note("charset:guessed:utf-8")
        return data.decode("utf-8")
    try:
        return _storable(data.decode(codec), note)
    except UnicodeDecodeError:
        pass
    except (LookupError, ValueError, UnicodeError):
        return None
    text = _storable(data.decode(codec, "deskbell.wider"), note)
    if "\ufffd" not in text:
        return text
    high = sum(1 for character in text if character > "\x7f")
    broken = text.count("\ufffd")
    # A few invalid characters in a long text are damage; many mean a wrong label.
    if (broken <= 2 and high > 10 * broken) or broken * 50 <= high:
        note(f"charset:damaged:{codec}")
        return text
    return None


def _storable(text: str, note: Note) -> str:
    """Replace unpaired surrogates, which UTF-7 can contain and no storage accepts."""
    repaired = _SURROGATE.sub("\ufffd", text)
    if repaired != text:
        note("charset:half-character")
    return repaired


def _is_surely_utf8(data: bytes) -> bool:
    if len(_UTF8_SEQUENCE.findall(data[:_SAMPLE])) < 2:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _guessed(data: bytes, note: Note) -> str:
    codec = guess(data)
    if codec != "ascii":
        note(f"charset:guessed:{codec}")
    return data.decode(codec, "replace")


def guess(data: bytes) -> str:
    """Guess the codec of bytes whose charset is unknown or wrongly declared."""
    sample = data[:_SAMPLE]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x1b$" in sample or b"\x1b(" in sample:
        return "iso2022_kr" if b"\x1b$)C" in sample else "iso2022_jp_ext"
    if sample.isascii():
        return "hz" if b"~{" in sample and b"~}" in sample else "ascii"
    try:
        # An incremental decoder accepts a sample that ends inside a character.
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) == len(data))
    except UnicodeDecodeError:
        return _guess_legacy(sample)
    return "utf-8"


def _guess_legacy(sample: bytes) -> str:
    runs = _HIGH_RUN.findall(sample)
    high = sum(map(len, runs))
    letters = sum(1 for byte in sample if chr(byte).isalpha() and byte < 0x80)
    if _is_latin(sample, runs, high, letters):
        return "cp1252"
    upper = sum(1 for run in runs for byte in run if byte >= 0xC0)
    if high >= 6 and upper >= 0.95 * high:
        lower_koi8 = sum(1 for run in runs for byte in run if 0xC0 <= byte <= 0xDF)
        return "koi8-r" if lower_koi8 > 0.5 * high else "cp1251"
    if _is_hangul(sample):
        return "cp949"
    scores = {codec: _score(sample, codec, weigh) for codec, weigh in _WEIGHTS.items()}
    # Short samples fit several codecs; the first one wins, and GB 18030 is the most likely.
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] > 0.2 else "cp1252"


def _is_hangul(sample: bytes) -> bool:
    """Return whether nearly all pairs are in the rows of Korean syllables, unlike in Chinese."""
    leads = [pair[0] for pair in _HIGH_PAIR.findall(sample) if pair[0] >= 0xB0]
    return len(leads) >= 8 and sum(1 for lead in leads if lead <= 0xC8) >= 0.97 * len(leads)


def _is_latin(sample: bytes, runs: list[bytes], high: int, letters: int) -> bool:
    """Return whether non-ASCII letters occur alone or in pairs among ASCII letters."""
    short = sum(1 for run in runs if len(run) <= 2)
    return short >= 0.9 * len(runs) and high <= 0.7 * letters and letters >= 2


def _weigh_gb(lead: int, trail: int) -> float:
    if trail < 0xA1:
        return 0.1
    if 0xB0 <= lead <= 0xD7:
        return 1.0
    if lead in (0xA1, 0xA3):
        return 0.8
    return 0.3 if 0xD8 <= lead <= 0xF7 else -0.3


def _weigh_big5(lead: int, trail: int) -> float:
    if not (0x40 <= trail <= 0x7E or 0xA1 <= trail <= 0xFE):
        return -1.0
    if 0xA4 <= lead <= 0xC6:
        return 1.0
    return 0.8 if lead == 0xA1 else -0.2


def _weigh_sjis(lead: int, trail: int) -> float:
    if (lead == 0x82 and trail >= 0x9F) or (lead == 0x83 and trail <= 0x96):
        return 1.6
    if lead == 0x81:
        return 0.8
    return 0.5 if 0x88 <= lead <= 0x97 else -0.3


def _weigh_euc_jp(lead: int, trail: int) -> float:
    if trail < 0xA1:
        return -1.0
    if lead in (0xA4, 0xA5):
        return 2.0
    return 0.5 if 0xB0 <= lead <= 0xCF or lead in (0xA1, 0xA3) else -0.2


def _weigh_euc_kr(lead: int, trail: int) -> float:
    if trail < 0xA1:
        return -0.3
    return 1.0 if 0xB0 <= lead <= 0xC8 else -0.5


_WEIGHTS: dict[str, Callable[[int, int], float]] = {
    "gb18030": _weigh_gb,
    "big5hkscs": _weigh_big5,
    "cp932": _weigh_sjis,
    "euc_jp": _weigh_euc_jp,
    "cp949": _weigh_euc_kr,
}


def _score(sample: bytes, codec: str, weigh: Callable[[int, int], float]) -> float:
    """Score how common the decoded characters are, from 0 to about 1."""
    broken = sample.decode(codec, "replace").count("\ufffd")
    pairs = _HIGH_PAIR.findall(sample)
    if not pairs:
        return -1.0
    return (sum(weigh(pair[0], pair[1]) for pair in pairs) - 2.0 * broken) / len(pairs)
