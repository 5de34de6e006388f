"""Find the signature, device line, disclaimer and list footer below the new text of a mail.

Lines inside code fences, forms and logs are text of the writer, whatever they look like.
"""

import re
from functools import cache
from itertools import takewhile

from functions.core.mail.introductions import EDGES
from functions.core.mail.word_lists import any_of, word_list

_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_EXCUSE = (
    r"(?:[.,;!–-]*\s*(?:please |bitte )?(?:excuse|pardon|forgive|sorry|entschuldig)[^\n]{0,80})?"
)
_LINK = re.compile(r"\s*(?:<\s*(?:https?|mailto):[^>]*>?|\((?:https?):[^)]*\)|https?://\S+)\s*")
_CONTACT = re.compile(
    r"https?://|www\.|@|\b\w+\.(?:com|org|net|de|fr|cn|io|co)\b|mailing list|unsubscribe|list info"
    r"|\b(?:tel|phone|fax|mobile|mob|cell|tél|电话|手机|传真|電話)\b|\+?\d[\d ()./-]{6,}\d",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"\W{0,3}(?:P\.?\s?S\.?|N\.?B\.?|附注|又及|追伸)\b", re.IGNORECASE)


def signature_lines(lines: list[str], start: int, end: int) -> set[int]:
    """Return the lines of the signature, device line and disclaimer that end a run of new lines."""
    fenced, found, stop = _fenced(lines, start, end), set[int](), end
    for find in (_delimiter, _device_line, _disclaimer, _footer, _greeting):
        begin = find(lines, start, stop, fenced)
        if begin is not None and (begin > start or find in {_delimiter, _device_line}):
            if find is _device_line and (
                not any(line.strip() for line in lines[start:begin])
                or not all(map(_is_signature_line, _paragraph_lines(lines, begin + 1, stop)))
            ):
                found.add(begin)
                continue
            stop = begin
    while stop > start and (not lines[stop - 1].strip() or is_rule(lines[stop - 1])):
        if lines[stop - 1].strip() and end == len(lines) and stop == end:
            break
        stop -= 1
    return found | set(range(stop, end))


def is_rule(line: str) -> bool:
    """Return whether a line is a rule of dashes, underscores, equals signs or asterisks."""
    bare = line.strip(" \t>")
    return len(bare) >= 2 and not bare.strip("-_=—–*~· \t")


def _fenced(lines: list[str], start: int, end: int) -> set[int]:
    """The lines inside code fences, which are never signatures."""
    marks = [index for index in range(start, end) if _FENCE.match(lines[index])]
    return {
        index
        for first, last in zip(marks[::2], marks[1::2], strict=False)
        for index in range(first, last + 1)
    }


def _texts(lines: list[str], start: int, end: int) -> list[str]:
    return [line.strip() for line in lines[start:end] if line.strip()]


def _is_announced(lines: list[str], start: int, index: int) -> bool:
    """Return whether the line above a drawn one announces what follows: "The log is below:"."""
    for above in range(index - 1, max(start, index - 4) - 1, -1):
        line = lines[above].strip(EDGES)
        if line:
            return line.endswith((":", "：")) or _ANNOUNCES.search(line) is not None
    return False


_ANNOUNCES = re.compile(
    r"(?:如下|以下|下面|下列|下方|見下|见下|following|below|as follows|folgend\w*|unten|ci-dessous"
    r"|siguiente\w*|下記|次の)[^。.!?]{0,12}[。.]?$",
    re.IGNORECASE,
)


def _paragraph_lines(lines: list[str], start: int, end: int) -> list[str]:
    """The lines up to the next empty one."""
    return list(takewhile(str.strip, lines[start:end]))


def _delimiter(lines: list[str], start: int, end: int, fenced: set[int]) -> int | None:
    for index in range(max(start, end - 60), end):
        is_mark = lines[index].strip("*_ ") == "--" and index not in fenced
        if is_mark and len(_texts(lines, index + 1, end)) <= 25:
            return None if _is_announced(lines, start, index) else index
    return None


def _device_line(lines: list[str], start: int, end: int, fenced: set[int]) -> int | None:
    for index in range(start, end):
        line = lines[index]
        if not line or len(line) > 300 or index in fenced or not _names_device(line):
            continue
        bare = _LINK.sub(" ", line).strip(EDGES + ".()（）[]【】…。!>")
        if 4 < len(bare) <= 120 and _sent_from().fullmatch(bare) and not _is_sentence(bare):
            return _card_above(lines, start, index) if "邮箱大师" in bare else index
    return None


def _is_sentence(line: str) -> bool:
    """Return whether a line that begins like a device line tells of something that was sent."""
    excused = any_of(_EXCUSE + "$").sub("", line)
    return any_of(*word_list("not_of_device")).search(excused) is not None


def _card_above(lines: list[str], start: int, index: int) -> int:
    """The start of the table that 网易邮箱大师 adds above its device line."""
    for above in range(index - 1, max(start, index - 10), -1):
        if lines[above].replace(" ", "") == "||":
            return above
    return index


def _names_device(line: str) -> bool:
    """Check substrings before the long regular expression, which few lines need."""
    line = line.lower()
    own = word_list("own")
    return any(name in line for name in word_list("devices")) or any(w in own for w in line.split())


