"""Read addresses and message ids from headers, also from malformed ones, in linear time."""

import re
from collections.abc import Iterator

from functions.core.mail import mime
from functions.core.mail.charsets import Note, decode

MAX_ADDRESSES = 200

_ADDRESS = re.compile(
    r"""("(?:[^"\\\r\n]|\\.){1,64}"|[^\s<>"',;:()\[\]\\@]{1,128})@"""
    r"(\[[0-9a-fA-F:.]{2,60}\]|[^\s<>\"',;:()\[\]\\@]{1,255})"
)
_ENCLOSED = {
    '"': (re.compile(r'"(?:[^"\\]|\\.)*+'), '"'),
    "(": (re.compile(r"\((?:[^()\\]|\\.)*+"), ")"),
    "<": (re.compile(r"<[^>]*+"), ">"),
}
_UNENCLOSED = re.compile(r'[^,;"(<]+')
_WORDS = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]{0,2000}\?=")
_MESSAGE_ID = re.compile(rb"<\s*([^<>\s]{1,900}(?:\s+[^<>\s]{1,300}){0,3}?)\s*>")


def _split(text: str) -> Iterator[str]:
    """Split an address list at the commas and semicolons that separate mailboxes.

    A quotation mark or bracket that is never closed is an ordinary character; so are all later ones
    of its kind, which are not looked at again.
    """
    unclosed: set[str] = set()
    start = position = 0
    while position < len(text):
        character = text[position]
        if character in ",;":
            yield text[start:position].strip(" \t,;")
            start = position = position + 1
        elif character not in _ENCLOSED:
            match = _UNENCLOSED.match(text, position)
            position = match.end() if match else position + 1
        elif character in unclosed:
            position += 1
        else:
            pattern, closing = _ENCLOSED[character]
            match = pattern.match(text, position)
            end = match.end() if match else position
            if text[end : end + 1] == closing:
                position = end + 1
            else:
                if end >= len(text) - 1:
                    unclosed.add(character)
                position += 1
    yield text[start:].strip(" \t,;")


def mailboxes(values: list[bytes], note: Note) -> list[tuple[str, str]]:
    """The (name, address) of every mailbox in headers, including malformed ones."""
    found: list[tuple[str, str]] = []
    for value in values:
        if len(value) > mime.MAX_VALUE:
            note("header:too-long")
        text = decode(value[: mime.MAX_VALUE], "utf-8", note)
        if "=?" in text and "@" not in _WORDS.sub("", text):
            text = mime.words(text, note)
        for mailbox in _split(text):
            if len(found) >= MAX_ADDRESSES:
                note("header:many-addresses")
                return found
            found.extend(_mailbox(mailbox, note))
    return found


def _mailbox(text: str, note: Note) -> list[tuple[str, str]]:
    if "@" not in text:
        return []
    start = text.rfind("<")
    inside = text[start + 1 :] if start >= 0 else ""
    match = _ADDRESS.search(inside) if inside else None
    if match is None:
        matches = list(_ADDRESS.finditer(text))
        if not matches:
            return []
        if len(matches) > 1 or start >= 0:
            note("address:malformed")
        match = matches[0]
        name = text[: match.start()] + " " + text[match.end() :]
        comment = re.search(r"\(([^()]*)\)", name)
        name = comment.group(1) if comment else name
        rest = [("", _lower(other)) for other in matches[1:]]
        return [(_name(name, note), _lower(match)), *rest]
    if inside.count(">") != 1 or inside.partition(">")[2].strip(" )\"'"):
        note("address:malformed")
    return [(_name(text[:start], note), _lower(match))]


def _lower(match: re.Match[str]) -> str:
    return f"{match.group(1)}@{match.group(2).strip('.')}".strip("'").lower()


def _name(text: str, note: Note) -> str:
    text = text.strip()
    if text[:1] == '"':
        text = re.sub(r"\\(.)", r"\1", text.strip('"'))
    if "=?" in text:
        text = mime.words(text, note)
    return mime.one_line(text.strip(" \t\"'<>,;"))[:200].strip(" \t\"'")


def sender(root: mime.Part, note: Note) -> tuple[str, str]:
    """The sender's name and address; from another header if From has no address."""
    values = root.all("from")
    if len(values) > 1:
        note("from:repeated")
    senders = mailboxes(values[:1], note)
    if senders:
        if len(senders) > 1:
            note("from:several")
        return senders[0]
    note("from:missing" if not values else "from:malformed")
    name = mime.header_text(values[0], note)[:200].strip(" \t\"'<>") if values else ""
    for header in ("sender", "x-original-sender", "x-sender", "reply-to", "return-path"):
        others = mailboxes(root.all(header)[:1], note)
        if others:
            return (name or others[0][0], others[0][1])
    return name, ""


def recipients(root: mime.Part, note: Note) -> list[str]:
    headers = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")
    found = (a for header in headers for _, a in mailboxes(root.all(header), note))
    return list(dict.fromkeys(found))


def message_ids(values: list[bytes]) -> list[str]:
    """Message ids without angle brackets, in order of first appearance (RFC 5322, 3.6.4)."""
    ids: dict[str, None] = {}
    for value in values:
        tokens = _MESSAGE_ID.findall(value[: mime.MAX_VALUE])
        if not tokens and b"<" not in value:
            tokens = [token for token in value[:2000].split() if b"@" in token or len(value) < 200]
        for token in tokens:
            text = b"".join(token.split()).decode("utf-8", "replace").strip("<>,;")
            if text:
                ids.setdefault(mime.one_line(text).replace(" ", ""))
    return list(ids)[:500]
