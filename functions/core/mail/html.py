"""Convert the HTML of a mail to lines of text, each with its role according to the markup.

A linear tag scanner rather than a tree parser: large mails with unclosed or deeply nested elements
cost no more than others, and nothing in the markup is executed or fetched.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum

from functions.core.mail import introductions

MAX_HTML = 2_000_000
MAX_OPEN = 2_000
MAX_QUOTE_DEPTH = 20


class Kind(Enum):
    """The role of a line according to the markup."""

    TEXT = "text"
    QUOTE = "quote"
    """Inside a quotation; the line begins with `> `."""
    INTRODUCTION = "introduction"
    """The line above a quotation with its author and date."""
    HISTORY = "history"
    """Inside the container of an earlier message."""
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text without a line break."""

    text: str
    kind: Kind = Kind.TEXT


_PIECE_AFTER_COMMENTS = re.compile(r"<[!?][^>]*(?:>|\Z)|</?[a-zA-Z][^<>]*>?|[^<]+|<")
_PIECE = re.compile(rf"<!--(?:-?>|.*?--!?>)|{_PIECE_AFTER_COMMENTS.pattern}", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:_-]*)")
_ATTRIBUTE = re.compile(r"""([a-zA-Z_:][\w:.-]{0,60})\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_SPACES = re.compile(r"[ \t\r\n\f]+")

_VOID = frozenset(
    [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr",
    ]
)  # fmt: skip
_BLOCK = frozenset(
    [
        "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt",
        "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li",
        "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
    ]
)  # fmt: skip
_SPACED = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"]
)
_HIDDEN = frozenset(["head", "script", "style", "title", "template", "svg", "math", "select"])
_RAW = frozenset({"script", "style"})
_IN_HEAD = frozenset(
    ["base", "head", "html", "link", "meta", "noscript", "script", "style", "template", "title"]
)
"""Any other element ends an unclosed head (HTML standard, "in head")."""
_NO_TITLE = frozenset({"body", "div", "head", "html", "p", "span", "table"})
"""A title has no elements; these end an unclosed one."""

# Names that mail clients give to the container of an earlier message.
_HISTORY_FROM_HERE = re.compile(r"divrplyfwdmsg|appendonsend|replysplit", re.IGNORECASE)
_HISTORY_ID = re.compile(
    r"mail-editor-reference-message|isforwardcontent"
    r"|yahoo_quoted|reply-?intro$|original-content|ms-outlook-mobile-reference"
    r"|bloop_customfont_quote|olk_src_body_section|mimequote",
    re.IGNORECASE,
)
_HISTORY_CLASS = re.compile(
    r"yahoo_quoted|ydp\w*yahoo_quoted|moz-forward-container"
    r"|ms-outlook-mobile-reference-message|freshdesk_quote|history_container|sh-quoted-content"
    r"|ntes-mailmaster-quote|js-helper js-readmsg-msg"
    r"|xm_mail_oringinal_describe|outlookmessageheader|gmail_extra_forward|hey-quote"
    r"|wiseStampQuote|airmail_ext_on|mailplane_quote|__aliyun_previous|zendesk-quote",
    re.IGNORECASE,
)
_INTRODUCTION_CLASS = re.compile(
    r"gmail_attr|moz-cite-prefix|moz-email-headers-table|protonmail_quote_header|sh-quoted-date"
    r"|airmail_on|quote-?header|cite-?prefix",
    re.IGNORECASE,
)
_QUOTE_CLASS = re.compile(r"gmail_quote|moz-cite|zmail|quote|cite", re.IGNORECASE)
_BY_CLIENT = re.compile(r"gmail_quote|moz-cite|zmail", re.IGNORECASE)
_QUOTE_BORDER = re.compile(r"solid|px|pt")
_QUOTE_MARGIN = re.compile(r"0(px|pt)?\s+0(px|pt)?\s+0(px|pt)?\s+[\d.]+(ex|em|px|pt)")
_NO_SIZE = re.compile(r"(?:0*\.?0+)(?:[a-z]{1,4}|%)?")
_OWN_SIZE = re.compile(
    r"(?:\d*\.)?\d+(?:px|pt|pc|rem|vw|vh|cm|mm|in)|(?:x+-)?(?:small|large)|medium"
)
_SIGNATURE_NAME = re.compile(
    r"gmail_signature|moz-signature|ms-outlook-mobile-signature|applemailsignature"
    r"|protonmail_signature_block|__aliyun_signature_wrap|zmail_signature|x_?signature$|^signature$"
    r"|mobile-?signature|tutanota_signature|_?foxmail_?sign|fmsigsep|ntes-signature|mail-?signature"
    r"|sh-signature|email_signature|xmail_signature|spark_signature|bloop_sign|yahoo-signature"
    r"|ydp\w*signature|stationerysign|mailmastersign",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Open:
    name: str
    hidden: bool = False
    unseen: bool | None = None
    quote: bool = False
    own_from: int = -1
    """The first line of a styled quotation that the writer announced, so it may be their own."""
    kind: Kind | None = None
    href: str = ""
    href_from: int = 0
    ordered: int = -1
    preformatted: bool = False


class _Reader:
    def __init__(self, *, even_hidden: bool = False) -> None:
        self.even_hidden = even_hidden
        self.lines: list[TextLine] = []
        self.open: list[_Open] = []
        self.names: Counter[str] = Counter()
        self.words: list[str] = []
        self.hidden = 0
        self.unseen: list[bool] = []
        """True for each open element that hides its text; one inside it may show its own."""
        self.quotes = 0
        self.has_quotes = False
        self.own: list[tuple[int, int]] = []
        self.kinds: list[Kind] = []
        self.lists: list[_Open] = []
        self.preformatted = 0
        self.blank_wanted = False
        self.history = False

    def text(self, data: str) -> None:
        if self.names["head"] and data.strip() and self.open[-1].name == "head":
            self.close(self.open.pop())
        if self.hidden or (self.unseen and self.unseen[-1]):
            return
        if "&" in data:
            data = _unescape(data)
        data = data.replace("\xa0", " ")
        if self.preformatted:
            first, *others = data.replace("\r\n", "\n").split("\n")
            self.words.append(first)
            for other in others:
                self.end_line()
                self.words.append(other)
            return
        data = _SPACES.sub(" ", data)
        if data == " " and (not self.words or self.words[-1].endswith(" ")):
            return
        if data:
            self.words.append(data)

    def end_line(self, blank: bool = False) -> None:
        """End the current line; `blank` adds an empty line before the next text."""
        line = "".join(self.words).rstrip()
        self.words.clear()
        if not self.preformatted:
            line = line.lstrip(" ") if not line.startswith("  ") else line
        if line:
            if self.blank_wanted and self.lines and self.lines[-1].text.strip("> "):
                self.add("")
            self.blank_wanted = False
            self.add(line)
        if blank:
            self.blank_wanted = True

    def empty_line(self) -> None:
        if self.lines and self.lines[-1].text.strip("> "):
            self.add("")

    def add(self, line: str) -> None:
        default = Kind.HISTORY if self.history else Kind.TEXT
        kind = self.kinds[-1] if self.kinds else Kind.QUOTE if self.quotes else default
        self.has_quotes = self.has_quotes or kind is not Kind.TEXT
        depth = min(self.quotes, MAX_QUOTE_DEPTH)
        self.lines.append(TextLine(("> " * depth + line).rstrip() if depth else line, kind))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.names["head"] and name == "head":
            return
        self.end_unclosed(name)
        if name in {"br", "hr", "img"}:
            if not self.hidden:
                self.void(name, attributes)
            return
        if name in {"td", "th"} and self.words and not self.words[-1].endswith(" "):
            self.words.append(" ")
        if name in _BLOCK:
            self.end_line(blank=name in _SPACED)
        if name in _VOID or len(self.open) >= MAX_OPEN:
            return
        entry = _Open(name)
        self.classify(entry, attributes)
        if name == "a":
            entry.href, entry.href_from = attributes.get("href", "").strip(), len(self.words)
        if name == "pre" or (name == "body" and "pre-wrap" in attributes.get("style", "")):
            entry.preformatted = name == "pre"
            self.preformatted += entry.preformatted
        if name in {"ul", "ol"}:
            entry.ordered = 0 if name == "ol" else -1
            self.lists.append(entry)
        if name == "li":
            self.item()
        self.open.append(entry)
        self.names[name] += 1

    def end_unclosed(self, name: str) -> None:
        """End the title and head that an element cannot be in."""
        if self.names["title"] and name in _NO_TITLE:
            self.end("title")
        if self.names["head"] and name not in _IN_HEAD:
            self.end("head")

    def void(self, name: str, attributes: dict[str, str]) -> None:
        if name == "img":
            self.image(attributes)
        elif name == "hr":
            self.end_line()
            self.add("_" * 32)
        elif self.words:
            self.end_line()
        else:
            self.empty_line()

    def item(self) -> None:
        indent = "  " * (min(len(self.lists), 10) - 1)
        if self.lists and self.lists[-1].ordered >= 0:
            self.lists[-1].ordered += 1
            self.words.append(f"{indent}{self.lists[-1].ordered}. ")
        else:
            self.words.append(f"{indent}- ")

    def image(self, attributes: dict[str, str]) -> None:
        label = " ".join(_unescape(attributes.get("alt", "")).split())
        if label and len(label) <= 200 and attributes.get("width") not in {"0", "1"}:
            self.words.append(f"[{label}]")

    def classify(self, entry: _Open, attributes: dict[str, str]) -> None:
        names = f"{attributes.get('class', '')} {attributes.get('name', '')}".strip()[:_MAX_NAMES]
        identity = attributes.get("id", "")[:_MAX_NAMES]
        style = _declarations(attributes.get("style", ""))
        if identity and _HISTORY_FROM_HERE.search(identity):
            self.end_line()
            self.history = True
        entry.hidden = entry.name in _HIDDEN or (_is_hidden(style) and not self.even_hidden)
        entry.unseen = None if self.even_hidden else _is_unseen(style)
        if entry.unseen is not None:
            self.unseen.append(entry.unseen)
        if entry.name == "blockquote":
            quote = _is_quote(names, identity, style, attributes)
            entry.quote = self.is_introduced() if quote is None else quote
            by_client = _BY_CLIENT.search(names) or "type" in attributes or "cite" in attributes
            if quote and not by_client and self.is_announced():
                entry.own_from = len(self.lines)
        elif entry.name in _BLOCK or entry.name in {"span", "font", "o:p", "hr", "td"}:
            entry.kind = _kind(names, identity)
            bordered = any(name.startswith("border-left") for name in style)
            entry.quote = entry.kind is None and names == "quote" and bordered
        if entry.hidden:
            self.hidden += 1
        if entry.quote:
            self.quotes += 1
        if entry.kind is not None:
            if entry.name not in _BLOCK:
                self.end_line()
            self.kinds.append(entry.kind)

    def is_announced(self) -> bool:
        """Return whether the line above ends with a colon but introduces nobody's message."""
        above = next((line.text for line in reversed(self.lines[-6:]) if line.text), "")
        announced = above.rstrip().endswith((":", "：")) and not self.has_quotes
        return announced and not self.is_introduced()

    def is_introduced(self) -> bool:
        """Return whether the lines above introduce a quotation: "On Monday, NAME wrote:"."""
        above: list[str] = []
        for line in reversed(self.lines[-6:]):
            if len(line.text) > introductions.MAX_LENGTH:
                break
            if line.text:
                above.insert(0, line.text)
                if len(above) <= 3 and introductions.is_introduction(" ".join(above), quotes=True):
                    return True
        return False

    def end(self, name: str) -> None:
        if not self.names[name]:
            return
        for back in range(1, min(len(self.open), 100) + 1):
            if self.open[-back].name == name:
                break
        else:
            return
        if name == "a":
            self.link(self.open[-back])
        if name in _BLOCK:
            self.end_line(blank=name in _SPACED)
        for _ in range(back):
            self.close(self.open.pop())

    def close(self, entry: _Open) -> None:
        self.names[entry.name] -= 1
        if entry.hidden:
            self.hidden -= 1
        if entry.unseen is not None:
            self.unseen.pop()
        if entry.kind is not None:
            self.end_line()
            self.kinds.pop()
        if entry.quote:
            self.end_line()
            self.quotes -= 1
            if entry.own_from >= 0:
                self.own.append((entry.own_from, len(self.lines)))
        if entry.ordered >= 0 or entry.name == "ul":
            self.lists.pop()
        if entry.preformatted:
            self.preformatted -= 1

    def unquote_own(self) -> None:
        """Turn an announced quotation with text below it into the writer's own lines."""
        for start, end in self.own:
            if any(line.text and line.kind is Kind.TEXT for line in self.lines[end:]):
                self.lines[start:end] = [
                    TextLine(line.text.removeprefix(">").removeprefix(" "))
                    if line.kind is Kind.QUOTE else line for line in self.lines[start:end]
                ]  # fmt: skip

    def link(self, entry: _Open) -> None:
        address = _unescape(entry.href)
        if self.hidden or len(self.words) - entry.href_from > _MAX_LABEL:
            return
        if not re.match(r"(https?|ftp|tel|mailto):", address, re.IGNORECASE):
            return
        label = "".join(self.words[entry.href_from :]).strip()
        bare = re.sub(r"^(https?://|mailto:|tel:)", "", address).rstrip("/")
        if not label or len(address) > 500 or bare in label or bare.startswith("www." + label):
            return
        if _SPACES.sub("", label).rstrip("/") not in {bare, address}:
            shown = re.sub(r"^mailto:([^?]*).*", r"\1", address, flags=re.IGNORECASE)
            self.words.append(f" <{shown}>")


_MAX_NAMES = 300
_MAX_LABEL = 200
"""A link around more pieces of text than this is no label of its address."""


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a number of more digits than Python converts
        return text


def _declarations(style: str) -> dict[str, str]:
    """The declarations of a style attribute, in lowercase."""
    if not style:
        return {}
    pairs = (part.partition(":") for part in style.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def _is_hidden(style: dict[str, str]) -> bool:
    return style.get("display") == "none" or style.get("mso-hide") == "all"


def _is_unseen(style: dict[str, str]) -> bool | None:
    """Return whether a style makes text unseen or seen again; None if it leaves it as it is.

    A size relative to the parent's leaves it as it is.
    """
    visibility = style.get("visibility")
    font = style.get("font", "").partition("/")[0].rpartition(" ")[2]
    size = (style.get("font-size") or font)[:20]
    if visibility in {"hidden", "collapse"} or (size and _NO_SIZE.fullmatch(size)):
        return True
    return False if visibility == "visible" or _OWN_SIZE.fullmatch(size) else None


def _is_quote(
    names: str, identity: str, style: dict[str, str], attributes: dict[str, str]
) -> bool | None:
    """Return whether a blockquote is a quotation; None if it depends on the lines above.

    Mail clients also use blockquotes to indent the writer's own paragraphs.
    """
    if attributes.get("type", "").lower() == "cite" or "cite" in attributes:
        return True
    if identity.lower() in {"isreplycontent", "replybody"} or _QUOTE_CLASS.search(names):
        return True
    if style.get("border") == "none" or "40px" in style.get("margin", "").split():
        return False
    border = style.get("border", "") + style.get("border-left", "")
    is_styled = _QUOTE_BORDER.search(border) or _QUOTE_MARGIN.fullmatch(style.get("margin", ""))
    return True if is_styled else None


def _kind(names: str, identity: str) -> Kind | None:
    if not names and not identity:
        return None
    if _INTRODUCTION_CLASS.search(names):
        return Kind.INTRODUCTION
    if _SIGNATURE_NAME.search(names) or _SIGNATURE_NAME.search(identity):
        return Kind.SIGNATURE
    if _HISTORY_CLASS.search(names) or _HISTORY_ID.search(identity):
        return Kind.HISTORY
    return None


def lines(document: str) -> list[TextLine]:
    """Convert an HTML document to lines, in time linear in its length.

    Lists get dashes or numbers, links their address, images their description, quotations `> `.
    """
    document = document[:MAX_HTML]
    reader = _Reader()
    _read(reader, document)
    if not any(line.text for line in reader.lines):
        # A style hides all of it, or an element is not closed: losing the text is worse.
        reader = _Reader(even_hidden=True)
        _read(reader, document)
    return reader.lines


def _read(reader: _Reader, document: str) -> None:
    last_comment_end = max(document.rfind("-->"), document.rfind("--!>"))
    unclosed: set[str] = set()
    position = 0
    while position < len(document):
        pattern = _PIECE if position < last_comment_end else _PIECE_AFTER_COMMENTS
        match = pattern.match(document, position)
        if match is None:
            break
        position = match.end()
        piece = match.group()
        if piece[0] != "<":
            reader.text(piece)
        elif piece == "<":
            reader.text("&lt;")
        elif tag := _TAG.match(piece):
            if "@" in piece and ("=" not in piece or not piece.endswith(">")):
                # An unescaped address: <someone@example.com>
                reader.text(html.escape(piece))
                continue
            name = tag.group(2).lower()
            empty = piece.endswith("/>")
            if tag.group(1):
                reader.end(name)
            elif name in _RAW:
                if not empty and name not in unclosed:
                    position = _after_raw(document, name, position, unclosed)
            else:
                reader.start(name, _attributes(piece[tag.end() :]))
                if empty and reader.open and reader.open[-1].name == name and (
                    ":" in name or reader.open[-1].hidden
                ):  # fmt: skip
                    reader.end(name)
    reader.end_line()
    reader.unquote_own()
    while reader.lines and not reader.lines[-1].text:
        reader.lines.pop()


def _after_raw(document: str, name: str, position: int, unclosed: set[str]) -> int:
    """The position after the content of a script or style; an unclosed one ends at the next tag."""
    end = re.compile(f"</{name}", re.IGNORECASE).search(document, position)
    if end is None:
        unclosed.add(name)
        end = re.compile(r"<(?=[/a-zA-Z])").search(document, position)
    return end.start() if end else len(document)


def _attributes(text: str) -> dict[str, str]:
    if "=" not in text:
        return {}
    return {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(text[:8000])}


def to_text(document: str) -> str:
    return "\n".join(line.text for line in lines(document))