@cache
def _sent_from() -> re.Pattern[str]:
    (device,) = word_list("device")
    patterns = "|".join(word_list("sent_from")).replace("<device>", device)
    return re.compile(f"(?:{patterns}){_EXCUSE}", re.IGNORECASE)


def _disclaimer(lines: list[str], start: int, end: int, _: set[int]) -> int | None:
    has_text = False
    for index in range(start, end):
        line = lines[index].strip(EDGES + "#")
        if not line:
            continue
        opens = index == start or not lines[index - 1].strip() or bool(
            is_rule(lines[index - 1]))  # fmt: skip
        if has_text and opens:
            paragraph = _paragraph(lines, index, end)
            if any_of(*word_list("disclaimers")).match(paragraph) and (
                len(paragraph) >= 60 or len(line.split()) <= 4
            ):
                return index
        has_text = True
    return None


def _paragraph(lines: list[str], index: int, end: int) -> str:
    parts: list[str] = []
    for line in lines[index : min(end, index + 12)]:
        if not line.strip():
            break
        parts.append(line.strip())
    return " ".join(parts).strip(EDGES + "#\"'")[:600]


def _footer(lines: list[str], start: int, end: int, fenced: set[int]) -> int | None:
    """A rule above a few lines with a contact: a list footer or a signature, no form and no log."""
    for index in range(max(start + 1, end - 16), end):
        if index in fenced or not is_rule(lines[index]) or lines[index - 1].strip():
            continue
        below = _texts(lines, index + 1, end)
        if 0 < len(below) <= 10 and any(_CONTACT.search(line) for line in below) and all(
            len(line) <= 120 and not line.endswith(("?", "？")) for line in below
        ):  # fmt: skip
            is_content = any(map(_is_entry, below)) or _is_announced(lines, start, index)
            if not is_content or any(map(_LIST_FOOTER.search, below)):
                return index
    return None


_LIST_FOOTER = re.compile(
    r"mailing list|unsubscribe|list ?info|subscription|abmelden|désabonner"
    r"|退订|退訂|取消订阅|配信停止",
    re.IGNORECASE,
)
_FIELD = re.compile(r"[^\W\d][^:：/@]{0,30}[:：](?!//)")
_CONTACT_FIELD = re.compile(
    r"\W{0,6}(?:(?:tel|phone|fax|mobil|mob|cell|office|direct|e-?mail|mail|web|www|site|url|https?|skype"
    r"|whatsapp|wechat|qq|addr|t|f|m|p|e|w|d|h|o|tél|téléphone|telefon|teléfono|courriel|portable)"
    r"[^:：]{0,12}|(?:联系|公司|办公|移动|固定)?(?:电话|電話|手机|手機|传真|傳真|邮箱|郵箱|邮件|邮编|网址|網址|网站"
    r"|地址|微信|住所|メール|전화|이메일|주소|팩스)[^:：]{0,6})[:：]",
    re.IGNORECASE,
)
_LOG = re.compile(
    r"^\W{0,3}(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T]|\d{1,2}:\d{2}(?::\d{2})?\b|\$ |# |at \w+[.(]"
    r"|(?:\[?(?:err(?:or)?|warn(?:ing)?|info|debug|fatal|trace|get|post|put|curl|ping)\b))"
    r"|\b(?:err(?:or)?|exception|traceback|failed|timeout|http/\d|status)\b.{0,20}\d",
    re.IGNORECASE,
)


def _is_entry(line: str) -> bool:
    """Return whether a line is a field of a form or an entry of a log, not a contact."""
    is_field = _FIELD.match(line) is not None and _CONTACT_FIELD.match(line) is None
    return is_field or _LOG.search(line) is not None


@cache
def _greetings() -> re.Pattern[str]:
    return re.compile(
        rf"(?P<greeting>{'|'.join(word_list('greetings'))})"
        r"(?P<name>[,;:!.]?\s+(?-i:[A-ZÀ-ÞĀ-ŽА-Я][\w.'-]{0,20})(?:\s+(?-i:[A-ZÀ-ÞĀ-ŽА-Я])[\w.'-]{0,20}){0,3})?",
        re.IGNORECASE,
    )


def _greeting(lines: list[str], start: int, end: int, fenced: set[int]) -> int | None:
    """The formal closing above the writer's name."""
    closing: int | None = None
    below = 0
    for index in range(end - 1, start, -1):
        line = lines[index].strip()
        if not line:
            continue
        if index in fenced or below > 15:
            break
        bare = line.strip(EDGES + ",.!;:，。！、…>") if len(line) <= 80 else ""
        bare = re.sub(r"[^\w\s)&+'’.]+$", "", bare).strip()
        if bare and _greetings().fullmatch(bare):
            closing = index
        elif not _is_signature_line(line):
            break
        below += 1
    return closing


def _is_signature_line(line: str) -> bool:
    if is_rule(line):
        return True
    if len(line) > 90 or line.endswith(("?", "？")) or _POSTSCRIPT.match(line):
        return False
    count = len(line.split())
    if _CONTACT.search(line):
        return count <= 14
    if line.endswith((".", "!", "。", "！", ":", "：")) and (count > 5 or not line.isascii()):
        return count <= 5 and line.endswith(".")
    return count <= 10 and len(line) <= (70 if line.isascii() else 40)
