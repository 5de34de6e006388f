"""Find the newly written text in a reply.

Each line gets a role: new, quoted, introduction of a quotation, or history. Signature, device line
and disclaimers are then removed from the new lines. The rules describe how mail clients mark these
parts in general (a date, an address and a verb before a colon; labels with values in consecutive
lines); `words` has the words of all languages.

If a mail quotes with `>`, all text between the quoted lines is a reply and stays. If it quotes
without marks, as Outlook does, everything below the introduction is history. A mail without new
text, such as a plain forward, keeps all of its text: losing text is worse than repeating it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from functions.core.mail.html import Kind, TextLine
from functions.core.mail.introductions import DATE, EDGES, is_introduction, starts, wrote
from functions.core.mail.signatures import is_rule, signature_lines
from functions.core.mail.word_lists import any_of, word_list

MAX_LINES = 5_000
MAX_LINE = 500


@dataclass(frozen=True, slots=True)
class NewlyWritten:
    """The newly written text.

    `cut` says whether history was removed; `kept_all` that there was no new text, so that all of it
    was kept.
    """

    text: str
    cut: bool = False
    kept_all: bool = False


class Role(Enum):
    """The role of a line in its mail."""

    NEW = auto()
    QUOTED = auto()
    INTRODUCTION = auto()
    HISTORY = auto()
    SIGNATURE = auto()


def strip_reply(text: str) -> str:
    """Remove quoted history, signature, disclaimer and device line from plain text.

    Replies between quoted lines stay, and text that is nothing but history is returned unchanged.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return newly_written([TextLine(line) for line in text.split("\n")]).text


def newly_written(lines: Sequence[TextLine]) -> NewlyWritten:
    """Find the new text in the lines of a mail, in time linear in their number."""
    shown = [_plain(line.text) for line in lines[:MAX_LINES]]
    roles = _roles(shown, [line.kind for line in lines[:MAX_LINES]])
    cut = any(role in {Role.QUOTED, Role.HISTORY} for role in roles)
    for start, end in _runs(roles):
        for index in signature_lines(shown, start, end):
            roles[index] = Role.SIGNATURE
    _mark_banner(shown, roles)
    new = _new_lines(lines, roles)
    new.extend(line.text for line in lines[MAX_LINES:] if not cut)
    text = _folded(new)
    if text:
        return NewlyWritten(text, cut)
    return NewlyWritten(_folded([line.text for line in lines]), cut, kept_all=True)


def _new_lines(lines: Sequence[TextLine], roles: list[Role]) -> list[str]:
    """The new lines, with an empty line in place of removed ones."""
    new: list[str] = []
    skipped = False
    for line, role in zip(lines, roles, strict=False):
        if role is not Role.NEW:
            skipped = True
            continue
        if skipped and new and new[-1].strip() and line.text.strip():
            new.append("")
        skipped = False
        new.append(line.text)
    return new


def _plain(text: str) -> str:
    if not text.isascii():
        text = text.replace("\xa0", " ").replace("\u202f", " ").replace("\u3000", " ")
        text = _INVISIBLE.sub("", text)
    if "&nbsp;" in text:
        text = text.replace("&nbsp;", " ")
    return text[:MAX_LINE].rstrip()


def _folded(lines: list[str]) -> str:
    text = "\n".join(line.rstrip() for line in lines)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n").rstrip()


_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u034f]")
_QUOTED = re.compile(r"[ \t]{0,4}(?:>|＞|&gt;(?=[ >&]|$))")
_BROKEN_ADDRESS = re.compile(r"\s*>\s*(?:[^\W\d]{1,20}\s){0,3}[^\W\d]{0,20}\s?[:：]\s*$")
_DRAWN_AROUND = re.compile(r"\s*[-—–]{3,}[^\n]{3,90}[-—–]{3,}\s*")
_GROUPWISE = re.compile(r">>>[^>]{3,200}(?:<[^<>]{3,80}>)?[^>]{0,60}>>>\s*")


