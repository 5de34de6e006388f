"""Personal data: what is hidden before a text is stored for display, logged or returned (G4).

:func:`mask` hides, wherever they stand in free text (contract section 4):

=====================  =============================  ==============================
what                   seen as                        becomes
=====================  =============================  ==============================
mainland mobile        138 0013 8000, +86-138…        ``138****8000``
any other phone        010-12345678, +44 20 …         ``****5678`` (short: ``****78``)
e-mail                 someone@example.com            ``s***@e***.com``
resident id            18 digits (check digit), 15    ``****7715``
bank card              13-19 digits (Luhn)            ``****1881``
IBAN                   check digits and structure     ``****3000``
passport               beside the word                ``****5678``
=====================  =============================  ==============================

Nothing else is touched: dates, times, amounts, versions, network addresses, order and ticket
numbers stay as they are. Full-width and other scripts' digits count as digits. Where a run of
digits could be a phone number by its form alone, a numbering plan (phonenumbers) decides; where
only a word tells ("电话", "call", "订单号"), the word decides.

No AWS calls, no clock. Libraries that are heavy to import are loaded by the first text that
needs them.
"""

import base64
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

STARS = "****"


class _Pattern:
    """A regular expression compiled by its first use: compiling them all would cost every cold
    start some 30 ms, and most of what is started masks nothing at once."""

    match: Callable[..., re.Match[str] | None]
    fullmatch: Callable[..., re.Match[str] | None]
    search: Callable[..., re.Match[str] | None]
    finditer: Callable[..., Iterator[re.Match[str]]]
    findall: Callable[..., list[str]]
    sub: Callable[..., str]

    def __init__(self, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._source)
        for method in ("match", "fullmatch", "search", "finditer", "findall", "sub"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


# --- one form for all writing: every character becomes one character ---------------------------


class _Fold(dict[int, int]):
    """Full-width forms, foreign digits, dashes and odd spaces as their plain ASCII ones.

    One character for one, so that places in the folded text are places in the text.
    """

    _KEPT = 4096

    def __missing__(self, code: int) -> int:
        folded = self._fold(code)
        if len(self) < self._KEPT:
            self[code] = folded
        return folded

    @staticmethod
    def _fold(code: int) -> int:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        if digit is not None:
            return ord("0") + digit
        if 0xFF01 <= code <= 0xFF5E:
            return code - 0xFEE0
        category = unicodedata.category(char)
        if category == "Pd" or char == "\u2212":
            return ord("-")
        if category in {"Zs", "Cf"} or char == "\t":
            return ord(" ")
        if char in "\u00b7\u2022\u2027\u30fb":
            return ord(".")
        return code


_FOLDED = _Fold()
_BLANK = "\x01"
"""Stands in the folded text where something is known to be no personal number."""

_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_LETTER = rf"[^\W\d_{_CJK}]"
_WORTH_A_LOOK = _Pattern(r"[@＠]|\d(?:\D{0,6}\d){5}")


def mask(text: str) -> str:
    """`text` with phone numbers, e-mails, resident ids and bank cards hidden (G4).

    Also IBANs, and passports beside the word. Text around them stays to the letter, masking
    twice changes nothing, nothing raises, and the time grows with the length of the text.
    Anything but a string gives "".
    """
    if not isinstance(text, str):
        return ""
    # What is hidden can bare a number that was hemmed in by it; seldom, and never for long.
    for _ in range(_PASSES):
        hidden = _mask_once(text)
        if hidden == text:
            break
        text = hidden
    return text


_PASSES = 6


def mask_but(text: str, public: Iterable[str]) -> str:
    """`text` masked but for the desk's own numbers and addresses, as they are spelled in `public`.

    For what a desk writes to its customers: the hotline in an agent's reply hides nobody. One that
    is part of a longer number or address is masked like any other. A short one (12345) is never
    masked by itself, and sparing it would cut a longer number in two (+86 12345 678901).
    """
    kept_whole = [each for each in public if "@" in each or len(re.sub(r"\D", "", each)) >= 7]
    spelled = "|".join(map(re.escape, sorted(kept_whole, key=len, reverse=True)))
    if not spelled or not isinstance(text, str):
        return mask(text)
    kept = re.compile(rf"(?<![A-Za-z0-9_.@+%-])({spelled})(?![A-Za-z0-9_@]|[.-][A-Za-z0-9_])")
    return "".join(part if at % 2 else mask(part) for at, part in enumerate(kept.split(text)))


def _mask_once(text: str) -> str:
    if not _WORTH_A_LOOK.search(text):
        return text
    page = _Page(text)
    _hide_emails(page)
    if page.has_digits():
        _hide_ibans(page)
        _hide_passports(page)
        page.blank(_ORDINARY)
        _blank_references(page)
        for cluster in _clusters(page):
            _hide_numbers(page, cluster)
    return page.masked()


class _Page:
    """A text, its folded form, and what is to be replaced in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.translate(_FOLDED)
        self.lookups = _LOOKUPS
        self._hidden: list[tuple[int, int, str]] = []
        self._pending: list[tuple[int, int, str]] = []

    def has_digits(self) -> bool:
        return bool(_DIGIT.search(self.folded))

    def hide(self, start: int, end: int, replacement: str) -> None:
        """Note what is to be hidden; later steps see it after :meth:`settle`."""
        self._pending.append((start, end, replacement))

    def settle(self) -> None:
        """Put stars where something is hidden, for the steps that follow."""
        if not self._pending:
            return
        self.folded = _overwritten(self.folded, self._pending, "*")
        self._hidden += self._pending
        self._pending = []

    def blank(self, pattern: _Pattern) -> None:
        self.folded = pattern.sub(_blanks, self.folded)

    def blank_spans(self, spans: list[tuple[int, int, str]]) -> None:
        self.folded = _overwritten(self.folded, spans, _BLANK)

    def masked(self) -> str:
        parts: list[str] = []
        done = 0
        for start, end, replacement in sorted(self._hidden + self._pending):
            parts += (self.text[done:start], replacement)
            done = end
        parts.append(self.text[done:])
        return "".join(parts)


_DIGIT = _Pattern(r"\d")


def _overwritten(text: str, spans: list[tuple[int, int, str]], filler: str) -> str:
    parts: list[str] = []
    done = 0
    for start, end, _ in spans:
        parts += (text[done:start], filler * (end - start))
        done = end
    parts.append(text[done:])
    return "".join(parts)


def _blanks(match: re.Match[str]) -> str:
    return _BLANK * len(match[0])


def _tail(value: str) -> str:
    """Stars and as much of the end as still tells its owner which one it is."""
    return STARS + value[-4 if len(value) >= 9 else -2 :]


# --- e-mails ------------------------------------------------------------------------------------

_LOCAL_REVERSED = _Pattern(rf'"[^"\n]{{1,64}}"|(?:[^\W{_CJK}]|[.+%\'&-]){{1,64}}')
_LABEL = rf"[^\W_{_CJK}](?:[^\W{_CJK}]|-){{0,62}}"
_DOMAIN = _Pattern(
    rf"(?:{_LABEL}(?:\.|。(?=(?:com|cn|net|org)(?![A-Za-z])))){{1,8}}"
    rf"(?:xn--[A-Za-z0-9-]{{1,59}}|{_LETTER}{{2,24}})(?!{_LETTER})"
)
_CJK_DOMAIN = _Pattern(rf"[{_CJK}][\w-]{{0,62}}(?:\.[\w-]{{1,63}}){{1,3}}")
_CJK_END = _Pattern(rf"[{_CJK}]$")
_FILE_NAMES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "json", "html"})


def _hide_emails(page: _Page) -> None:
    text, done = page.folded, 0
    at = text.find("@")
    while at >= 0:
        found = _email_at(text, at, done)
        if found:
            start, end, replacement = found
            page.hide(start, end, replacement)
            done = end
        at = text.find("@", max(at + 1, done))
    page.settle()


def _email_at(text: str, at: int, after: int) -> tuple[int, int, str] | None:
    before = text[max(after, at - 66) : at]
    local_match = _LOCAL_REVERSED.match(before[::-1])
    local = local_match[0][::-1].lstrip(".'&%+-") if local_match else ""
    domain = _DOMAIN.match(text, at + 1) or (_CJK_DOMAIN.match(text, at + 1) if local else None)
    if domain is None or domain[0].rpartition(".")[2].lower() in _FILE_NAMES:
        return None
    hidden = _hidden_domain(domain[0].replace("。", "."))
    if local:
        return at - len(local), domain.end(), f"{_hidden_part(local)}@{hidden}"
    if _CJK_END.search(before):
        # A name in CJK script runs into the words before it; without the domain it leads nowhere.
        return at + 1, domain.end(), hidden
    return None


def _hidden_part(part: str) -> str:
    return f"{part[0]}***" if len(part) >= 3 and part[0].isalnum() else "***"


def _hidden_domain(domain: str) -> str:
    name, _, top = domain.rpartition(".")
    return f"{_hidden_part(name)}.{top}"


# --- IBANs and passports ------------------------------------------------------------------------

_IBAN = _Pattern(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}|[a-z]{2})\d\d(?:[ -]?[A-Za-z0-9]){11,30}(?![^\W_]{40})"
)
# Written as an IBAN but none: the groups inside are no phone number either.
_IBAN_LIKE = _Pattern(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?:[ -][A-Za-z0-9]{4}){2,7}"
    r"(?:[ -][A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_WORD = _Pattern(r"[A-Za-z0-9]+")
_PASSPORT_AFTER = _Pattern(
    r"(?:护照|通行证|旅行证|passport)[^\n\d]{0,16}?(?<![A-Za-z0-9])([A-Z]{1,2}\d{6,9}|\d{9})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PASSPORT_BEFORE = _Pattern(
    r"(?<![A-Za-z0-9])([A-Z]{1,2}\d{7,8})(?![A-Za-z0-9])(?=[^\n\w]{0,3}[是为]?我?的?(?:护照|通行证|旅行证)|"
    r" (?:is|was) (?:my|the) passport)",
    re.IGNORECASE,
)


def _hide_ibans(page: _Page) -> None:
    text = page.folded
    for match in _IBAN.finditer(text):
        end = _iban_end(text, match)
        if end:
            compact = "".join(_WORD.findall(text, match.start(), end))
            page.hide(match.start(), end, _tail(compact))
    page.settle()
    page.blank(_IBAN_LIKE)


def _iban_end(text: str, match: re.Match[str]) -> int:
    """Where the IBAN at `match` ends: the longest run of whole groups that checks, or 0."""
    head, remainder, compact, best = "", 0, "", 0
    for word in _WORD.finditer(text, match.start(), match.end()):
        if word.end() == match.end() and text[word.end() : word.end() + 1].isalnum():
            break
        rest = word[0]
        if not head:
            head, rest = rest[:4], rest[4:]
        compact += word[0]
        for char in rest.upper():
            value = int(char, 36)
            remainder = (remainder * (10 if value < 10 else 100) + value) % 97
        if len(compact) >= 15 and _mod_97(remainder, head) == 1 and _is_iban(compact):
            best = word.end()
    return best


def _mod_97(remainder: int, head: str) -> int:
    country_and_check = "".join(str(int(char, 36)) for char in head)
    shift: int = 10 ** len(country_and_check)
    return (remainder * shift + int(country_and_check)) % 97


def _is_iban(compact: str) -> bool:
    # Mixed case is how a product key is written, not an account.
    if compact not in {compact.upper(), compact.lower()}:
        return False
    from stdnum import iban

    return bool(iban.is_valid(compact, check_country=False))


def _hide_passports(page: _Page) -> None:
    spans = {
        match.span(1)
        for pattern in (_PASSPORT_AFTER, _PASSPORT_BEFORE)
        for match in pattern.finditer(page.folded)
    }
    for start, end in sorted(spans):
        page.hide(start, end, _tail(page.folded[start:end]))
    page.settle()


# --- what is no personal number, whatever its digits --------------------------------------------

_MONTH, _DAY, _YEAR = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])", r"(?:19|20)\d\d"
_ORDINARY = _Pattern(
    rf"(?<!\d)(?<!\d[-./]){_YEAR} ?[-/.年] ?{_MONTH} ?[-/.月] ?{_DAY}(?!\d|[-.]\d)"
    rf"|(?<!\d)(?<!\d[-./])(?:{_DAY}([-/.]){_MONTH}\1|{_MONTH}([-/.]){_DAY}\2){_YEAR}(?!\d|[-.]\d)"
    r"|(?<!\d)\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?!\d)"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)"
    r"|(?<!\w)[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!\w)"
    r"|(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[-:]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
    r"|[¥￥$€£] ?\d[\d,.]*"
    r"|(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)"
    r"|(?<![\d.])\d{1,9}\.\d\d(?![\d.])"
)
_REFERENCE = _Pattern(
    r"(?:(订单|定单|工单|运单|快递|物流|发票|合同)|流水|交易|序列|批次|单据|投诉|服务单|维修单|退款"
    r"|条形|条|产品|设备|型|单)(编号|号码|单号|号|码|ID)?"
    r"[ :=#是为(\[]{0,4}([A-Za-z0-9][\w/-]*)"
    r"|(?<![A-Za-z])(?:(order|ticket|case|tracking|invoice)|serial|transaction|shipment|waybill"
    r"|receipt|part|item|model|batch|contract|rma)(?![A-Za-z])"
    r"( ?(?:numbers?|no\.?|num\.?|nr\.?|id|code|#)(?![A-Za-z]))?"
    r"[ :=#(\[]{0,4}(?:is )?([A-Za-z0-9][\w/-]*)"
    r"|(?<![A-Za-z])(?:S/?N|IMEI|ISBN|EAN|UPC|SKU|PO#)(?![A-Za-z])[ :=#]{0,4}([A-Za-z0-9][\w/-]*)",
    re.IGNORECASE,
)


_WRITTEN_PHONE = _Pattern(r"0|(?:86)?1[3-9]\d{9}$")


def _blank_references(page: _Page) -> None:
    """Order, ticket and serial numbers by the word in front of them.

    "订单号 …" says so outright; after a bare "订单 …" what is written as a phone is still one.
    """
    spans = []
    for match in _REFERENCE.finditer(page.folded):
        token = match[3] or match[6] or match[7]
        loosely = (match[1] or match[4]) and token.isalnum() and not _WRITTEN_PHONE.match(token)
        if match[2] or match[5] or match[7] or loosely:
            spans.append((*match.span(match.lastindex or 0), ""))
    page.blank_spans(spans)


# --- runs of digits -----------------------------------------------------------------------------

_CLUSTER = _Pattern(r"\d+(?:[ .\-/()]{1,4}\d+)*")
_GROUP = _Pattern(r"\d+")
_LOOKUPS = 400
"""How often one text may ask the numbering plans; beyond that, what looks like a phone is one."""


@dataclass(slots=True)
class _Cluster:
    """Groups of digits with nothing but spaces and phone punctuation between them."""

    page: _Page
    text: str
    groups: list[tuple[int, int]]
    compact: str
    """The digits alone."""
    offsets: list[int]
    """Where each group begins in `compact`; one more for its end."""
    boundaries: dict[int, int]
    """From an offset back to the group that begins there."""
    first: int
    """The first group that may be read: one that follows a star is the rest of something hidden."""
    last: int
    """One past the last group that may be read."""
    edge: int = 0
    """The group after what was hidden last: nothing before it is its neighbour."""

    def digits(self, i: int, j: int) -> str:
        return self.compact[self.offsets[i] : self.offsets[j]]

    def match(self, pattern: _Pattern, i: int) -> re.Match[str] | None:
        """`pattern` on the digits from group `i` on."""
        return pattern.match(self.compact, self.offsets[i])

    def until(self, i: int, digits: int, groups: int = 18) -> int | None:
        """The j for which no more than `groups` groups i..j have so many digits, if any."""
        j = self.boundaries.get(self.offsets[i] + digits)
        return j if j is not None and j <= self.last and j - i <= groups else None

    def sizes(self, i: int, j: int) -> tuple[int, ...]:
        return tuple([self.size(k) for k in range(i, j)])

    def size(self, i: int) -> int:
        return self.offsets[i + 1] - self.offsets[i]

    def gap(self, i: int) -> str:
        """What stands between group `i` and the next; "" where no number goes on."""
        if i < 0 or i + 1 >= len(self.groups) or i + 1 == self.edge:
            return ""
        return self.text[self.groups[i][1] : self.groups[i + 1][0]]

    def gaps(self, i: int, j: int) -> set[str]:
        return {self.gap(k).strip(" ()") for k in range(i, j - 1)}

    def start(self, i: int) -> int:
        return self.groups[i][0]

    def end(self, j: int) -> int:
        return self.groups[j - 1][1]

    def raw(self, i: int, j: int) -> str:
        return self.text[self.start(i) : self.end(j)]

    def windows(self, i: int, most: int) -> Iterator[tuple[int, int]]:
        """(j, number of digits in groups i..j), while there are no more than `most`."""
        for j in range(i + 1, self.last + 1):
            total = self.offsets[j] - self.offsets[i]
            if total > most:
                return
            yield j, total

    def alone(self, i: int, j: int) -> bool:
        """Neither neighbour continues the same writing: another gap, or no group at all."""
        inside = {self.gap(k) for k in range(i, j - 1)}
        for gap in (self.gap(i - 1), self.gap(j - 1)):
            if gap in inside or (gap and " " not in gap and not gap.startswith(("/", ")"))):
                return False
        return True

    def unglued(self, i: int, j: int) -> bool:
        """No letters touch it, but for a word in small letters ("wang138…") or a phone label."""
        before = _WORD_REVERSED.match(self.text[max(0, self.start(i) - 24) : self.start(i)][::-1])
        if 0 < i == self.edge:  # what stands before it is the number that was hidden last
            before = None
        word = before[1][::-1] if before else ""
        after = _LETTERS.match(self.text, self.end(j), self.end(j) + 24)
        return _plain_word(word) and _plain_word(after[0] if after else "")

    def plus(self, i: int) -> re.Match[str] | None:
        """The plus sign in front of group `i`, read backwards from it."""
        start = self.start(i)
        return _PLUS_REVERSED.match(self.text[max(0, start - 5) : start][::-1])

    def labelled(self, i: int) -> bool:
        start = self.start(i)
        return bool(_LABEL_BEFORE.search(self.text[max(0, start - 40) : start]))


_LETTERS = _Pattern(rf"(?:{_LETTER}|\d)+")
_WORD_REVERSED = _Pattern(rf"[-_]?((?:{_LETTER}|\d)+)")
_LABEL_WORDS = r"tel|telephone|phone|mobile|mob|cell|fax|call|dial|whatsapp|ph|hp|m|t|f"
_LABEL_BEFORE = _Pattern(
    rf"(?:电话|手机|致电|拨打|来电|回电|座机|热线|传真|(?<![A-Za-z])(?:{_LABEL_WORDS})(?![A-Za-z]))"
    r"(?:号码|号|是|为|(?<![A-Za-z])(?:numbers?|no|is|me|us|at|on|or)(?![A-Za-z])|[ :.=#()+,])*$",
    re.IGNORECASE,
)
_LABEL_WORD = _Pattern(_LABEL_WORDS, re.IGNORECASE)


def _plain_word(word: str) -> bool:
    if not word:
        return True
    return word.isalpha() and (word.islower() or bool(_LABEL_WORD.fullmatch(word)))


def _clusters(page: _Page) -> Iterator[_Cluster]:
    text = page.folded
    for match in _CLUSTER.finditer(text):
        if match.end() - match.start() < 7:
            continue
        groups = [group.span() for group in _GROUP.finditer(text, *match.span())]
        first = 1 if text[match.start() - 1 : match.start()] == "*" else 0
        last = len(groups) - (text[match.end() : match.end() + 1] == "*")
        if first < last:
            sizes = [end - start for start, end in groups]
            offsets = list(accumulate(sizes, initial=0))
            compact = "".join([text[start:end] for start, end in groups])
            boundaries = {offset: index for index, offset in enumerate(offsets)}
            yield _Cluster(page, text, groups, compact, offsets, boundaries, first, last)


@dataclass(frozen=True, slots=True)
class _Found:
    """A number in groups i..j of a cluster and what is shown instead."""

    end: int
    shown: str
    phone: bool = True


def _hide_numbers(page: _Page, cluster: _Cluster) -> None:
    i = cluster.first
    while i < cluster.last:
        found = _number_at(cluster, i)
        if found is None:
            i += 1
            continue
        start, end = _extent(cluster, i, found)
        page.hide(start, end, found.shown)
        twin = found.phone and found.end < cluster.last and _is_twin(cluster, found.end)
        i = cluster.edge = found.end
        # 010-12345678/87654321: the second is short for the same area.
        if twin:
            page.hide(cluster.start(i), cluster.end(i + 1), _tail(cluster.digits(i, i + 1)))
            i = cluster.edge = i + 1


def _number_at(cluster: _Cluster, i: int) -> _Found | None:
    for rule in _RULES:
        found = rule(cluster, i)
        if found:
            return found
    return None


def _extent(cluster: _Cluster, i: int, found: _Found) -> tuple[int, int]:
    """The place in the text, with the plus sign and the bracket that belong to it."""
    start, end = cluster.start(i), cluster.end(found.end)
    text = cluster.text
    if found.phone:
        # An X is a resident id's check digit and stands after the digits; a phone has a front.
        plus = cluster.plus(i)
        if plus:
            start -= plus.end()
        opened = text[start - 1 : start] == "("
        if opened and text[start:end].count(")") > text[start:end].count("("):
            start -= 1
    elif _CHECK_X.match(text, end):
        end = _check_x_end(text, end)
    return start, end


_PLUS_REVERSED = _Pattern(r"[ (]?\++(?!\d)")
_CHECK_X = _Pattern(r"[ -]?[Xx](?![A-Za-z0-9])")


def _check_x_end(text: str, end: int) -> int:
    match = _CHECK_X.match(text, end)
    return match.end() if match else end


def _is_twin(cluster: _Cluster, i: int) -> bool:
    return cluster.gap(i - 1).strip() == "/" and cluster.size(i) in {7, 8}


# Resident ids: GB 11643-1999; the fifteen-digit form has no check digit, so its place and date
# have to fit.
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[1-9])"
_RESIDENT_18 = _Pattern(
    rf"{_PROVINCE}\d{{4}}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}"
)
_RESIDENT_15 = _Pattern(rf"{_PROVINCE}\d{{4}}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}")
_RESIDENT_LABEL = _Pattern(
    r"身份证[^\d\n]{0,12}$|(?<![A-Za-z])ID card[^\d\n]{0,12}$", re.IGNORECASE
)


def _resident_id(cluster: _Cluster, i: int) -> _Found | None:
    if cluster.match(_RESIDENT_18, i):
        for size in (18, 17):
            j = cluster.until(i, size)
            digits = cluster.digits(i, j) if j else ""
            if j and size == 17:
                digits += "X" if _CHECK_X.match(cluster.text, cluster.end(j)) else "-"
            if j and _is_resident_18(cluster, i, digits):
                return _Found(j, STARS + digits[-4:], phone=False)
    if cluster.match(_RESIDENT_15, i):
        j = cluster.until(i, 15)
        if j and cluster.alone(i, j) and cluster.unglued(i, j):
            return _Found(j, STARS + cluster.digits(i, j)[-4:], phone=False)
    return None


def _is_resident_18(cluster: _Cluster, i: int, digits: str) -> bool:
    if digits[-1] == "-":
        return False
    # ISO 7064 MOD 11-2: read in base 13 as python-stdnum does, without its table of places,
    # which lacks the newest ones.
    check = (1 - 2 * int(digits[:17], 13)) % 11
    if digits[17] == ("X" if check == 10 else str(check)):
        return True
    start = cluster.start(i)
    return bool(_RESIDENT_LABEL.search(cluster.text[max(0, start - 24) : start]))


# Bank cards: ISO/IEC 7812 lengths and first digits of the schemes in use.
_CARD = _Pattern(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|1\d{14}"
    r"|(?:6\d|81|50|5[6-8])\d{14,17}|9558\d{12,15}"
)
_CARD_SIZES = _Pattern(r"(?:4,){3}[1-7]|(?:4,){4}[1-3]|4,6,[45]|6,(?:10|13)|8,8|8,11|1[3-9]")
_CARD_LABEL = _Pattern(
    r"(?:卡号?|账号|帐号|(?<![A-Za-z])card|account)[^\d\n]{0,16}$", re.IGNORECASE
)


def _bank_card(cluster: _Cluster, i: int) -> _Found | None:
    if not cluster.match(_CARD, i):
        return None
    for size in range(19, 12, -1):
        j = cluster.until(i, size, groups=6)
        digits = cluster.digits(i, j) if j else ""
        if not j or not _CARD.fullmatch(digits) or not _luhn(digits):
            continue
        shape = ",".join(map(str, cluster.sizes(i, j)))
        if _CARD_SIZES.fullmatch(shape) and _card_place(cluster, i, j, digits):
            return _Found(j, STARS + digits[-4:], phone=False)
    return None


def _card_place(cluster: _Cluster, i: int, j: int, digits: str) -> bool:
    if not cluster.unglued(i, j) or len(cluster.gaps(i, j)) > 1:
        return False
    # One more group of four in the same writing: a longer number that only holds a card's digits.
    same = {cluster.gap(k) for k in range(i, j - 1)} or {"-", "."}
    if cluster.gap(i - 1) in same and (j - i == 1 or cluster.size(i - 1) == 4):
        return False
    if cluster.gap(j - 1) in same and (j - i == 1 or cluster.size(j) == 4):
        return False
    if j - i > 1 or len(digits) not in {13, 19} or digits[0] != "4":
        return True
    # Thirteen or nineteen bare digits that begin with 4: more often a bar code or an order.
    start = cluster.start(i)
    if _CARD_LABEL.search(cluster.text[max(0, start - 24) : start]):
        return True
    return len(digits) == 13 and not _ean_13(digits)


def _luhn(digits: str) -> bool:
    ones = sum(map(int, digits[-1::-2]))
    return (ones + sum(map(int, digits[-2::-2].translate(_LUHN_DOUBLED)))) % 10 == 0


_LUHN_DOUBLED = str.maketrans("0123456789", "0246813579")


def _ean_13(digits: str) -> bool:
    return (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


# Phones of mainland China: 工信部 numbering plan.
_MOBILE_DIGITS = _Pattern(r"(?:(?:00)?86)?0?(1[3-9]\d{9})")
_MOBILE_SIZES = frozenset(
    {(11,), (3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (4, 3, 4), (3, 3, 5), (5, 6), (5, 3, 3)}
)
_LANDLINE = _Pattern(r"(?:0|86)(?:10|2\d|[3-9]\d\d)[2-8]\d{6,7}")
_LANDLINE_SIZES = _Pattern(r"1[0-2]|(?:3|4|2,2|2,3),(?:7|8|4,4|3,4|4,3)")
_SERVICE_SIZES = frozenset({(3, 3, 4), (4, 3, 3), (3, 4, 3), (3, 7)})


def _mobile(cluster: _Cluster, i: int) -> _Found | None:
    match = cluster.match(_MOBILE_DIGITS, i)
    j = cluster.until(i, len(match[0])) if match else None
    if not match or not j or not _mobile_place(cluster, i, j):
        return None
    if len(match[0]) == 11 and cluster.plus(i):
        return None
    if cluster.sizes(i, j) in _NANP_SIZES:
        return _Found(j, _tail(match[1]))
    return _Found(j, f"{match[1][:3]}{STARS}{match[1][-4:]}")


def _mobile_place(cluster: _Cluster, i: int, j: int) -> bool:
    if not cluster.unglued(i, j):
        return False
    k = i
    while k + 1 < j and cluster.digits(k, k + 1) in {"86", "0086", "0"}:
        k += 1
    sizes = cluster.sizes(k, j)
    gaps = cluster.gaps(k, j)
    if len(sizes) == 1:
        return not cluster.gap(j - 1).startswith(".") or cluster.size(j) != 2
    if sizes not in _MOBILE_SIZES and (gaps & {"/", "."} or sizes[:3] == (4, 2, 2)):
        return False
    if sizes not in _MOBILE_SIZES and sizes[0] < 3 and max(sizes) > 2:
        return False
    if sizes == (3, 4, 4):
        return "-" not in (cluster.gap(i - 1), cluster.gap(j - 1)) or cluster.labelled(i)
    return cluster.alone(i, j) and (sizes in _MOBILE_SIZES or _whole(cluster, i, j))


def _whole(cluster: _Cluster, i: int, j: int) -> bool:
    return i == 0 and j == len(cluster.groups)


def _landline(cluster: _Cluster, i: int) -> _Found | None:
    start = cluster.start(i)
    if cluster.text[start] not in "048":
        return None
    for size in (10, 11, 12, 13):
        j = cluster.until(i, size, groups=4)
        if not j or not _starts_here(cluster, i) or not cluster.unglued(i, j):
            continue
        digits, sizes = cluster.digits(i, j), cluster.sizes(i, j)
        if digits[:3] in {"400", "800"} and sizes in _SERVICE_SIZES:
            return _Found(j, _tail(digits))
        if not _LANDLINE.fullmatch(digits) or not _LANDLINE_SIZES.fullmatch(
            ",".join(map(str, sizes))
        ):
            continue
        if digits[0] == "8" and (j - i == 1 or not cluster.gaps(i, j) <= {"", "-"}):
            continue
        spaced = j - i > 1 and cluster.gaps(i, j) == {""} and cluster.text[start - 1 : start] != "("
        if spaced and not cluster.alone(i, j) and not cluster.labelled(i):
            continue
        if j == cluster.last or not _reads_on(cluster, i, j):
            return _Found(j, _tail(digits))
    return None


def _starts_here(cluster: _Cluster, i: int) -> bool:
    gap = cluster.gap(i - 1)
    return not gap or " " in gap or gap[0] in "/)"


def _reads_on(cluster: _Cluster, i: int, j: int) -> bool:
    """0755-888 6666 is not over where 0755-8886666 would be."""
    longer = cluster.digits(i, j + 1)
    return cluster.gap(j - 1) in {"-", " "} and bool(_LANDLINE.fullmatch(longer))


# Phones of elsewhere.
def _international(cluster: _Cluster, i: int) -> _Found | None:
    text, start = cluster.text, cluster.start(i)
    plus = cluster.plus(i)
    front = text[start - plus.end() - 1 : start - plus.end()] if plus else ""
    zeros = not plus and text.startswith("00", start) and text[start + 2 : start + 3] not in "0"
    if not (plus and not front.isdigit()) and not (zeros and _starts_here(cluster, i)):
        return None
    if not cluster.unglued(i, i + 1) and not plus:
        return None
    best: _Found | None = None
    valid = False
    for j, total in cluster.windows(i, 15 if plus else 17):
        if total < 7:
            continue
        raw = cluster.raw(i, j)
        state = _phone_state(cluster.page, "+" + (raw if plus else raw[2:]), None)
        if state == "valid" or (state == "possible" and plus and not valid):
            best = _Found(j, _phone_shown(cluster.digits(i, j)))
            valid = valid or state == "valid"
    return best


_CODE_WITHOUT_PLUS = frozenset({"852", "853", "886"})


def _neighbouring(cluster: _Cluster, i: int) -> _Found | None:
    """Hong Kong, Macau and Taiwan, as mainland customers write them: 852-9123 4567."""
    if cluster.digits(i, i + 1) not in _CODE_WITHOUT_PLUS or not _starts_here(cluster, i):
        return None
    for j, total in cluster.windows(i, 13):
        if total >= 11 and _phone_state(cluster.page, "+" + cluster.raw(i, j), None) == "valid":
            return _Found(j, _tail(cluster.digits(i, j)))
    return None


_NANP_SIZES = frozenset({(3, 3, 4), (1, 3, 3, 4), (3, 7), (1, 3, 7)})


def _north_american(cluster: _Cluster, i: int) -> _Found | None:
    if cluster.size(i) not in {1, 3}:
        return None
    for size in (10, 11):
        j = cluster.until(i, size, groups=4)
        if not j or cluster.sizes(i, j) not in _NANP_SIZES or not cluster.unglued(i, j):
            continue
        bracketed = ")" in cluster.raw(i, j)
        if not bracketed and (cluster.size(j - 1) == 7 or not cluster.alone(i, j)):
            continue
        # Hyphens and brackets tell by themselves, also for the numbers kept free for examples.
        told = bracketed or cluster.gaps(i, j) == {"-"}
        if told or _phone_state(cluster.page, cluster.digits(i, j), "US") == "valid":
            return _Found(j, _tail(cluster.digits(i, j)))
    return None


# Where customers write from most; each with a trunk prefix 0 or a bracketed area code.
_TRUNK_REGIONS = (
    "JP KR TW GB DE FR IT IL AU IN TH MY VN NZ ID PH TR CH AT NL BE SE PL ZA EG".split()  # noqa: SIM905
)
_BARE_TRUNK_REGIONS = ("JP", "KR", "TW", "GB", "FR", "AU", "TH", "MY")
# The numbering plan leaves out those kept free for drama and examples.
_BRITISH_MOBILE = _Pattern(r"07[1-9]\d{8}")
_BRACKET_REGIONS = ("BR", "MX", "IN", "US", "ES", "RU", "AR", "CO")


def _national(cluster: _Cluster, i: int) -> _Found | None:
    text, start = cluster.text, cluster.start(i)
    bracketed = text[start - 1 : start] == "(" and cluster.gap(i).startswith(")")
    trunk = text[start] == "0" and text[start + 1 : start + 2] in set("123456789")
    if not (bracketed or trunk) or not _starts_here(cluster, i):
        return None
    for j, total in reversed(list(cluster.windows(i, 12))):
        if total < 9 or (j - i == 1 and total not in {10, 11}) or not cluster.unglued(i, j):
            continue
        if not cluster.alone(i, j) and not cluster.labelled(i):
            continue
        regions = _BRACKET_REGIONS if not trunk else _TRUNK_REGIONS
        if j - i == 1:
            regions = _BARE_TRUNK_REGIONS
        digits = cluster.digits(i, j)
        if _BRITISH_MOBILE.fullmatch(digits) or any(
            _phone_state(cluster.page, digits, region) == "valid" for region in regions
        ):
            return _Found(j, _tail(digits))
    return None


_DATE_DIGITS = _Pattern(rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d\d)*")


def _labelled(cluster: _Cluster, i: int) -> _Found | None:
    """Whatever follows "电话", "call …" and could be a number to ring."""
    if cluster.size(i) > 15 or not cluster.labelled(i) or not cluster.unglued(i, i + 1):
        return None
    best = None
    for j, total in cluster.windows(i, 15):
        if best and (total > 12 or cluster.size(j - 1) > 5):
            break
        if total >= 7 and not _DATE_DIGITS.fullmatch(cluster.digits(i, j)):
            best = _Found(j, _tail(cluster.digits(i, j)))
    return best


_RULES: tuple[Callable[[_Cluster, int], _Found | None], ...] = (
    _resident_id,
    _mobile,
    _bank_card,
    _international,
    _landline,
    _neighbouring,
    _north_american,
    _national,
    _labelled,
)


def _phone_shown(digits: str) -> str:
    mobile = _MOBILE_DIGITS.fullmatch(digits)
    if mobile and digits.startswith(("86", "0086")):
        return f"{mobile[1][:3]}{STARS}{mobile[1][-4:]}"
    return _tail(digits)


def _phone_state(page: _Page, raw: str, region: str | None) -> Literal["valid", "possible", ""]:
    """What the numbering plan of `region` (or of the country code in `raw`) says."""
    if page.lookups <= 0:
        return "valid"
    page.lookups -= 1
    import phonenumbers

    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_valid_number(number):
        return "valid"
    return "possible" if phonenumbers.is_possible_number(number) else ""


# --- one contact --------------------------------------------------------------------------------

ContactKind = Literal["phone", "email", "message"]
ContactStyle = Literal["last_four", "middle_four"]
NameStyle = Literal["salutation", "initial"]
ContactProblem = Literal["empty", "not_phone_or_email", "invalid_phone", "invalid_email"]


class ContactError(ValueError):
    """A contact that nobody could be reached by; `reason` says why, in one word."""

    def __init__(self, reason: ContactProblem) -> None:
        super().__init__(_CONTACT_PROBLEMS[reason])
        self.reason: ContactProblem = reason


_CONTACT_PROBLEMS: dict[ContactProblem, str] = {
    "empty": "A contact is required: a phone number or an e-mail address.",
    "not_phone_or_email": "The contact is neither a phone number nor an e-mail address.",
    "invalid_phone": "The phone number does not exist in its country's numbering plan.",
    "invalid_email": "The e-mail address is not well-formed.",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a customer is reached: `address` is E.164 for a phone, or an e-mail address whose
    domain is in lower case. On a chat channel the kind is `message` and the address
    `<channel>:<user>`, by the provider's id of the person."""

    kind: ContactKind
    address: str


_CONTACT_EMAIL = _Pattern(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\uffff-]{1,64}@"
    r"((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[A-Za-z0-9-]{1,59}|[^\W\d_]{2,24}))"
)
_CONTACT_MOBILE = _Pattern(r"(?:\+|00)?(?:86)?(1[3-9]\d{9})")
_CONTACT_DIGITS = _Pattern(r"\(?\+?[\d ().\-/]+(?:(?:ext|x|转|#)[ .:]?\d{1,6})?", re.IGNORECASE)
_PUNCTUATION = str.maketrans("", "", " ().-/")


