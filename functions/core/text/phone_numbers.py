"""Recognisers of phone numbers, of mainland China (MIIT numbering plan) and elsewhere."""

from typing import Literal

from functions.core.text.clusters import Cluster, Recognised
from functions.core.text.masked_text import MaskedText
from functions.core.text.ordinary_numbers import YEAR
from functions.core.text.patterns import STARS, LazyPattern, tail

_MOBILE_DIGITS = LazyPattern(r"(?:(?:00)?86)?0?(1[3-9]\d{9})")
_MOBILE_SIZES = frozenset(
    {(11,), (3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (4, 3, 4), (3, 3, 5), (5, 6), (5, 3, 3)}
)
_LANDLINE = LazyPattern(r"(?:0|86)(?:10|2\d|[3-9]\d\d)[2-8]\d{6,7}")
_LANDLINE_SIZES = LazyPattern(r"1[0-2]|(?:3|4|2,2|2,3),(?:7|8|4,4|3,4|4,3)")
_SERVICE_SIZES = frozenset({(3, 3, 4), (4, 3, 3), (3, 4, 3), (3, 7)})


def mainland_mobile(cluster: Cluster, i: int) -> Recognised | None:
    match = cluster.match(_MOBILE_DIGITS, i)
    j = cluster.until(i, len(match[0])) if match else None
    if not match or not j or not _mobile_place(cluster, i, j):
        return None
    if len(match[0]) == 11 and cluster.plus(i):
        return None
    if cluster.sizes(i, j) in _NANP_SIZES:
        return Recognised(j, tail(match[1]))
    return Recognised(j, f"{match[1][:3]}{STARS}{match[1][-4:]}")


def _mobile_place(cluster: Cluster, i: int, j: int) -> bool:
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


def _whole(cluster: Cluster, i: int, j: int) -> bool:
    return i == 0 and j == len(cluster.groups)


def mainland_landline(cluster: Cluster, i: int) -> Recognised | None:
    """Recognise a landline or service number (400, 800) of mainland China."""
    start = cluster.start(i)
    if cluster.text[start] not in "048":
        return None
    for size in (10, 11, 12, 13):
        j = cluster.until(i, size, groups=4)
        if not j or not _starts_here(cluster, i) or not cluster.unglued(i, j):
            continue
        digits, sizes = cluster.digits(i, j), cluster.sizes(i, j)
        if digits[:3] in {"400", "800"} and sizes in _SERVICE_SIZES:
            return Recognised(j, tail(digits))
        if not _LANDLINE.fullmatch(digits) or not _LANDLINE_SIZES.fullmatch(
            ",".join(map(str, sizes))
        ):
            continue
        if digits[0] == "8" and (j - i == 1 or not cluster.gaps(i, j) <= {"", "-"}):
            continue
        spaced = j - i > 1 and cluster.gaps(i, j) == {""} and cluster.text[start - 1 : start] != "("
        alone = cluster.alone(i, j) or _has_extension(cluster, j)
        if spaced and not alone and not cluster.labelled(i):
            continue
        if j == cluster.last or not _reads_on(cluster, i, j):
            return Recognised(j, tail(digits))
    return None


def _has_extension(cluster: Cluster, j: int) -> bool:
    """Return whether the last group is the extension of a number: 021 61234567-8012."""
    return cluster.gap(j - 1) == "-" and j + 1 == len(cluster.groups) and cluster.size(j) <= 5


def _starts_here(cluster: Cluster, i: int) -> bool:
    gap = cluster.gap(i - 1)
    return not gap or " " in gap or gap[0] in "/)"


def _reads_on(cluster: Cluster, i: int, j: int) -> bool:
    """Return whether the next group belongs to the number: 0755-888 6666 ends after it."""
    longer = cluster.digits(i, j + 1)
    return cluster.gap(j - 1) in {"-", " "} and bool(_LANDLINE.fullmatch(longer))


def international_phone(cluster: Cluster, i: int) -> Recognised | None:
    """Recognise a number with `+` or `00` and a country code."""
    text, start = cluster.text, cluster.start(i)
    plus = cluster.plus(i)
    front = text[start - plus.end() - 1 : start - plus.end()] if plus else ""
    zeros = not plus and text.startswith("00", start) and text[start + 2 : start + 3] not in "0"
    if not (plus and not front.isdigit()) and not (zeros and _starts_here(cluster, i)):
        return None
    if not cluster.unglued(i, i + 1) and not plus:
        return None
    best: Recognised | None = None
    valid = False
    for j, total in cluster.windows(i, 15 if plus else 17):
        if total < 7:
            continue
        raw = cluster.raw(i, j)
        state = _phone_state(cluster.masked, "+" + (raw if plus else raw[2:]), None)
        if state == "valid" or (state == "possible" and plus and not valid):
            best = Recognised(j, _phone_shown(cluster.digits(i, j)))
            valid = valid or state == "valid"
    return best


_CODE_WITHOUT_PLUS = frozenset({"852", "853", "886"})


def neighbouring_phone(cluster: Cluster, i: int) -> Recognised | None:
    """Recognise a number of Hong Kong, Macau or Taiwan without `+`: 852-9123 4567."""
    if cluster.digits(i, i + 1) not in _CODE_WITHOUT_PLUS or not _starts_here(cluster, i):
        return None
    for j, total in cluster.windows(i, 13):
        if total >= 11 and _phone_state(cluster.masked, "+" + cluster.raw(i, j), None) == "valid":
            return Recognised(j, tail(cluster.digits(i, j)))
    return None


_NANP_SIZES = frozenset({(3, 3, 4), (1, 3, 3, 4), (3, 7), (1, 3, 7)})


def north_american_phone(cluster: Cluster, i: int) -> Recognised | None:
    if cluster.size(i) not in {1, 3}:
        return None
    for size in (10, 11):
        j = cluster.until(i, size, groups=4)
        if not j or cluster.sizes(i, j) not in _NANP_SIZES or not cluster.unglued(i, j):
            continue
        bracketed = ")" in cluster.raw(i, j)
        if not bracketed and (cluster.size(j - 1) == 7 or not cluster.alone(i, j)):
            continue
        # Hyphens or brackets suffice, also for numbers reserved for examples.
        separated = bracketed or cluster.gaps(i, j) == {"-"}
        if separated or _phone_state(cluster.masked, cluster.digits(i, j), "US") == "valid":
            return Recognised(j, tail(cluster.digits(i, j)))
    return None


# The countries that most customers write from, with a trunk prefix 0 or a bracketed area code.
_TRUNK_REGIONS = (
    "JP KR TW GB DE FR IT IL AU IN TH MY VN NZ ID PH TR CH AT NL BE SE PL ZA EG".split()  # noqa: SIM905
)
_BARE_TRUNK_REGIONS = ("JP", "KR", "TW", "GB", "FR", "AU", "TH", "MY")
# The numbering plan omits numbers reserved for drama and examples.
_BRITISH_MOBILE = LazyPattern(r"07[1-9]\d{8}")
_BRACKET_REGIONS = ("BR", "MX", "IN", "US", "ES", "RU", "AR", "CO")


def national_phone(cluster: Cluster, i: int) -> Recognised | None:
    """Recognise a number with a trunk prefix 0 or a bracketed area code."""
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
            _phone_state(cluster.masked, digits, region) == "valid" for region in regions
        ):
            return Recognised(j, tail(digits))
    return None


_DATE_DIGITS = LazyPattern(rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d\d)*")


def labelled_phone(cluster: Cluster, i: int) -> Recognised | None:
    if cluster.size(i) > 15 or not cluster.labelled(i) or not cluster.unglued(i, i + 1):
        return None
    best = None
    for j, total in cluster.windows(i, 15):
        if best and (total > 12 or cluster.size(j - 1) > 5):
            break
        if total >= 7 and not _DATE_DIGITS.fullmatch(cluster.digits(i, j)):
            best = Recognised(j, tail(cluster.digits(i, j)))
    return best


def _phone_shown(digits: str) -> str:
    mobile = _MOBILE_DIGITS.fullmatch(digits)
    if mobile and digits.startswith(("86", "0086")):
        return f"{mobile[1][:3]}{STARS}{mobile[1][-4:]}"
    return tail(digits)


def _phone_state(
    masked: MaskedText, raw: str, region: str | None
) -> Literal["valid", "possible", ""]:
    """Look a number up in the numbering plan of `region` or of its country code."""
    if masked.lookups <= 0:
        return "valid"
    masked.lookups -= 1
    import phonenumbers

    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_valid_number(number):
        return "valid"
    return "possible" if phonenumbers.is_possible_number(number) else ""