def _roles(lines: list[str], kinds: list[Kind]) -> list[Role]:
    roles = [
        _ROLE_OF_KIND[kind] if kind is not Kind.TEXT else
        Role.QUOTED if _QUOTED.match(line) and not _GROUPWISE.fullmatch(line) else Role.NEW
        for line, kind in zip(lines, kinds, strict=True)
    ]  # fmt: skip
    for index in range(1, len(lines)):
        if roles[index] is Role.QUOTED and _BROKEN_ADDRESS.match(lines[index]) and (
            re.search(r"<[^<>]*@[^<>]*$", lines[index - 1])
        ):  # fmt: skip
            roles[index] = roles[index - 1]
    introductions = _introductions(lines, roles)
    index = 0
    while index < len(lines):
        if not lines[index].strip() or roles[index] not in {Role.NEW, Role.HISTORY}:
            index += 1
            continue
        end = introductions.get(index)
        if end is None and (
            _is_separator(lines, roles, index) or _GROUPWISE.fullmatch(lines[index])
        ):
            end = index + 1
        if end is not None:
            roles[index:end] = [Role.INTRODUCTION] * (end - index)
            if not _is_marked(lines, roles, end):
                roles[end:] = [Role.HISTORY] * (len(lines) - end)
                break
            index = end
        elif _is_header_block(lines, roles, index):
            roles[index:] = [Role.HISTORY] * (len(lines) - index)
            break
        else:
            index += 1
    _mark_wrapped(lines, roles)
    quoted = [i for i, role in enumerate(roles) if role is Role.QUOTED]
    unsure = len(quoted) == 1 and kinds[quoted[0]] is Kind.TEXT and not introductions
    if unsure and set(roles) <= {Role.NEW, Role.QUOTED}:
        # A single ">" line may just as well be the writer's own text.
        roles[quoted[0]] = Role.NEW
    return roles


_ROLE_OF_KIND = {
    Kind.QUOTE: Role.QUOTED,
    Kind.INTRODUCTION: Role.INTRODUCTION,
    Kind.HISTORY: Role.HISTORY,
    Kind.SIGNATURE: Role.SIGNATURE,
}


def _is_marked(lines: list[str], roles: list[Role], index: int) -> bool:
    """Return whether the quotation that follows is marked line by line, or empty."""
    following = _next_text(lines, index)
    return following is None or roles[following] not in {Role.NEW, Role.SIGNATURE}


def _next_text(lines: list[str], index: int) -> int | None:
    for following in range(index, min(len(lines), index + 30)):
        if lines[following].strip():
            return following
    return None


def _mark_wrapped(lines: list[str], roles: list[Role]) -> None:
    """Mark the ends of long quoted lines that a relay wrapped without adding `>`."""
    for index in range(1, len(lines) - 1):
        before, line = lines[index - 1], lines[index].strip()
        if (
            roles[index] is Role.NEW and line
            and roles[index - 1] is Role.QUOTED and roles[index + 1] is Role.QUOTED
            and len(before) >= 50
            and (line[0].islower() or before[-1] not in ".?!:;。？！：")
        ):  # fmt: skip
            roles[index] = Role.QUOTED


def _ends_in_verb(content: str) -> bool:
    """Match `---- NAME wrote ----`, as some phones write."""
    last = next(reversed(list(wrote().finditer(content))), None)
    return last is not None and last.end() == len(content) and last.start() > 1


def _is_separator(lines: list[str], roles: list[Role], index: int) -> bool:
    """Match `-----Original Message-----` and its variants, and "reply above this line"."""
    line = lines[index]
    if len(line) > 120:
        return False
    content = line.strip(EDGES + ">:：#=. ")
    if not content:
        return False
    lower = content.lower()
    if any(word in lower for word in word_list("above")) and (
        any_of(*word_list("answer_above")).search(content)
    ):
        return any(role is Role.NEW and text.strip()
                   for role, text in zip(roles[:index], lines, strict=False))  # fmt: skip
    if _DRAWN_AROUND.fullmatch(line) and _ends_in_verb(content):
        return True
    if not any_of(*word_list("original_message")).fullmatch(content):
        return False
    if re.match(r"[\s*>|]*[-_=—–*]{2,}", line):
        return True
    following = _next_text(lines, index + 1)
    return line.rstrip(" *").endswith((":", "：")) and following is not None and (
        roles[following] is Role.QUOTED or _label(lines[following]) is not None
    )  # fmt: skip


# --- header blocks --------------------------------------------------------------------------

_LABELS = {
    label: name
    for name, _, labels in (line.partition(": ") for line in word_list("header_labels"))
    for label in labels.split()
}
_LABELLED = re.compile(r"([^:：<>@\d]{1,32}?)\s*[:：]\s*(.*)")
_MORE_LABELS = re.compile(
    r"(发送时间|发送日期|日期|时间|收件人|主题|Sent|Date|To|Subject|Gesendet|An|Betreff)\s*[:：]"
)


