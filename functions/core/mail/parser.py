"""Parse a raw mail into an `InboundMail`.

`parse` never raises, whatever the input, and runs in time and memory linear in the mail's size.
`mime` reads the structure, `charsets` decodes, `html` and `tnef` extract text, `replies` finds the
newly written part, and `origin` tells people from machines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from functions.core.mail import addresses, html, mime, origin, replies
from functions.core.mail.charsets import codec_for, decode
from functions.core.mail.html import Kind, TextLine
from functions.core.mail.origin import BounceReport, Origin
from functions.core.mail.replies import strip_reply

__all__ = ["InboundMail", "MailAttachment", "parse", "strip_reply"]

MAX_TEXT = 1_000_000
MAX_DEFECTS = 50


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """A file attached to a mail.

    `name` contains no folders or control characters, `content_type` is the sender's claim in
    lowercase, `size` is the length of `content` in bytes.
    """

    name: str
    content_type: str
    size: int
    content: bytes


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A parsed mail.

    Message ids have no angle brackets; addresses are lowercase. `to` combines To, Cc and the
    headers of delivering servers (Delivered-To, X-Original-To). `text` is the newly written part of
    `full_text`. `defects` are stable codes of the repairs that were necessary.
    """

    message_id: str
    from_address: str
    from_name: str
    to: tuple[str, ...]
    subject: str
    text: str
    full_text: str
    attachments: tuple[MailAttachment, ...]
    origin: Origin
    in_reply_to: str | None
    references: tuple[str, ...]
    defects: tuple[str, ...]
    reply_to: str = ""
    """The first Reply-To address, or empty."""
    returned: BounceReport | None = None
    """The report in a bounce or complaint about the original mail."""
    own_id: str = ""
    """The value of X-Deskbell-Id, which marks Deskbell's own mail, or empty."""


class _Defects:
    def __init__(self) -> None:
        self.codes: dict[str, None] = {}

    def __call__(self, code: str) -> None:
        if len(self.codes) < MAX_DEFECTS:
            self.codes.setdefault(code)


def parse(raw: bytes) -> InboundMail:
    """Parse a raw mail (RFC 5322 and MIME); never raises.

    `defects` lists every repair: ``charset:guessed:<codec>``, ``charset:damaged:<codec>``,
    ``charset:half-character``, ``charset:unknown``, ``encoding:…``, ``header:…``,
    ``boundary:missing|guessed|unclosed|after-close``, ``structure:depth|parts``,
    ``from:missing|…``, ``tnef…``, ``text:…``.
    """
    note = _Defects()
    try:
        return _parse(bytes(raw), note)
    except Exception:
        note("parse:failed")
        text = bytes(raw)[:MAX_TEXT].decode("utf-8", "replace").replace("\x00", "")
        return InboundMail("", "", "", (), "", text, text, (), "human", None, (), tuple(note.codes))


def _parse(raw: bytes, note: _Defects) -> InboundMail:
    root = mime.read(raw, note)
    _unify_headers(root, note)
    content = _Content(note)
    content.read(root)
    from_name, from_address = addresses.sender(root, note)
    subject = mime.header_text(root.header("subject"), note)
    full_lines = content.lines()
    full_text = _tidy("\n".join(line.text for line in full_lines))
    verdict = origin.recognise(root, from_address, subject, full_text, note)
    ids = [*addresses.message_ids(root.all("references"))]
    replied_to = addresses.message_ids(root.all("in-reply-to"))
    return InboundMail(
        message_id=next(iter(addresses.message_ids(root.all("message-id"))), ""),
        from_address=from_address,
        from_name=from_name,
        to=tuple(addresses.recipients(root, note)),
        subject=subject,
        text=content.reply(full_text),
        full_text=full_text,
        attachments=tuple(content.attachments),
        origin=verdict.origin,
        in_reply_to=replied_to[0] if replied_to else None,
        references=tuple(dict.fromkeys([*ids, *replied_to[1:]])),
        defects=tuple(note.codes),
        reply_to=next((a for _, a in addresses.mailboxes(root.all("reply-to"), note)), ""),
        returned=verdict.returned,
        own_id=next(iter(addresses.message_ids(root.all("x-deskbell-id"))), ""),
    )


