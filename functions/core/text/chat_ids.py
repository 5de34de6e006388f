"""The recogniser of WeChat ids and QQ numbers, which only the word before them tells apart."""

import re

from functions.core.text.masked_text import MaskedText
from functions.core.text.patterns import LazyPattern, tail

_WECHAT = LazyPattern(
    r"(加(?:我|一下)?的?)?(?:([微薇威]信?|[vw]信)|(?<![A-Za-z])(?:wechat|vx|wx)"
    r"|(?<=加|我)v(?![A-Za-z0-9]))"
    r"( ?(?:号码?|id|账号)(?![A-Za-z]))?([ :=是为(]{0,4}(?:is )?)"
    r"([A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z0-9_-]|[.@][A-Za-z0-9])",
    re.IGNORECASE,
)
_QQ = LazyPattern(
    r"(?:(?<![A-Za-z])QQ|扣扣|企鹅(?=群|号))(?:群?号码?|群|ID)?[ :=#是为(]{0,4}(?:is )?"
    r"([1-9]\d{4,9})(?![\d.]*\d)",
    re.IGNORECASE,
)


def hide_chat_ids(masked: MaskedText) -> None:
    """Hide WeChat ids and QQ numbers that are named as such."""
    text = masked.folded
    for match in _WECHAT.finditer(text):
        if _names_an_id(*match.groups()):
            masked.hide(*match.span(5), f"{match[5][0]}***")
    masked.settle()
    for match in _QQ.finditer(text):
        masked.hide(*match.span(1), tail(match[1]))
    masked.settle()


def _names_an_id(
    invited: str | None, chinese: str | None, named: str | None, between: str, name: str
) -> bool:
    """Tell an id from the product's other words: "微信 Android 版", "wx:for-items"."""
    has_digit = any(char.isdigit() for char in name)
    introduced = not set(between).isdisjoint(":=是为") or "is" in between
    if invited:
        return True
    if named:
        return introduced or has_digit or "_" in name
    if not name.islower():
        return False
    return bool(between) and (has_digit or (introduced and bool(chinese or " " in between)))
