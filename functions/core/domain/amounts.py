"""Find amounts of money in a customer's text (B4: large amounts are P1)."""

import re
import unicodedata
from decimal import Decimal

_FORMAL = str.maketrans(
    "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億圓塊兩",
    "一二二三三四五六六七八九十百千万亿圆块两",
)
"""Numerals of cheques and traditional characters → those that everybody writes."""

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {"两": 2, "几": 2, "〇": 0}  # 几万 is two or more
_TENS = {"十": 10, "百": 100, "千": 1000}
_UNITS = {"": 1, "百": 100, "千": 1000, "万": 10_000, "百万": 1_000_000, "千万": 10_000_000}
_UNITS |= {"亿": 100_000_000, "k": 1000, "w": 10_000}

_APART = r"(?:(?<=rmb)|(?<=cny)|(?<=usd)|(?<![\d.,*a-z]))"
_ARABIC = rf"{_APART}(?:\d{{1,3}}(?:,\d{{3}}){{1,4}}|\d{{1,9}}(?!\d))(?:\.\d{{1,4}})?"
_CHINESE = r"(?<![第十百千\d])[一二两三四五六七八九十几][零〇一二两三四五六七八九十百千几]{0,8}"
_AMOUNT = re.compile(
    rf"(?P<before>(?:[¥$€£]|rmb|cny|usd|金额|人民币|共计|合计)\s?:?\s?"
    r"|(?:扣[款费]?|转账?|付[款费]?|支付|缴费?|充值?|损失|骗走?|盗?刷走?|少|欠|赔|退款?)"
    r"(?:了|走|掉|我|你们|们|共|约|大概|将近|差不多|款){0,3}\s?:?\s?)?"
    rf"(?:(?P<number>{_ARABIC})|(?P<words>{_CHINESE}))[多余来几]?\s?"
    r"(?P<unit>百万|千万|万|亿|千|百|k(?![a-z])|w(?![a-z充快功灯适电瓦无]))?"
    r"(?:(?<=[万w])(?P<rest>[一二三四五六七八九]|[1-9](?!\d))千?)?[多余来几]?\s?"
    r"(?P<after>元|块(?!儿?[地屏板])|圆|人民币|大洋|rmb|cny|yuan|usd|dollars?|euros?)?",
    re.IGNORECASE,
)
_LARGE = frozenset({"万", "百万", "千万", "亿", "k", "w"})
"""Units that make a number an amount without a currency, unless things are counted."""
_COUNTED = re.compile(
    r"\s?(?:[个人台次条名位户件张步字里公天年月日号小分秒岁度遍笔回倍转粉用]|users?\b|people|steps|rows"
    r"|times|火急|video|电视)"
)


def amount_in(text: str) -> Decimal | None:
    """Return the largest amount in a text, whatever its currency; None if there is none.

    Conditions compare it with `amount_over`, whose unit is the desk's currency. An amount has a
    currency, follows a verb such as 扣了, or is written in 万, w or k and counts nothing else.
    """
    normalized = unicodedata.normalize("NFKC", text).translate(_FORMAL)
    return max(filter(None, map(_value, _AMOUNT.finditer(normalized))), default=None)


def _value(match: re.Match[str]) -> Decimal | None:
    unit = (match["unit"] or "").lower()
    counted = _COUNTED.match(match.string, match.end()) is not None
    if not match["after"] and counted:
        return None
    bare = not (match["before"] or match["after"])
    if bare and (unit not in _LARGE or (unit == "k" and len(match["number"] or "") < 2)):
        return None
    if match["number"]:
        number = Decimal(match["number"].replace(",", ""))
    else:
        number = Decimal(_chinese(match["words"]))
    rest = match["rest"] or "0"  # 两万五, 3万5
    return number * _UNITS[unit] + 1000 * (_DIGITS[rest] if rest in _DIGITS else int(rest))


def _chinese(words: str) -> int:
    """Return the value of a Chinese numeral below 万, such as 三千五百."""
    total, digit = 0, 0
    for char in words:
        if char in _TENS:
            total, digit = total + (digit or 1) * _TENS[char], 0
        else:
            digit = _DIGITS[char]
    return total + digit
