"""Find amounts of money in a customer's text (B4: large amounts are P1)."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_UNIT = r"\s*(万|千|百|k)?"
_SYMBOL_BEFORE = re.compile(
    rf"(?:[¥$€£]|rmb|cny|usd|金额|人民币|共计|合计)\s*:?\s*{_NUMBER}{_UNIT}", re.IGNORECASE
)
_UNIT_AFTER = re.compile(
    rf"{_NUMBER}{_UNIT}\s*(?:元|块|圆|rmb|cny|yuan|usd|dollars?|euros?)", re.IGNORECASE
)
_MULTIPLIERS = {"万": 10_000, "千": 1000, "百": 100, "k": 1000}


def amount_in(text: str) -> Decimal | None:
    """Return the largest amount in a text, whatever its currency; None if there is none.

    Conditions compare it with `amount_over`, whose unit is the desk's currency.
    """
    normalized = unicodedata.normalize("NFKC", text)
    amounts = [
        Decimal(number.replace(",", "")) * _MULTIPLIERS.get(unit.lower(), 1)
        for pattern in (_SYMBOL_BEFORE, _UNIT_AFTER)
        for number, unit in pattern.findall(normalized)
    ]
    return max(amounts, default=None)
