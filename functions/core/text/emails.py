"""The recogniser of e-mail addresses in free text."""

from functions.core.text.masked_text import MaskedText
from functions.core.text.patterns import CJK, CJK_END, LETTER, LazyPattern

_LOCAL_REVERSED = LazyPattern(rf'"[^"\n]{{1,64}}"|(?:[^\W{CJK}]|[.+%\'&-]){{1,64}}')
_LABEL = rf"[^\W_{CJK}](?:[^\W{CJK}]|-){{0,62}}"
_DOMAIN = LazyPattern(
    rf"(?:{_LABEL}(?:\.|。(?=(?:com|cn|net|org)(?![A-Za-z])))){{1,8}}"
    rf"(?:xn--[A-Za-z0-9-]{{1,59}}|{LETTER}{{2,24}})(?!{LETTER})"
)
_CJK_DOMAIN = LazyPattern(rf"[{CJK}][\w-]{{0,62}}(?:\.[\w-]{{1,63}}){{1,3}}")
_FILE_NAMES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "json", "html"})


def hide_emails(masked: MaskedText) -> None:
    """Hide all but the first letters and the top-level domain of e-mail addresses."""
    text, done = masked.folded, 0
    at = text.find("@")
    while at >= 0:
        address = _email_at(text, at, done)
        if address:
            start, end, replacement = address
            masked.hide(start, end, replacement)
            done = end
        at = text.find("@", max(at + 1, done))
    masked.settle()


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
    if CJK_END.search(before):
        # A local part in CJK script cannot be separated from the words before it. Hiding the
        # domain is enough to make the address useless.
        return at + 1, domain.end(), hidden
    return None


def _hidden_part(part: str) -> str:
    return f"{part[0]}***" if len(part) >= 3 and part[0].isalnum() else "***"


def _hidden_domain(domain: str) -> str:
    name, _, top = domain.rpartition(".")
    return f"{_hidden_part(name)}.{top}"
