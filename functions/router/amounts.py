"""Sums of money in what customers write (B4: large sums are P1)."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_UNIT = r"\s*(万|千|百|k)?"
_BEFORE = re.compile(
    rf"(?:[¥$€£]|rmb|cny|usd|金额|人民币|共计|合计)\s*:?\s*{_NUMBER}{_UNIT}", re.IGNORECASE
)
_AFTER = re.compile(
    rf"{_NUMBER}{_UNIT}\s*(?:元|块|圆|rmb|cny|yuan|usd|dollars?|euros?)", re.IGNORECASE
)
_TIMES = {"万": 10_000, "千": 1000, "百": 100, "k": 1000}


def amount_in(text: str) -> Decimal | None:
    """The largest sum that a text names, in the unit that it is written in; None without one.

    Conditions compare it with `amount_over`, whose unit is the desk's own currency.
    """
    plain = unicodedata.normalize("NFKC", text)
    found = [
        Decimal(number.replace(",", "")) * _TIMES.get(unit.lower(), 1)
        for pattern in (_BEFORE, _AFTER)
        for number, unit in pattern.findall(plain)
    ]
    return max(found, default=None)
