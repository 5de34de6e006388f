"""Recognisers of identity and account numbers: resident ids, passports, IBANs, bank cards."""

import re

from functions.core.text.clusters import Cluster, Recognised
from functions.core.text.masked_text import MaskedText
from functions.core.text.patterns import STARS, LazyPattern, tail

_IBAN = LazyPattern(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}|[a-z]{2})\d\d(?:[ -]?[A-Za-z0-9]){11,30}(?![^\W_]{40})"
)
# In the form of an IBAN but invalid: the groups inside are no phone number either.
_IBAN_LIKE = LazyPattern(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?:[ -][A-Za-z0-9]{4}){2,7}"
    r"(?:[ -][A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_WORD = LazyPattern(r"[A-Za-z0-9]+")
_PASSPORT_AFTER = LazyPattern(
    r"(?:护照|通行证|旅行证|passport)[^\n\d]{0,16}?(?<![A-Za-z0-9])([A-Z]{1,2}\d{6,9}|\d{9})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PASSPORT_BEFORE = LazyPattern(
    r"(?<![A-Za-z0-9])([A-Z]{1,2}\d{7,8})(?![A-Za-z0-9])(?=[^\n\w]{0,3}[是为]?我?的?(?:护照|通行证|旅行证)|"
    r" (?:is|was) (?:my|the) passport)",
    re.IGNORECASE,
)


def hide_ibans(masked: MaskedText) -> None:
    text = masked.folded
    for match in _IBAN.finditer(text):
        end = _iban_end(text, match)
        if end:
            compact = "".join(_WORD.findall(text, match.start(), end))
            masked.hide(match.start(), end, tail(compact))
    masked.settle()
    masked.blank(_IBAN_LIKE)


def _iban_end(text: str, match: re.Match[str]) -> int:
    """Return the end of the IBAN at `match`: the longest valid run of whole groups, or 0."""
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
    # Product keys are written in mixed case, accounts are not.
    if compact not in {compact.upper(), compact.lower()}:
        return False
    from stdnum import iban

    return bool(iban.is_valid(compact, check_country=False))


def hide_passports(masked: MaskedText) -> None:
    """Hide passport numbers next to a word for passport."""
    spans = {
        match.span(1)
        for pattern in (_PASSPORT_AFTER, _PASSPORT_BEFORE)
        for match in pattern.finditer(masked.folded)
    }
    for start, end in sorted(spans):
        masked.hide(start, end, tail(masked.folded[start:end]))
    masked.settle()


# Resident ids: GB 11643-1999. The 15-digit form has no check digit, so its place and date must be
# valid.
CHECK_X = LazyPattern(r"[ -]?[Xx](?![A-Za-z0-9])")


def check_x_end(text: str, end: int) -> int:
    """Return the position after a check digit X, or `end` without one."""
    match = CHECK_X.match(text, end)
    return match.end() if match else end


_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[1-9])"
_RESIDENT_18 = LazyPattern(
    rf"{_PROVINCE}\d{{4}}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}"
)
_RESIDENT_15 = LazyPattern(
    rf"{_PROVINCE}\d{{4}}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}"
)
_RESIDENT_LABEL = LazyPattern(
    r"身份证[^\d\n]{0,12}$|(?<![A-Za-z])ID card[^\d\n]{0,12}$", re.IGNORECASE
)


def resident_id(cluster: Cluster, i: int) -> Recognised | None:
    if cluster.match(_RESIDENT_18, i):
        for size in (18, 17):
            j = cluster.until(i, size)
            digits = cluster.digits(i, j) if j else ""
            if j and size == 17:
                digits += "X" if CHECK_X.match(cluster.text, cluster.end(j)) else "-"
            if j and _is_resident_18(cluster, i, digits):
                return Recognised(j, STARS + digits[-4:], phone=False)
    return None


def old_resident_id(cluster: Cluster, i: int) -> Recognised | None:
    if cluster.match(_RESIDENT_15, i):
        j = cluster.until(i, 15)
        if j and cluster.alone(i, j) and cluster.unglued(i, j):
            return Recognised(j, STARS + cluster.digits(i, j)[-4:], phone=False)
    return None


def _is_resident_18(cluster: Cluster, i: int, digits: str) -> bool:
    if digits[-1] == "-":
        return False
    # ISO 7064 MOD 11-2, in base 13 as in python-stdnum, but without its table of places, which
    # lacks the newest ones.
    check = (1 - 2 * int(digits[:17], 13)) % 11
    if digits[17] == ("X" if check == 10 else str(check)):
        return True
    start = cluster.start(i)
    return bool(_RESIDENT_LABEL.search(cluster.text[max(0, start - 24) : start]))


# Bank cards: ISO/IEC 7812 lengths and first digits of the schemes in use.
_CARD = LazyPattern(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|1\d{14}"
    r"|(?:6\d|81|50|5[6-8])\d{14,17}|9558\d{12,15}"
)
_CARD_SIZES = LazyPattern(r"(?:4,){3}[1-7]|(?:4,){4}[1-3]|4,6,[45]|6,(?:10|13)|8,8|8,11|1[3-9]")
_CARD_LABEL = LazyPattern(
    r"(?:卡号?|账号|帐号|(?<![A-Za-z])card|account)[^\d\n]{0,16}$", re.IGNORECASE
)
# Not every mainland card has a valid check digit; introduced in so many words, it is one.
_MAINLAND_CARD = LazyPattern(r"62\d{14,17}|\d{19}")
_CARD_NAME = LazyPattern(
    r"(?:(?:银行|信用|借记|储蓄)卡|卡号|账号|帐号"
    r"|(?<![A-Za-z])(?:(?:bank|credit|debit) card|card (?:number|no)))"
    r"[ :.=#()是为]{0,4}(?:号码?|numbers?|no|is)?[ :.=#()是为]{0,4}(?:is )?$",
    re.IGNORECASE,
)


def bank_card(cluster: Cluster, i: int) -> Recognised | None:
    if not cluster.match(_CARD, i):
        return None
    start = cluster.start(i)
    named = bool(_CARD_NAME.search(cluster.text[max(0, start - 40) : start]))
    for size in range(19, 12, -1):
        j = cluster.until(i, size, groups=6)
        digits = cluster.digits(i, j) if j else ""
        if (
            not j
            or not _CARD.fullmatch(digits)
            or not (_luhn(digits) or (named and _MAINLAND_CARD.fullmatch(digits)))
        ):
            continue
        shape = ",".join(map(str, cluster.sizes(i, j)))
        if _CARD_SIZES.fullmatch(shape) and _card_place(cluster, i, j, digits):
            return Recognised(j, STARS + digits[-4:], phone=False)
    return None


def _card_place(cluster: Cluster, i: int, j: int, digits: str) -> bool:
    if not cluster.unglued(i, j) or len(cluster.gaps(i, j)) > 1:
        return False
    # Another group of four with the same separator makes it a longer number.
    same = {cluster.gap(k) for k in range(i, j - 1)} or {"-", "."}
    if cluster.gap(i - 1) in same and (j - i == 1 or cluster.size(i - 1) == 4):
        return False
    if cluster.gap(j - 1) in same and (j - i == 1 or cluster.size(j) == 4):
        return False
    if j - i > 1 or len(digits) not in {13, 19} or digits[0] != "4":
        return True
    # 13 or 19 digits without separators that begin with 4 are more often a bar code or an order.
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
