"""Convert the HTML of a mail to lines of text, each with its role according to the markup.

A linear tag scanner rather than a tree parser: large mails with unclosed or deeply nested elements
cost no more than others, and nothing in the markup is executed or fetched.
"""

import html
import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum

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


_PIECE = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)|</?[a-zA-Z][^<>]*>?|[^<]+|<", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:_-]*)")
_ATTRIBUTE = re.compile(r"""([a-zA-Z_:][\w:.-]{0,60})\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_SPACES = re.compile(r"[ \t\r\n\f]+")

_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_BLOCK = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_SPACED = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"]
)
_HIDDEN = frozenset(
    ["head", "script", "style", "title", "template", "noscript", "object", "svg", "math", "select"]
)
_RAW = frozenset({"script", "style"})

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
_QUOTE_STYLE = re.compile(
    r"border(-left)?\s*:[^;]*(solid|px|pt)|margin[^;]*:\s*0(px|pt)?\s+0(px|pt)?\s+0(px|pt)?\s+[\d.]+"
    r"(ex|em|px|pt)",
    re.IGNORECASE,
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
    quote: bool = False
    kind: Kind | None = None
    href: str = ""
    href_from: int = 0
    ordered: int = -1
    preformatted: bool = False


class _Reader:
    def __init__(self) -> None:
        self.lines: list[TextLine] = []
        self.open: list[_Open] = []
        self.names: Counter[str] = Counter()
        self.words: list[str] = []
        self.hidden = 0
        self.quotes = 0
        self.kinds: list[Kind] = []
        self.lists: list[_Open] = []
        self.preformatted = 0
        self.blank_wanted = False
        self.history = False

    def text(self, data: str) -> None:
        if self.hidden:
            return
        if "&" in data:
            data = html.unescape(data)
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
        depth = min(self.quotes, MAX_QUOTE_DEPTH)
        self.lines.append(TextLine(("> " * depth + line).rstrip() if depth else line, kind))

    def start(self, name: str, attributes: dict[str, str]) -> None:
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
        label = " ".join(html.unescape(attributes.get("alt", "")).split())
        if label and len(label) <= 200 and attributes.get("width") not in {"0", "1"}:
            self.words.append(f"[{label}]")

    def classify(self, entry: _Open, attributes: dict[str, str]) -> None:
        names = f"{attributes.get('class', '')} {attributes.get('name', '')}".strip()
        identity, style = attributes.get("id", ""), attributes.get("style", "")
        if identity and _HISTORY_FROM_HERE.search(identity):
            self.end_line()
            self.history = True
        entry.hidden = entry.name in _HIDDEN or _is_hidden(style)
        if entry.name == "blockquote":
            quote = _is_quote(names, identity, style, attributes)
            above = next((line.text for line in reversed(self.lines) if line.text), "")
            entry.quote = above.rstrip().endswith((":", "：")) if quote is None else quote
        elif entry.name in _BLOCK or entry.name in {"span", "font", "o:p", "hr", "td"}:
            entry.kind = _kind(names, identity)
            if entry.kind is None and names == "quote" and "border-left" in style:
                entry.quote = True
        if entry.hidden:
            self.hidden += 1
        if entry.quote:
            self.quotes += 1
        if entry.kind is not None:
            if entry.name not in _BLOCK:
                self.end_line()
            self.kinds.append(entry.kind)

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
        if entry.kind is not None:
            self.end_line()
            self.kinds.pop()
        if entry.quote:
            self.end_line()
            self.quotes -= 1
        if entry.ordered >= 0 or entry.name == "ul":
            self.lists.pop()
        if entry.preformatted:
            self.preformatted -= 1

    def link(self, entry: _Open) -> None:
        address = html.unescape(entry.href)
        if self.hidden or not re.match(r"(https?|ftp|tel|mailto):", address, re.IGNORECASE):
            return
        label = "".join(self.words[entry.href_from :]).strip()
        bare = re.sub(r"^(https?://|mailto:|tel:)", "", address).rstrip("/")
        if not label or len(address) > 500 or bare in label or bare.startswith("www." + label):
            return
        if _SPACES.sub("", label).rstrip("/") not in {bare, address}:
            shown = re.sub(r"^mailto:([^?]*).*", r"\1", address, flags=re.IGNORECASE)
            self.words.append(f" <{shown}>")


def _is_hidden(style: str) -> bool:
    return bool(style) and bool(
        re.search(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(px|pt)?\s*(;|$)"
                  r"|mso-hide\s*:\s*all", style, re.IGNORECASE)
    )  # fmt: skip


def _is_quote(names: str, identity: str, style: str, attributes: dict[str, str]) -> bool | None:
    """Whether a blockquote is a quotation; None if it depends on the line above.

    Mail clients also use blockquotes to indent the writer's own paragraphs.
    """
    if attributes.get("type", "").lower() == "cite" or "cite" in attributes:
        return True
    if identity.lower() in {"isreplycontent", "replybody"} or _QUOTE_CLASS.search(names):
        return True
    if re.search(r"border\s*:\s*none|40px", style):
        return False
    return True if _QUOTE_STYLE.search(style) else None


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
    reader = _Reader()
    document = document[:MAX_HTML]
    position = 0
    while match := _PIECE.match(document, position):
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
            if tag.group(1):
                reader.end(name)
            elif name in _RAW:
                end = re.compile(f"</{name}", re.IGNORECASE).search(document, position)
                position = end.start() if end else len(document)
            else:
                reader.start(name, _attributes(piece[tag.end() :]))
                if piece.endswith("/>") and ":" in name:
                    reader.end(name)
    reader.end_line()
    while reader.lines and not reader.lines[-1].text:
        reader.lines.pop()
    return reader.lines


def _attributes(text: str) -> dict[str, str]:
    if "=" not in text:
        return {}
    return {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(text[:8000])}


def to_text(document: str) -> str:
    """Convert an HTML document to text."""
    return "\n".join(line.text for line in lines(document))