_SENT = re.compile(
    r"\W{0,6}(?:sent|gesendet|envoyé|enviad[oa]|inviato|verzonden|sendt|skickat|lähetetty|wysłan"
    r"|отправлен|发送(?:时间|日期)|發送(?:時間|日期)|傳送時間|已发送|已傳送|送信日時|보낸)",
    re.IGNORECASE,
)
"""A date label that only mails have."""
_CONSIGNMENT = re.compile(
    r"\W{0,4}(?:(?:运单|快递|快遞|物流|订单|訂單|包裹|货运|追踪|追跡|送り状|伝票|운송장)\w{0,4}"
    r"|单号|單號|重量|品名|件数|件數|地址|电话|電話|手机|手機|tracking\W|waybill|awb|consign|parcel|weight|carrier|phone|address)"
    r"[^:：]{0,20}[:：]",
    re.IGNORECASE,
)
"""A label of a waybill or an order."""
_BRACKETED = re.compile(r"[<＜(\[\"]\s*[^\s<>]{1,80}@|@[^\s<>]{1,80}[>＞;]")


def _label(line: str) -> tuple[str, str] | None:
    """The header that a line looks like, and its value."""
    stripped = line.strip()
    if stripped.startswith("|"):
        cells = [cell.strip(" *") for cell in stripped.split("|") if cell.strip()]
        stripped = f"{cells[0].rstrip(':：')}: {cells[1]}" if len(cells) >= 2 else ""
    match = _LABELLED.match(stripped.strip("*_>|• \t"))
    if match is None:
        return None
    name = _LABELS.get(re.sub(r"[\s*_.]+", "", match.group(1)).lower())
    return (name, match.group(2).strip("* \t")) if name else None


def _is_header_block(lines: list[str], roles: list[Role], index: int) -> bool:
    """Return whether the header block of a quoted message begins here."""
    first = _label(lines[index])
    if first is None or first[0] == "cc":
        return False
    values: dict[str, str] = {}
    sent = False
    last = ""
    for position in range(index, min(len(lines), index + 16)):
        line = lines[position].strip()
        labelled = _label(line) if line else None
        sent = sent or (labelled is not None and _SENT.match(line) is not None)
        following = _next_text(lines, position + 1)
        continues = following is not None and _label(lines[following]) is not None
        if labelled:
            values.setdefault(*labelled)
            last = labelled[1]
        elif not (
            (not line and continues)
            or (line and (not last or line[0] == "<" or last[-1:] in ",;<" or
                          ("@" in line and continues)))
        ):  # fmt: skip
            if _CONSIGNMENT.match(line) and not _BRACKETED.search(values.get("from", "")):
                return False
            break
        else:
            last = line or last
    return _are_mail_headers(values, _follows_separator(lines, index), sent=sent)


def _are_mail_headers(values: dict[str, str], separated: bool, *, sent: bool) -> bool:
    """Return whether labels and values are a mail's; `sent` if a label says when it was sent.

    "From: Beijing / To: Shanghai / Date: 3 May" is an order, and a waybill has a sender, a
    recipient and a date as well.
    """
    kinds = values.keys() & {"from", "date", "to", "subject"}
    sender = values.get("from")
    has_address = any("@" in value for value in values.values())
    is_mail = has_address or sent or "subject" in kinds
    if sender is None:
        return separated and len(kinds) >= 3 and is_mail
    if len(kinds) >= 3:
        return has_address or (separated and is_mail) or len(kinds) == 4
    if len(kinds) == 2:
        dated = bool(re.search(r"\d", values.get("date", "")))
        return (has_address or (separated and is_mail)) and (dated or "subject" in kinds)
    return len(_MORE_LABELS.findall(sender)) >= 2


def _follows_separator(lines: list[str], index: int) -> bool:
    for before in range(index - 1, max(-1, index - 4), -1):
        line = lines[before].strip()
        if line:
            return is_rule(line) or (line[0] in "-_=—" and line[-1] in "-_=—")
    return False


# --- introductions --------------------------------------------------------------------------

_ADDRESSED = re.compile(r"(?:[<＜]|&lt;)\s*(?:mailto:)?[^\s<>]{1,80}@[^\s<>]{1,80}(?:[>＞]|&gt;)$")
_GOES_ON = re.compile(
    r"(?:[^\W\d_]{1,6}\.?\s+)?(?:(?:19|20)\d\d,?\s+)?(?:[上下]午|午[前後]|오[전후])?\s?"
    r"\d{1,2}[:.hH时時]\s?\d{2}(?![.\d]*[./-]\d)"
)
"""A time of day after a year or a short word: the rest of a date that was wrapped."""
_DATE_LAST = re.compile(r"(?:(?:19|20)\d\d|[月日]|[周週].|星期.)\W{0,3}$")