def normalise_contact(raw: str, region: str = "CN") -> Contact:
    """The contact that `raw` means (A1): full-width forms and any grouping are understood.

    A phone without a country code is one of `region` (ISO 3166, two letters).
    :class:`ContactError`, a ValueError with `reason`, for anything else.
    """
    text = raw.translate(_FOLDED).strip() if isinstance(raw, str) else ""
    if not text:
        raise ContactError("empty")
    if "@" in text:
        return _email_contact(text)
    if not _CONTACT_DIGITS.fullmatch(text):
        raise ContactError("not_phone_or_email")
    mobile = _CONTACT_MOBILE.fullmatch(text.translate(_PUNCTUATION))
    if mobile and (region == "CN" or "86" in mobile[0][: -len(mobile[1])]):
        if mobile[0].startswith("+1"):
            return _phone_contact(text, region)
        return Contact("phone", f"+86{mobile[1]}")
    return _phone_contact(text, region)


_CONTACT_CHAT = _Pattern(r"[a-z][a-z0-9_]{0,29}:([!-?A-~]{1,200})")


def chat_contact(channel: str, user: str) -> Contact:
    """The contact of a person on a chat channel, for whom that channel vouches by its signature.

    `normalise_contact` never gives one: nobody can claim another's by writing it down (G4).
    :class:`ContactError` where the provider's id could not be an address.
    """
    address = f"{channel}:{user}"
    if not _CONTACT_CHAT.fullmatch(address):
        raise ContactError("not_phone_or_email")
    return Contact("message", address)


