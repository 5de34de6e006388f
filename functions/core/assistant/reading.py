"""Readings of a customer's words beside a question: choice, rating, number, contact, code.

Pure. People write `5分`, `第一个`, `验证码是 204 857` and `我的手机号是13800138000`.
"""

from __future__ import annotations

import re
import unicodedata

from functions.core.domain.matching import fold, mentions
from functions.core.text.contacts import Contact, ContactError, normalise_contact

_ENDS = " ~!.?,。！？，、"
_NUMERALS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}


def bare(written: str) -> str:
    """Return a message folded, without punctuation around it."""
    return fold(written).strip(_ENDS)


_SCORE = re.compile(r"([1-5一二三四五])\s*(?:分|星|points?|stars?)?")


def score_in(written: str) -> int | None:
    """Return the rating in a message that is nothing else: `5`, `五分`, `4 stars`."""
    found = _SCORE.fullmatch(bare(written))
    if found is None:
        return None
    return _NUMERALS.get(found[1]) or int(found[1])


_CHOICE = re.compile(r"(?:选|第|option |number |no )?([0-9一二三])\s*(?:个|项|)?[)）]?")


def choice_in(written: str) -> int | None:
    """Return the number of an option in a message that is nothing else: `2`, `第一个`."""
    found = _CHOICE.fullmatch(bare(written))
    if found is None:
        return None
    return _NUMERALS[found[1]] if found[1] in _NUMERALS else int(found[1])


_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z-]*\d)[A-Za-z0-9-]{4,40}(?![A-Za-z0-9])")


def number_in(written: str) -> str | None:
    """Return the only number in a message ("订单号是20261130003，谢谢"), as it was written."""
    found = _NUMBER.findall(written)
    return found[0] if len(found) == 1 else None


_LACKS = (
    "没有", "没带", "没记", "没存", "不知道", "不记得", "忘了", "忘记", "找不到", "不清楚",
    "don't have", "do not have", "don't know", "do not know", "can't find", "forgot", "no idea",
)  # fmt: skip


def lacks_it(written: str) -> bool:
    """Return whether a customer who was asked for a value says that they have none."""
    return mentions(fold(written), _LACKS) is not None


_FAREWELLS = frozenset(
    {"再见", "拜拜", "bye", "bye bye", "goodbye", "good bye", "不用了", "没有了", "no thanks",
     "that's all", "nothing else"}
)  # fmt: skip


def takes_leave(written: str) -> bool:
    """Return whether a message says that the customer needs nothing more."""
    return bare(written) in _FAREWELLS


_CODE = re.compile(r"(?:\D{0,24})(\d(?:[ -]?\d){5})\D{0,8}")


def code_in(written: str) -> str | None:
    """Return the six digits in a message that says little else."""
    found = _CODE.fullmatch(fold(written))
    return re.sub(r"\D", "", found[1]) if found else None


_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+?\d[\d ()-]{5,18}\d")
_ABOUT_IT = re.compile(
    r"[\s:,.'’]|的|是|我|本人|手机号码|手机号|手机|电话号码|电话|号码|联系方式|邮箱地址|邮箱|邮件|地址"
    r"|\b(?:my|is|it|it's|phone|mobile|number|email|e-mail|mail|address|the)\b",
    re.IGNORECASE,
)


def contact_in(written: str) -> Contact | None:
    """Return the contact in a message that says nothing else: `my email is li@example.com`."""
    text = unicodedata.normalize("NFKC", written)  # not folded: a mailbox may tell capitals apart
    found = _MAIL.search(text) or _PHONE.search(text)
    if found is None or _ABOUT_IT.sub("", text.replace(found[0], "", 1)):
        return None
    try:
        return normalise_contact(found[0])
    except ContactError:
        return None
