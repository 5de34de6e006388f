"""Masking of personal data before a text is stored for display, logged or returned (G4).

:func:`mask` hides in free text:

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
WeChat id, QQ number   beside the word                ``a***``, ``****78``
=====================  =============================  ==============================

Dates, times, amounts, versions, network addresses, order and ticket numbers do not change.
Digits of any script and spelling count as digits (`folding`); mobiles, landlines, resident ids and
bank cards are also seen across line breaks and separators such as `,_:`. If digits have the form of
a phone number, a numbering plan (phonenumbers) decides; otherwise a word before them may ("电话",
"call", "订单号").

Libraries that are slow to import are loaded when a text first needs them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from functions.core.text.chat_ids import hide_chat_ids
from functions.core.text.clusters import Cluster, Recognised, clusters
from functions.core.text.emails import hide_emails
from functions.core.text.identity_numbers import (
    bank_card,
    check_x_end,
    hide_ibans,
    hide_passports,
    old_resident_id,
    resident_id,
)
from functions.core.text.masked_text import MaskedText
from functions.core.text.ordinary_numbers import ORDINARY, blank_references
from functions.core.text.patterns import STARS, LazyPattern, tail
from functions.core.text.phone_numbers import (
    international_phone,
    labelled_phone,
    mainland_landline,
    mainland_mobile,
    national_phone,
    neighbouring_phone,
    north_american_phone,
)

Recogniser = Callable[[Cluster, int], Recognised | None]

_CANDIDATE = LazyPattern(
    r"@|\d(?:\D{0,6}\d){5}|[微薇威]|[VvWw]信|[加我][Vv]|扣扣|[VvWw][Xx]|[Qq]{2}|[Ww]e[Cc]hat|WECHAT"
)


def mask(text: str) -> str:
    """Hide contacts, identity and account numbers in a text (G4).

    The text around them is unchanged, masking twice changes nothing, and the time is linear in the
    length of the text. Never raises; anything but a string gives "".
    """
    if not isinstance(text, str):
        return ""
    # Hiding one number can, rarely, reveal its neighbour as another one.
    for _ in range(_PASSES):
        masked = _mask_once(text)
        if masked == text:
            break
        text = masked
    return text


_PASSES = 6


def mask_but(text: str, public: Iterable[str]) -> str:
    """Mask a text except for the desk's own numbers and addresses, as spelled in `public`.

    For messages to customers: a hotline in an agent's reply is not personal. As part of a longer
    number or address it is masked nevertheless. Short numbers (12345) are ignored: `mask` never
    hides them, and sparing one would split a longer number (+86 12345 678901).
    """
    long_enough = [
        contact for contact in public if "@" in contact or len(re.sub(r"\D", "", contact)) >= 7
    ]
    spelled = "|".join(map(re.escape, sorted(long_enough, key=len, reverse=True)))
    if not spelled or not isinstance(text, str):
        return mask(text)
    whole = re.compile(rf"(?<![A-Za-z0-9_.@+%-])({spelled})(?![A-Za-z0-9_@]|[.-][A-Za-z0-9_])")
    return "".join(part if at % 2 else mask(part) for at, part in enumerate(whole.split(text)))


def _mask_once(text: str) -> str:
    masked = MaskedText(text)
    if not _CANDIDATE.search(masked.folded):
        return text
    hide_emails(masked)
    hide_chat_ids(masked)
    if masked.has_digits():
        hide_ibans(masked)
        hide_passports(masked)
        masked.blank(ORDINARY)
        blank_references(masked)
        _hide_joined_numbers(masked)
        for cluster in clusters(masked, masked.folded):
            _hide_numbers(masked, cluster)
    return masked.result()


def _hide_joined_numbers(masked: MaskedText) -> None:
    """Hide numbers that go on over a line break or a separator such as `,_:`."""
    joined = masked.joined()
    for cluster in clusters(masked, joined) if joined else ():
        i = cluster.first
        while i < cluster.last:
            number = _number_at(cluster, i, _IN_JOINED)
            if number is None:
                i += 1
                continue
            start, end = _extent(cluster, i, number)
            # The others are left to the recognisers that see the text as it is written.
            if masked.folded[start:end] != cluster.text[start:end]:
                masked.hide(start, end, number.shown)
            i = cluster.edge = number.end
    masked.settle()


def _hide_numbers(masked: MaskedText, cluster: Cluster) -> None:
    i = cluster.first
    while i < cluster.last:
        number = _number_at(cluster, i, _RECOGNISERS)
        if number is None:
            i += 1
            continue
        start, end = _extent(cluster, i, number)
        masked.hide(start, end, number.shown)
        twin = number.phone and number.end < cluster.last and _is_twin(cluster, number.end)
        i = cluster.edge = number.end
        # 010-12345678/87654321: the second number has the same area code.
        if twin:
            masked.hide(cluster.start(i), cluster.end(i + 1), tail(cluster.digits(i, i + 1)))
            i = cluster.edge = i + 1


def _number_at(cluster: Cluster, i: int, recognisers: Iterable[Recogniser]) -> Recognised | None:
    for recognise in recognisers:
        number = recognise(cluster, i)
        if number:
            return number
    return None


def _extent(cluster: Cluster, i: int, number: Recognised) -> tuple[int, int]:
    """Return the span of a number in the text, with its plus sign, bracket or check digit."""
    start, end = cluster.start(i), cluster.end(number.end)
    text = cluster.text
    if number.phone:
        plus = cluster.plus(i)
        if plus:
            start -= plus.end()
        opened = text[start - 1 : start] == "("
        if opened and text[start:end].count(")") > text[start:end].count("("):
            start -= 1
    else:
        end = check_x_end(text, end)
    return start, end


def _is_twin(cluster: Cluster, i: int) -> bool:
    return cluster.gap(i - 1).strip() == "/" and cluster.size(i) in {7, 8}


_IN_JOINED: tuple[Recogniser, ...] = (
    resident_id,
    mainland_mobile,
    bank_card,
    mainland_landline,
)
"""Those whose numbers have a form of their own, so that a list of other numbers is none."""

_RECOGNISERS: tuple[Recogniser, ...] = (
    resident_id,
    old_resident_id,
    mainland_mobile,
    bank_card,
    international_phone,
    mainland_landline,
    neighbouring_phone,
    north_american_phone,
    national_phone,
    labelled_phone,
)


_DEPTH = 40


def redact(value: Any, _depth: int = _DEPTH) -> Any:
    """Copy a JSON-like value with every string, key and number masked (G4), for log lines.

    Other values become their masked text, bytes their length, and values nested deeper than 40
    levels "…".
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