def _email_contact(text: str) -> Contact:
    match = _CONTACT_EMAIL.fullmatch(text)
    local, _, domain = text.rpartition("@")
    dots_stray = local.startswith(".") or local.endswith(".") or ".." in local
    if not match or dots_stray or len(text) > 254:
        raise ContactError("invalid_email")
    address = f"{local}@{domain.lower()}"
    return Contact("email", address)


def _phone_contact(text: str, region: str) -> Contact:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise ContactError("invalid_phone") from None
    if not phonenumbers.is_valid_number(number):
        raise ContactError("invalid_phone")
    address = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Contact("phone", address)


def mask_contact(contact: str | None, style: ContactStyle) -> str:
    """A contact as it may be shown.

    ``last_four`` (A15, A16): everything but the last four characters, as its owner writes it, is
    ``*``: digits of a phone, characters of an e-mail address.
    ``middle_four`` (B2, D17): a phone's middle four digits, or the middle of an e-mail address's
    local part, are ``*``; a person's id on a chat channel is hidden as by the other style.
    ValueError for another style; "" for no contact.
    """
    if style not in {"last_four", "middle_four"}:
        raise ValueError(f"unknown style of contact: {style}")
    written = _written(contact)
    chat = isinstance(contact, str) and _CONTACT_CHAT.fullmatch(contact)
    if style == "last_four" or chat or len(written) <= 4:
        shown = written[-4:] if len(written) > 4 else ""
        return "*" * (len(written) - len(shown)) + shown
    if "@" in written:
        local, _, domain = written.rpartition("@")
        last = local[-1] if len(local) > 3 else ""
        return f"{local[0] if len(local) > 1 else ''}***{last}@{domain}"
    start = (len(written) - 4) // 2
    return written[:start] + STARS + written[start + 4 :]