def _unify_headers(root: mime.Part, note: _Defects) -> None:
    """Convert raw 8-bit headers, which RFC 5322 forbids, to UTF-8 by the body's charset."""
    if all(value.isascii() for _, value in root.headers):
        return
    note("header:8-bit")
    hint = _first_charset(root)
    for index, (name, value) in enumerate(root.headers):
        if not value.isascii():
            text = decode(value[: mime.MAX_VALUE], hint, note)
            root.headers[index] = (name, text.encode("utf-8", "replace"))


def _first_charset(root: mime.Part) -> str | None:
    part = root
    while part.children:
        part = part.children[0]
    declared = part.parameters.get("charset", "")
    codec = codec_for(declared) if declared else None
    return declared if codec not in {None, "utf-8", "cp1252"} else None


# --- text and attachments -------------------------------------------------------------------


@dataclass(slots=True)
class _Segment:
    """A part of the visible mail as plain text, HTML or both."""

    plain: str | None = None
    html: str | None = None


class _Content:
    """Collects visible text and attachments from the parts in reading order."""

    def __init__(self, note: _Defects) -> None:
        self.note = note
        self.root: mime.Part | None = None
        self.segments: list[_Segment] = []
        self.attachments: list[MailAttachment] = []
        self.calendar: list[str] = []
        self.forwarded: list[mime.Part] = []
        self.budget = MAX_TEXT
        self.has_text = False
        self._rendered: list[tuple[list[TextLine], list[TextLine] | None]] | None = None

    def read(self, part: mime.Part) -> None:
        self.root = part
        self.segments.extend(self.visible(part, is_body=part.disposition != "attachment"))

    def visible(self, part: mime.Part, *, is_body: bool = False) -> list[_Segment]:
        """The visible text of a part; `is_body` if it is the mail's text, whatever its name."""
        kind = part.content_type
        if kind.startswith("multipart/") and part.children:
            if kind == "multipart/alternative":
                return self.alternative(part)
            if kind == "multipart/related":
                return self.related(part)
            if kind == "multipart/encrypted":
                self.note("encrypted")
            return [segment for child in part.children for segment in self.visible(child)]
        if kind.startswith("multipart/"):
            self.attach(part)
            return []
        return self.leaf(part, is_body=is_body)

    def alternative(self, part: mime.Part) -> list[_Segment]:
        chosen = _Segment()
        for child in part.children:
            for segment in self.visible(child, is_body=child.disposition != "attachment"):
                if segment.plain is not None:
                    chosen.plain = _joined(chosen.plain, segment.plain)
                if segment.html is not None:
                    chosen.html = _joined(chosen.html, segment.html)
        return [chosen] if chosen.plain is not None or chosen.html is not None else []

    def related(self, part: mime.Part) -> list[_Segment]:
        start = part.parameters.get("start", "").strip("<> ")
        root = next(
            (c for c in part.children if start and _content_id(c) == start), part.children[0]
        )
        segments = self.visible(root, is_body=root.disposition != "attachment")
        for child in part.children:
            if child is not root:
                if not segments and child.content_type.startswith(("text/", "multipart/")):
                    segments = self.visible(child)
                else:
                    self.attach_all(child)
        return segments

    def attach_all(self, part: mime.Part) -> None:
        if part.children:
            for child in part.children:
                self.attach_all(child)
        else:
            self.attach(part)

    def leaf(self, part: mime.Part, *, is_body: bool) -> list[_Segment]:
        kind = part.content_type
        named = self.name_of(part)
        is_file = not is_body and (
            part.disposition == "attachment" or (bool(named) and self.has_text)
        )
        if kind == "message/rfc822" or kind == "message/global":
            self.forwarded.append(part)
            self.attach(part)
        elif kind in {"text/plain", "text/html", "text/enriched"} and not is_file:
            if named and kind == "text/html" and not is_body:
                self.attach(part)  # it may be the text as well as a file
            return self.text(part)
        elif kind == "text/calendar":
            self.calendar.append(part.text(self.note, MAX_TEXT))
            self.attach(part)
        elif kind == "application/ms-tnef" or named.lower() == "winmail.dat":
            return self.tnef(part)
        elif kind != "text/x-amp-html":
            self.attach(part)
        return []

    def text(self, part: mime.Part) -> list[_Segment]:
        text = part.text(self.note, MAX_TEXT)
        if len(text) > self.budget:
            self.note("text:cut")
            self.attach(part)
            text = text[: self.budget]
        self.budget -= len(text)
        self.has_text = self.has_text or bool(text.strip())
        if part.content_type == "text/html":
            return [_Segment(html=text)]
        if part.content_type == "text/enriched":
            text = re.sub(r"</?[A-Za-z-]{1,60}>", "", text)
        if part.parameters.get("format", "").lower() == "flowed":
            text = _unflow(text, part.parameters.get("delsp", "").lower() == "yes")
        if "\nbegin " in f"\n{text}":
            text = self.uuencoded(text)
        return [_Segment(plain=text)]

    def uuencoded(self, text: str) -> str:
        """Extract uuencoded files from the text."""

        def extract(match: re.Match[str]) -> str:
            content = mime.from_uuencode(match.group().encode("ascii", "replace"), self.note)
            name = _safe_name(match.group(1)) or f"attachment-{len(self.attachments) + 1}"
            self.add(name, "application/octet-stream", content)
            return ""

        return re.sub(
            r"^begin [0-7]{3,4} (\S[^\n]{0,200})\n(?:[!-`][ -`]{0,90}\n)+(?:[` ]?\n)?end$",
            extract, text, flags=re.MULTILINE,
        )  # fmt: skip

    def tnef(self, part: mime.Part) -> list[_Segment]:
        from functions.core.mail import tnef

        self.note("tnef")
        content = part.content(self.note)
        message = tnef.read(content, self.note)
        if not message.files and not message.text and not message.html:
            self.add(self.name_of(part) or "winmail.dat", part.content_type, content)
            return []
        for name, data in message.files:
            safe = _safe_name(name) or f"attachment-{len(self.attachments) + 1}"
            self.add(safe, _type_by_name(safe), data)
        if any(segment.plain or segment.html for segment in self.segments):
            return []
        if message.text or message.html:
            return [_Segment(plain=message.text or None, html=message.html or None)]
        return []

    def attach(self, part: mime.Part) -> None:
        content = part.content(self.note)
        kind = part.content_type
        name = self.name_of(part)
        if not content and not name:
            return
        if not name:
            name = self.default_name(part)
        self.add(name, kind, content)

    def add(self, name: str, kind: str, content: bytes) -> None:
        self.attachments.append(MailAttachment(name, kind, len(content), content))

    def name_of(self, part: mime.Part) -> str:
        for name in (part.disposition_parameters.get("filename"), part.parameters.get("name")):
            if name and (safe := _safe_name(name)):
                return safe
        return ""

    def default_name(self, part: mime.Part) -> str:
        if part.content_type.startswith("message/rfc822"):
            content = part.content(self.note)
            inner, _ = mime.headers_of(content, 0, len(content), self.note)
            subject = next((value for name, value in inner if name == "subject"), b"")
            return (_safe_name(mime.header_text(subject, self.note)[:80]) or "message") + ".eml"
        return f"attachment-{len(self.attachments) + 1}{_extension(part.content_type)}"

    # --- text ---

    def rendered(self) -> list[tuple[list[TextLine], list[TextLine] | None]]:
        """The lines of each segment, and those of its HTML version if plain text is shown."""
        if self._rendered is None:
            self._rendered = [self.render(segment) for segment in self.segments]
            if not any(line.text.strip() for shown, _ in self._rendered for line in shown):
                self._rendered.extend(self.fallback())
        return self._rendered

    def render(self, segment: _Segment) -> tuple[list[TextLine], list[TextLine] | None]:
        structured = html.lines(segment.html) if segment.html else None
        if segment.plain is None or not segment.plain.strip():
            return structured or [], None
        if structured and _is_stub(segment.plain, structured):
            return structured, None
        return [TextLine(line) for line in segment.plain.split("\n")], structured

    def fallback(self) -> Iterator[tuple[list[TextLine], list[TextLine] | None]]:
        """The text of an invitation or of an attached mail, for a mail without text."""
        for text in self.calendar[:1]:
            yield [TextLine(line) for line in _calendar_text(text)], None
        if self.root and self.root.content_type in {"text/plain", "text/html"}:
            # The only part, called an attachment.
            yield self.render(self.text(self.root)[0])
        if not self.calendar and self.forwarded and len(self.forwarded[0].raw) > 0:
            part = self.forwarded[0]
            self.note("text:of-attached-mail")
            inner = _Content(_Defects())
            inner.read(mime.read(part.content(self.note)[: 4 * MAX_TEXT], _Defects()))
            if not inner.forwarded:
                yield inner.lines(), None

    def lines(self) -> list[TextLine]:
        lines: list[TextLine] = []
        for shown, _ in self.rendered():
            if lines and shown and lines[-1].text.strip():
                lines.append(TextLine(""))
            lines.extend(shown)
        return lines

    def reply(self, full_text: str) -> str:
        """The newly written text; the whole text if nothing else is left."""
        shown = self.lines()
        new = replies.newly_written(shown)
        if len(self.rendered()) == 1 and not new.cut:
            structured = self.rendered()[0][1]
            if structured and any(line.kind is not Kind.TEXT for line in structured):
                by_markup = replies.newly_written(structured)
                if by_markup.cut and by_markup.text and not by_markup.kept_all:
                    new = by_markup
        return _tidy(new.text) or full_text


