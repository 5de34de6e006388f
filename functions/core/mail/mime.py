"""Read the structure of a mail: headers and parts as offsets into the raw bytes.

The standard library's parser recurses for each nested part and compares every line with every open
boundary, so ten thousand nested parts cause a RecursionError or take minutes. This reader does not
copy the raw bytes, searches boundaries with `bytes.find` and has fixed limits, so its time is
linear in the size of the mail. RFC 5322, 2045-2047, 2231; violations by real mail software are
repaired and reported to `note`.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from functions.core.mail.charsets import Note, codec_for, decode

MAX_DEPTH = 40
MAX_PARTS = 1_000
MAX_HEADERS = 1_000
MAX_HEADER_BYTES = 256 * 1024
MAX_VALUE = 32 * 1024
_MAX_RUNS = 256

_BLANK_LINE = re.compile(rb"\n[ \t]*\r?\n")
_HEADER_NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_KNOWN_HEADER = re.compile(
    rb"(from|to|cc|date|subject|message-id|mime-version|content-[a-z-]+|return-path|received"
    rb"|references|in-reply-to|reply-to|sender|x-[a-z-]+)[ \t]*:",
    re.IGNORECASE,
)
_ENCODED_WORD = re.compile(
    r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?"
    r"([^?\r\n]{0,2000}+(?:\?(?!=)[^?\r\n]{0,2000}+){0,20}+)\?=(?!\?=)"
)
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\u202a-\u202e\u2066-\u2069\ue000-\ue00f]"
)
_MIME_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}")
_PARAMETER = re.compile(
    r"""([^\s=;"]{1,80})\s*+=\s*+("(?:[^"\\]|\\.)*+"|"[^"]*+\Z|[^;"]*+)""", re.DOTALL
)
_NO_PARAMETER = re.compile(r"""[\s;]++|[^\s;"]++|.""", re.DOTALL)
_GUESSED_BOUNDARY = re.compile(
    rb"(?:\A|\n)--([^\s\r\n-][^\r\n]{2,200}?|-{0,30}[^\s\r\n-][^\r\n]{2,200}?)[ \t]*\r?(?=\n)"
)


@dataclass(slots=True)
class Part:
    """One entity of a mail: its headers, and the position of its body in the raw bytes."""

    raw: bytes
    start: int
    end: int
    headers: list[tuple[str, bytes]]
    content_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    disposition_parameters: dict[str, str] = field(default_factory=dict)
    children: list["Part"] = field(default_factory=list)

    def header(self, name: str) -> bytes | None:
        """The first header with this lowercase name, unfolded; None if it is missing."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[bytes]:
        """All headers with this lowercase name, unfolded, in order."""
        return [value for key, value in self.headers if key == name]

    def body(self) -> bytes:
        return self.raw[self.start : self.end]

    def content(self, note: Note) -> bytes:
        """The body with the transfer encoding removed as far as possible."""
        if self.encoding == "base64" and (clean := self._clean_base64()) is not None:
            return clean
        return _undo(self.body(), self.encoding, note)

    @property
    def encoding(self) -> str:
        """The transfer encoding as declared, in lowercase."""
        value = (self.header("content-transfer-encoding") or b"").decode("ascii", "replace")
        return value.partition(";")[0].strip(" \t\"'").lower()

    def _clean_base64(self) -> bytes | None:
        """Decode well-formed base64 without copying it; None for anything else."""
        raw, start, end = self.raw, self.start, self.end
        padding = raw.find(b"=", start, end)
        if padding >= 0 and raw[padding:end].strip(b"= \t\r\n"):
            return None
        if raw.find(b"-", start, end) >= 0 or raw.find(b"_", start, end) >= 0:
            return None
        try:
            return binascii.a2b_base64(memoryview(raw)[start:end])
        except binascii.Error:
            return None

    def text(self, note: Note, limit: int) -> str:
        """The decoded text of a text part with `\\n` line ends, cut to about `limit` characters."""
        data = self._text_content(note)
        if len(data) > 4 * limit:
            note("text:cut")
            data = data[: 4 * limit]
        declared = self.parameters.get("charset", "").strip()
        if not declared and self.content_type == "text/html":
            declared = html_charset(data)
        text = decode(data, declared or None, note)
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if "\x00" in text:
            note("text:nul")
            text = text.replace("\x00", "")
        return text

    def _text_content(self, note: Note) -> bytes:
        """The bytes of a text, whose transfer encoding is not always the declared one.

        Relays rewrite the header but not the body, or add lines of their own to encoded text.
        """
        if self.encoding == "base64":
            whole = _ONLY_BASE64.fullmatch(self.raw, self.start, self.end) is not None
            clean = self._clean_base64() if whole else None
            if clean is not None and (len(clean) > 300 or self._is_readable(clean)):
                return clean
            return _mixed_base64(self.body(), self._is_readable, note)
        if self.encoding in _UNENCODED:
            decoded = _undeclared(self.body(), self._is_readable)
            if decoded is not None:
                note("encoding:undeclared")
                return decoded
        return self.content(note)

    def _is_readable(self, data: bytes) -> bool:
        """Return whether bytes are printable text in the declared charset."""
        codec = codec_for(self.parameters.get("charset", "") or "utf-8") or "utf-8"
        try:
            text = data.decode(codec)
        except (ValueError, LookupError):
            return False
        return not _UNPRINTABLE.search(text)


def html_charset(data: bytes) -> str:
    """The charset in an HTML document's meta element, or empty."""
    match = re.search(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{2,40})", data[:4096], re.I)
    return match.group(1).decode("ascii", "replace") if match else ""


def _undo(data: bytes, encoding: str, note: Note) -> bytes:
    if encoding == "base64":
        return from_base64(data, note)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return from_uuencode(data, note)
    if encoding not in _UNENCODED:
        note("encoding:unknown")
    return data


_UNENCODED = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit"})
_ONLY_BASE64 = re.compile(rb"[A-Za-z0-9+/=\r\n]*")
_CODE_LINE = re.compile(rb"[A-Za-z0-9+/_-]*={0,2}")
_LONG_CODE = 24
"""A shorter line can be a word or a rule rather than base64."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")
_ESCAPES = re.compile(rb"(?:=[0-9A-F]{2}){2,}")
_ANY_ESCAPE = re.compile(rb"=(?!\r?\n|[0-9A-F]{2})")


def _mixed_base64(data: bytes, is_readable: Callable[[bytes], bool], note: Note) -> bytes:
    """Decode base64 among plain lines, such as the footer of a mailing list; plain text stays."""
    lines = [line.strip() for line in data.split(b"\n")]
    long = [i for i, line in enumerate(lines) if len(line) >= _LONG_CODE and _is_code(line)]
    if not long:
        return _short_base64(data, is_readable, note)
    first, last = long[0], long[-1]
    full = max(len(lines[i]) for i in long)
    # The run ends with a shorter line, unless its last line was full.
    if last + 1 < len(lines) and len(lines[last]) >= full and _is_end(lines[last + 1]):
        last += 1
    before, behind = (b"\n".join(part).strip() for part in (lines[:first], lines[last + 1 :]))
    if before or behind:
        note("encoding:base64")
    decoded = from_base64(b"\n".join(lines[first : last + 1]), note)
    return b"\n".join(filter(None, (before, decoded, behind)))


def _short_base64(data: bytes, is_readable: Callable[[bytes], bool], note: Note) -> bytes:
    """Decode base64 in short lines, or in a short first line; anything else is plain text."""
    whole = from_base64(data, note)
    if len(whole) >= _LONG_CODE // 2 and _is_utf8(whole) and is_readable(whole):
        return whole
    first, _, behind = data.strip().partition(b"\n")
    first = first.strip()
    if len(first) % 4 == 0 and _CODE_LINE.fullmatch(first) and not first.endswith(b"==="):
        decoded = from_base64(first, note)
        if is_readable(decoded) or (b"=" in first and not behind):
            return b"\n".join(filter(None, (decoded, behind.strip())))
    note("encoding:base64")
    return data


def _is_code(line: bytes) -> bool:
    """Return whether a line is base64, perhaps with a few damaged characters."""
    if _CODE_LINE.fullmatch(line):
        return bool(line.strip(b"-_=+/"))
    stray = len(re.sub(rb"[A-Za-z0-9+/=]", b"", line))
    return len(line) >= _LONG_CODE and stray * 20 <= len(line) and b" " not in line.strip()


def _is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8, which arbitrary bytes hardly ever are."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_end(line: bytes) -> bool:
    """Return whether a short line is the end of the base64 above it rather than a word."""
    return len(line) % 4 == 0 and bool(_CODE_LINE.fullmatch(line)) and bool(line.strip(b"-_=+/"))


def _undeclared(data: bytes, is_readable: Callable[[bytes], bool]) -> bytes | None:
    """Decode a text that is base64 or quoted-printable without saying so; None if it is neither."""
    sample = data[:4096].strip()
    if not sample.isascii():
        return None
    line = sample.split(b"\n", 1)[0].strip()
    if len(line) >= 2 * _LONG_CODE and _CODE_LINE.fullmatch(line):
        joined = b"".join(data.split())
        if len(joined) % 4 or not _CODE_LINE.fullmatch(joined) or b"-" in joined or b"_" in joined:
            return None
        decoded = binascii.a2b_base64(joined)
        readable = is_readable(decoded) and (not decoded.isascii() or b" " in decoded)
        return decoded if readable else None
    if _ESCAPES.search(sample) and not _ANY_ESCAPE.search(data):
        decoded = binascii.a2b_qp(data)
        return decoded if not decoded.isascii() and is_readable(decoded) else None
    return None


def from_base64(data: bytes, note: Note) -> bytes:
    """Decode base64 with stray characters, missing padding or several concatenated runs."""
    runs = re.split(rb"=+", data, maxsplit=_MAX_RUNS)
    out = []
    for run in runs:
        clean = re.sub(rb"[^A-Za-z0-9+/]+", b"", run.replace(b"-", b"+").replace(b"_", b"/"))
        if len(clean) % 4 == 1:
            note("encoding:base64")
            clean = clean[:-1]
        if clean:
            out.append(binascii.a2b_base64(clean + b"=" * (-len(clean) % 4)))
    if len(out) > 1:
        note("encoding:base64")
    return b"".join(out)


def from_uuencode(data: bytes, note: Note) -> bytes:
    """Decode the first uuencoded file; malformed lines are skipped."""
    out = []
    inside = False
    for line in data.splitlines():
        if not inside:
            inside = line.startswith(b"begin ")
            continue
        if line.strip() == b"end":
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            try:
                out.append(binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3]))
            except (binascii.Error, IndexError):
                note("encoding:uuencode")
    return b"".join(out)


def read(raw: bytes, note: Note) -> Part:
    """Read the tree of parts; never raises. The depth and number of parts are limited."""
    head = raw[:65536]
    if b"\n" not in head and b"\r" in head:
        note("lines:cr")
        raw = raw.replace(b"\r", b"\n")
    start = 0
    while raw[start : start + 1] in (b"\r", b"\n", b" ", b"\t") and start < min(len(raw), 1000):
        start += 1
    if raw[start : start + 3] == b"\xef\xbb\xbf":
        start += 3
    root = _part(raw, start, len(raw), "text/plain", note)
    open_parts = [(root, 0)]
    count = 1
    while open_parts:
        part, depth = open_parts.pop()
        if not part.content_type.startswith("multipart/"):
            continue
        if depth >= MAX_DEPTH:
            note("structure:depth")
            continue
        _decode_parts(part, note)
        spans = _split(part, note)
        if count + len(spans) > MAX_PARTS:
            note("structure:parts")
            spans = spans[: max(0, MAX_PARTS - count)]
        count += len(spans)
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        part.children = [_part(part.raw, begin, end, default, note) for begin, end in spans]
        open_parts.extend((child, depth + 1) for child in reversed(part.children))
    return root


def _part(raw: bytes, start: int, end: int, default: str, note: Note) -> Part:
    headers, body = headers_of(raw, start, end, note)
    part = Part(raw, body, end, headers, default)
    value = part.header("content-type")
    if value is not None:
        kind, part.parameters = parameters(value, note)
        kind = kind.lower()
        if _MIME_TYPE.fullmatch(kind):
            part.content_type = kind
        elif kind in {"text", "html", "plain"}:
            part.content_type = "text/html" if kind == "html" else "text/plain"
            note("type:malformed")
        elif kind:
            note("type:malformed")
            part.content_type = "application/octet-stream" if part.header("mime-version") is None \
                else default  # fmt: skip
    value = part.header("content-disposition")
    if value is not None:
        kind, part.disposition_parameters = parameters(value, note)
        part.disposition = kind.lower()
    return part


def headers_of(raw: bytes, start: int, end: int, note: Note) -> tuple[list[tuple[str, bytes]], int]:
    """Read the headers of the entity in `raw[start:end]` and the start of its body."""
    limit = min(end, start + MAX_HEADER_BYTES)
    headers: list[tuple[str, list[bytes]]] = []
    position = start
    while position < end:
        stop = raw.find(b"\n", position, limit) + 1 or limit
        line = raw[position:stop]
        if not line.strip():
            return _unfolded(headers), stop
        name = _HEADER_NAME.match(line)
        if line[:1] in b" \t" and headers:
            headers[-1][1].append(line)
        elif name and len(headers) < MAX_HEADERS:
            headers.append((name.group(1).decode("ascii").lower(), [line[name.end() :]]))
        elif name:
            note("header:many")
        elif not line.startswith((b"From ", b">From ")):
            if not _continues(raw, stop, limit):
                # The blank line is missing: the body begins with this line.
                note("header:no-blank-line")
                return _unfolded(headers), position
            note("header:malformed")
        position = stop
        if position >= limit < end:
            note("header:too-long")
            blank = _BLANK_LINE.search(raw, position - 1, end)
            return _unfolded(headers), blank.end() if blank else end
    return _unfolded(headers), position


def _unfolded(headers: list[tuple[str, list[bytes]]]) -> list[tuple[str, bytes]]:
    return [
        (name, b" ".join(line.strip() for line in lines) if len(lines) > 1 else lines[0].strip())
        for name, lines in headers
    ]


def _continues(raw: bytes, position: int, stop: int) -> bool:
    """Return whether another header follows soon, so that only this line is damaged."""
    for line in raw[position : min(stop, position + 2000)].split(b"\n", 3)[:3]:
        if not line.strip():
            return False
        if _KNOWN_HEADER.match(line):
            return True
    return False


def _decode_parts(part: Part, note: Note) -> None:
    """Decode a multipart that is encoded as a whole, which RFC 2045 forbids."""
    if part.encoding in {"base64", "quoted-printable"}:
        boundary = part.parameters.get("boundary", "").encode("utf-8", "replace")
        if part.raw.find(b"--" + boundary, part.start, part.end) >= 0:
            return
        note("encoding:multipart")
        part.raw = _undo(part.body(), part.encoding, note)
        part.start, part.end = 0, len(part.raw)


def _split(part: Part, note: Note) -> list[tuple[int, int]]:
    boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
    spans = _spans(part, boundary, note) if boundary else []
    if spans:
        return spans
    guess = _GUESSED_BOUNDARY.search(part.raw, part.start, min(part.end, part.start + 65536))
    if guess:
        spans = _spans(part, guess.group(1).rstrip(), note)
    note("boundary:guessed" if spans else "boundary:missing")
    if not spans:
        part.content_type = "text/plain"
    return spans


def _spans(part: Part, boundary: bytes, note: Note) -> list[tuple[int, int]]:
    raw, delimiter = part.raw, b"--" + boundary
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    closed = False
    position = part.start
    while (start := raw.find(delimiter, position, part.end)) >= 0 and len(spans) <= MAX_PARTS:
        position = end = start + len(delimiter)
        tail = raw[end : min(part.end, end + 80)].partition(b"\n")[0].strip()
        if (start > part.start and raw[start - 1] not in b"\r\n") or tail not in (b"", b"--"):
            continue
        line_end = raw.find(b"\n", end, part.end)
        position = line_end = part.end if line_end < 0 else line_end + 1
        if opened is not None:
            spans.append((opened, _before_line_end(raw, opened, start)))
        elif closed:
            note("boundary:after-close")
        closed = tail == b"--"
        opened = None if closed else line_end
    if opened is not None:
        note("boundary:unclosed")
        spans.append((opened, part.end))
    return spans


def _before_line_end(raw: bytes, start: int, position: int) -> int:
    """Exclude the line break before a boundary, which belongs to the boundary (RFC 2046)."""
    if position > start and raw[position - 1 : position] == b"\n":
        position -= 1
    if position > start and raw[position - 1 : position] == b"\r":
        position -= 1
    return position


def parameters(value: bytes, note: Note) -> tuple[str, dict[str, str]]:
    """Split a structured header into value and parameters, joining continuations (RFC 2231)."""
    text = decode(value[:MAX_VALUE], "utf-8", note)
    head, _, rest = text.partition(";")
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    position = 0
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if match is None:
            skipped = _NO_PARAMETER.match(rest, position)
            position = skipped.end() if skipped else len(rest)
            continue
        position = match.end()
        name, content = match.group(1).lower(), match.group(2).strip()
        if content.startswith('"'):
            content = re.sub(r"\\(.)", r"\1", content.strip('"')) if "\\" in content else \
                content[1:].removesuffix('"')  # fmt: skip
        continued = re.fullmatch(r"([^*]+)\*(\d{1,3})?(\*)?", name)
        if continued and (continued.group(2) or not continued.group(3)):
            index = int(continued.group(2) or 0)
            extended = bool(continued.group(3)) or continued.group(2) is None
            pieces.setdefault(continued.group(1), {})[index] = (content, extended)
        else:
            plain.setdefault(name, content)
    result = {name: words(content, note) if "=?" in content else content
              for name, content in plain.items()}  # fmt: skip
    for name, numbered in pieces.items():
        result[name] = _joined(numbered, note)
    return head.strip(" \t\"'"), result


def _joined(numbered: dict[int, tuple[str, bool]], note: Note) -> str:
    charset: str | None = None
    data = b""
    escaped = ""  # decoded together, because some software splits a name inside an escape
    for position, index in enumerate(sorted(numbered)):
        content, extended = numbered[index]
        if extended:
            if position == 0 and content.count("'") >= 2:
                charset, _, content = content.split("'", 2)
            escaped += content
        else:
            data += unquote_to_bytes(escaped) + content.encode("utf-8", "replace")
            escaped = ""
    text = decode(data + unquote_to_bytes(escaped), charset or None, note)
    return words(text, note) if "=?" in text else text


def words(text: str, note: Note) -> str:
    """Decode encoded words (RFC 2047); adjacent ones in the same charset are joined first, because
    some software splits them inside a character."""
    out: list[str] = []
    pending: tuple[str, bytes] | None = None
    position = 0
    for match in _ENCODED_WORD.finditer(text):
        between = text[position : match.start()]
        position = match.end()
        charset, data = match.group(1).lower(), _word(match.group(2), match.group(3), note)
        if pending is not None:
            if not between.strip() and pending[0] == charset and not _is_stateful(charset):
                pending = (charset, pending[1] + data)
                continue
            out.append(decode(pending[1], pending[0], note))
            pending = None
            between = between if between.strip() else ""
        out.append(between)
        pending = (charset, data)
    if pending is not None:
        out.append(decode(pending[1], pending[0], note))
    out.append(text[position:])
    return "".join(out)


def _is_stateful(charset: str) -> bool:
    return charset.startswith(("iso-2022", "utf-7", "hz", "utf-16"))


def _word(encoding: str, content: str, note: Note) -> bytes:
    data = content.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(data.replace(b" ", b"_"), header=True)
    return from_base64(data, note)


def header_text(value: bytes | None, note: Note) -> str:
    """Decode an unstructured header to one line of text."""
    if not value:
        return ""
    if len(value) > MAX_VALUE:
        note("header:too-long")
        value = value[:MAX_VALUE]
    text = decode(value, "utf-8", note)
    if "=?" in text:
        text = words(text, note)
    return one_line(text)


def one_line(text: str) -> str:
    """Remove control and direction characters and collapse white space."""
    return " ".join(_CONTROL.sub(" ", text).split())