def _written(contact: str | None) -> str:
    text = contact.translate(_FOLDED).strip() if isinstance(contact, str) else ""
    if chat := _CONTACT_CHAT.fullmatch(text):
        return chat[1]
    if "@" in text:
        return text
    digits = "".join(_GROUP.findall(text)) or text
    mobile = _CONTACT_MOBILE.fullmatch(digits)
    return mobile[1] if mobile and digits.startswith(("86", "0086")) else digits


_SALUTATION = "*先生/女士"
_TITLES = ("先生/女士", "先生", "女士", "小姐", "太太", "Mrs", "Mr", "Ms")


def mask_name(name: str | None, style: NameStyle) -> str:
    """A name as it may be shown: "" for none, ValueError for another style.

    ``salutation`` (A15): "*先生/女士", or the title that the name itself carries ("*女士").
    ``initial`` (B2): the first character only, 王** or J***.
    """
    if style not in {"salutation", "initial"}:
        raise ValueError(f"unknown style of name: {style}")
    text = name.strip() if isinstance(name, str) else ""
    if not text:
        return ""
    if style == "initial":
        first = text[0]
        return first + ("**" if _CJK_END.search(first) else "***")
    bare = text.rstrip(".")
    for title in _TITLES:
        if bare.endswith(title) or re.match(rf"{re.escape(title)}\b", bare):
            return f"*{title}"
    return _SALUTATION


def contact_hash(contact: Contact, desk: str, key: bytes) -> str:
    """A keyed name for a contact at a desk, the same for every writing of it (G4).

    HMAC-SHA256, base64url, 22 characters (132 bits). Without the key, which stays out of the
    table, a phone number cannot be found by trying them all. ValueError for an empty key.
    """
    if not key:
        raise ValueError("the key is empty")
    signed = "\0".join((desk, contact.kind, contact.address.lower())).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, signed, "sha256")).decode()[:22]


# --- structures ---------------------------------------------------------------------------------

_DEPTH = 40


def redact(value: Any, _depth: int = _DEPTH) -> Any:
    """A copy of JSON-like `value` with every string masked, keys and numbers too (G4).

    For log lines: what is not JSON is shown as its masked text, bytes as their length, and what
    is nested deeper than 40 levels as "…".
    """
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, int):
        if value.bit_length() > 64:
            return STARS
        hidden = mask(str(value))
        return value if hidden == str(value) else hidden
    if _depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {mask(str(k)): redact(item, _depth - 1) for k, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, _depth - 1) for item in value]
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    return mask(str(value))