def _introductions(lines: list[str], roles: list[Role]) -> dict[int, int]:
    """The first line of each "On Monday, NAME <address> wrote:", mapped to the line after it."""
    introductions: dict[int, int] = {}
    taken = 0
    for last, line in enumerate(lines):
        if roles[last] not in {Role.NEW, Role.HISTORY} or not _may_end_introduction(line):
            continue
        following = _next_text(lines, last + 1)
        quotes = following is not None and roles[following] in {Role.QUOTED, Role.HISTORY}
        first = _first_of_introduction(lines, roles, last, taken, quotes)
        if first is not None:
            introductions[first] = taken = last + 1
    return introductions


def _may_end_introduction(line: str) -> bool:
    end = line.rstrip(EDGES + "\"'”»")
    return end.endswith((":", "：", ">")) or ("wrote" in end[-12:].lower()) or (
        0 < len(end) < 200 and wrote().search(end, max(0, len(end) - 16)) is not None
    )  # fmt: skip


def _first_of_introduction(
    lines: list[str], roles: list[Role], last: int, floor: int, quotes: bool
) -> int | None:
    joined = ""
    for first in range(last, max(floor, last - 5) - 1, -1):
        line = lines[first].strip()
        if not line or roles[first] not in {Role.NEW, Role.HISTORY} or len(joined) > 400:
            return None
        joined = f"{line} {joined}".strip()
        if is_introduction(joined, quotes=quotes):
            start = _with_date_above(lines, roles, first, floor)
            return _with_name_above(lines, roles, start, floor)
    return None


def _with_name_above(lines: list[str], roles: list[Role], first: int, floor: int) -> int:
    """Include the name and address above a date or verb, where the line was wrapped."""
    above = lines[first - 1].strip(EDGES) if first > floor else ""
    if above.endswith(("<", "＜")) and len(above) <= 200 and roles[first - 1] is Role.NEW:
        return first - 1
    if "@" in lines[first] or not above or roles[first - 1] is not Role.NEW or len(above) > 200:
        return first
    if _ADDRESSED.search(above):
        first -= 1
        before = lines[first - 1].strip(EDGES) if first > floor else ""
        is_name = before and roles[first - 1] is Role.NEW and before[-1] not in ".,!?;:。，！？；："
        opens = first - 1 == floor or (first >= 2 and not lines[first - 2].strip())
        if is_name and opens and above[0] in "<＜" and len(before) <= 60:
            return first - 1
    return first


def _with_date_above(lines: list[str], roles: list[Role], first: int, floor: int) -> int:
    """Include the wrapped first line of an introduction that matches from its second line on."""
    if first > floor and _GOES_ON.match(lines[first].strip(EDGES)):
        broken = lines[first - 1].strip(EDGES)
        is_open = roles[first - 1] is Role.NEW and broken[-1:] not in ".!?。！？"
        begins = starts().match(broken) and re.search(r"\d", broken)
        if is_open and len(broken) < 100 and (begins or _DATE_LAST.search(broken)):
            return first - 1
    if starts().match(lines[first].strip(EDGES)) and DATE.search(lines[first]):
        return first
    for above in range(first - 1, max(floor, first - 4) - 1, -1):
        line = lines[above].strip(EDGES)
        if not line or roles[above] is not Role.NEW or line[-1] in ".!?。！？":
            break
        if starts().match(line) and (DATE.search(line) or re.search(r"\d", line)):
            return _with_date_above(lines, roles, above, floor) if line[-1] != "," else \
                _highest_dated(lines, above, floor)  # fmt: skip
    return first


def _highest_dated(lines: list[str], first: int, floor: int) -> int:
    while first > floor:
        line = lines[first - 1].strip(EDGES)
        if not line.endswith(",") or not starts().match(line) or not re.search(r"\d", line):
            break
        first -= 1
    return first


def _runs(roles: list[Role]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for index, role in enumerate([*roles, Role.HISTORY]):
        if role is Role.NEW and start is None:
            start = index
        elif role is not Role.NEW and start is not None:
            runs.append((start, index))
            start = None
    return runs


def _mark_banner(lines: list[str], roles: list[Role]) -> None:
    """Mark gateway warnings ("external mail") above the text."""
    new = [i for i, line in enumerate(lines) if roles[i] is Role.NEW and line.strip()]
    for count, index in enumerate(new[:2]):
        if any_of(*word_list("banners")).fullmatch(lines[index].strip()) and len(new) > count + 1:
            roles[index] = Role.SIGNATURE
