"""Recognise the line above a quotation: "On Monday, NAME <address> wrote:", in many languages."""

import re
from functools import cache

from functions.core.mail.word_lists import word_list

MAX_LENGTH = 400
"""Characters of such a line, unwrapped."""

EDGES = " \t*_-—–~|"
"""Characters that mail clients put around such lines."""

DATE = re.compile(
    r"(?<!\d)\d{1,2}\s?[:.hH时時点시]\s?\d{2}(?!\d)|(?<!\d)(?:19|20)\d\d(?!\d)"
    r"|(?<!\d)\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)|\d\s?[年月日년월일]"
)
_ADDRESS = re.compile(r"[\w.+'-]{1,80}@[\w-]{1,80}")
_BRACKETED = re.compile(r"(?:[<＜(\[]|&lt;)\s*(?:mailto:)?[^\s<>]{0,80}@[^\s<>]{1,80}")
_ENDS_MARKED = re.compile(r"(?:[>)\]＞]|&gt;|@[\w.-]{3,60})[\"'*\s]*[:：]$")
_TOLD = re.compile(
    r"\b(?:I|we|ich|wir|je|nous|yo|io|eu|ik|jag|jeg|я|мы|he|she|they|your|my|our|his|her|their|the"
    r"|Ihre?[mnrs]?|euer|eure|meine?|unsere?|sein|der|votre|vos|notre|mon|ma|su|sus|mi|nuestro"
    r"|vostro|mio|seu|sua|meu|uw|mijn)\b"
    r"|[我您你贵貴他她咱]|客服|[卖賣店商]家|对方|對方|同事|老板|朋友|接到|信[里中上]"
)
"""Words of a person who tells what somebody wrote, in the place of a name."""
_LETTER_CAME = re.compile(r"[收接]到|\breceived\b|\berhalten\b|\breçu\b|\brecib[ií]")


@cache
def starts() -> re.Pattern[str]:
    """The beginnings of such lines: a word, a date, or a name before a date."""
    openers = "|".join(sorted(word_list("openers"), key=len, reverse=True))
    return re.compile(
        rf"(?:(?:{openers})(?:\b|(?=\s?\d))|\d|[^\W\d_]{{1,14}}[.,]*\s+\d"
        r"|[^\W\d_]{1,14}[.,]*\s+[^\W\d_]{1,14}[.,]*\s+\d)",
        re.IGNORECASE,
    )


@cache
def wrote() -> re.Pattern[str]:
    """The verbs of such lines."""
    verbs = "|".join(sorted(word_list("wrote"), key=len, reverse=True))
    unspaced = "写道|寫道|写到|来信|來信|のメール|書きました|작성|썼습니다"
    return re.compile(rf"(?<![^\W\d_])(?:{verbs})(?![^\W_])|{unspaced}", re.IGNORECASE)


def is_introduction(text: str, *, quotes: bool) -> bool:
    """Return whether a line (unwrapped) introduces a quotation; `quotes` if marked lines follow."""
    text = text.strip(EDGES + ">")
    if len(text) > MAX_LENGTH or _LETTER_CAME.search(text):
        return False
    colon = text.endswith((":", "："))
    dated = DATE.search(text) is not None
    address = _ADDRESS.search(text) is not None
    if not (dated or address or quotes):
        return False
    opens = starts().match(text.lstrip("([「『【\"'“")) is not None
    verb = next(reversed(list(wrote().finditer(text))), None)
    if verb is None:
        if quotes and dated and opens and re.search(r"[^\s<>]+@[^\s<>]+>?$", text):
            return True
        marked = _ENDS_MARKED.search(text) is not None
        return colon and dated and opens and (marked or (quotes and len(text) < 160))
    if not colon and verb.end() < len(text) - 3:
        return False
    if verb.start() == 0 and colon and _BRACKETED.search(text):
        return True
    numbered = dated or re.search(r"\d", text) is not None
    if address:
        return (opens and numbered) or (colon and _BRACKETED.search(text) is not None)
    if quotes:
        return colon and (opens or dated or len(text.split()) <= 12)
    if not colon or not dated or len(text) > 120 or _TOLD.search(text):
        return False
    behind = text[verb.end() :].strip(" :：")
    is_name = not behind or behind[0].isupper() or behind[0] in "\"'<„“("
    return is_name and (opens or not verb.group().isascii())