def _joined(first: str | None, second: str) -> str:
    return second if not first else f"{first}\n{second}"


def _content_id(part: mime.Part) -> str:
    return (part.header("content-id") or b"").decode("ascii", "replace").strip("<> ")


def _is_stub(plain: str, structured: list[TextLine]) -> bool:
    """Return whether the plain text only refers to the HTML version or lacks most of its text."""
    words = sum(len(line.text.split()) for line in structured)
    own = len(plain.split())
    if own >= 40 or words < 5:
        return False
    if re.search(r"\bhtml\b|不支持|無法顯示|无法显示", plain, re.IGNORECASE) and words > own / 2:
        return True
    return words > 10 + 8 * own


def _unflow(text: str, delete_space: bool) -> str:
    """Join flowed lines (RFC 3676): a trailing space continues a line of the same quote depth."""
    lines: list[list[str]] = []
    open_prefix: str | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        content = content.removeprefix(" ")
        prefix = ">" * depth + (" " if depth else "")
        is_open = content.endswith(" ") and content != "-- "
        kept = content[:-1] if is_open and delete_space else content
        if open_prefix is not None and prefix == open_prefix and content != "-- ":
            lines[-1].append(kept)
        else:
            lines.append([prefix, kept])
        open_prefix = prefix if is_open else None
    return "\n".join("".join(pieces) for pieces in lines)


def _calendar_text(text: str) -> list[str]:
    """The summary, location and description of an invitation (RFC 5545)."""
    unfolded = re.sub(r"\n[ \t]", "", text)
    pattern = r"^(SUMMARY|LOCATION|DESCRIPTION)[^:\n]{0,200}:(.*)$"
    fields = dict(reversed(re.findall(pattern, unfolded, re.MULTILINE)))
    values = [fields[name] for name in ("SUMMARY", "LOCATION", "DESCRIPTION") if fields.get(name)]
    joined = "\n".join(values).replace("\\n", "\n").replace("\\N", "\n")
    return re.sub(r"\\([,;\\])", r"\1", joined).split("\n")


def _tidy(text: str) -> str:
    """Remove trailing white space, outer empty lines, and more than two consecutive empty lines."""
    text = "\n".join(line.rstrip(" \t\xa0") for line in text.split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", text)[:MAX_TEXT].strip("\n").rstrip()


def _safe_name(name: str) -> str:
    name = mime.one_line(name).replace("\\", "/").rsplit("/", 1)[-1].strip(" .\"'<>:|?*") or ""
    stem, dot, ending = name.rpartition(".")
    if len(name) > 120:
        name = f"{stem[:100]}{dot}{ending[:15]}" if dot else name[:120]
    return name


_EXTENSIONS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/rfc822-headers": ".txt",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/feedback-report": ".txt",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "audio/mpeg": ".mp3",
    "audio/amr": ".amr",
    "video/mp4": ".mp4",
}


def _extension(kind: str) -> str:
    return _EXTENSIONS.get(kind, ".bin")


def _type_by_name(name: str) -> str:
    ending = "." + name.rpartition(".")[2].lower()
    return next((k for k, e in _EXTENSIONS.items() if e == ending), "application/octet-stream")
