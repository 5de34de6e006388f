"""Contacts: parsing them, masking them and names for display, and their keyed hash."""

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from functions.core.domain.countries import PHONE_REGION
from functions.core.domain.errors import Phrase
from functions.core.text.folding import FOLDED, INVISIBLE
from functions.core.text.patterns import CJK_END, STARS, LazyPattern

ContactKind = Literal["phone", "email", "message"]
ContactStyle = Literal["last_four", "middle_four"]
NameStyle = Literal["salutation", "initial"]
ContactProblem = Literal["empty", "not_phone_or_email", "invalid_phone", "invalid_email"]


class ContactError(ValueError):
    """A text that is no usable contact; `reason` says why in one word."""

    def __init__(self, reason: ContactProblem) -> None:
        super().__init__(_CONTACT_PROBLEMS[reason])
        self.reason: ContactProblem = reason


_CONTACT_PROBLEMS: dict[ContactProblem, Phrase] = {
    "empty": Phrase("A contact is required: a phone number or an e-mail address."),
    "not_phone_or_email": Phrase("The contact is neither a phone number nor an e-mail address."),
    "invalid_phone": Phrase("The phone number does not exist in its country's numbering plan."),
    "invalid_email": Phrase("The e-mail address is not well-formed."),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer's contact.

    `address` is E.164 for a phone, or an e-mail address with a lowercase domain. On a chat channel
    the kind is `message` and the address `<channel>:<user>`, with the provider's id of the user.
    """

    kind: ContactKind
    address: str


_CONTACT_EMAIL = LazyPattern(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\uffff-]{1,64}@"
    r"((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[A-Za-z0-9-]{1,59}|[^\W\d_]{2,24}))"
)
_CONTACT_MOBILE = LazyPattern(r"(?:\+|00)?(?:86)?(1[3-9]\d{9})")
_CONTACT_DIGITS = LazyPattern(r"\(?\+?[\d ().\-/]+(?:(?:ext|x|转|#)[ .:]?\d{1,6})?", re.IGNORECASE)
_DIGITS = LazyPattern(r"\d+")
_PUNCTUATION = str.maketrans("", "", " ().-/")


def normalise_contact(raw: str, region: str = PHONE_REGION) -> Contact:
    """Parse a phone number or e-mail address in any grouping and width (A1).

    A phone without a country code is one of `region` (ISO 3166, two letters).

    Raises:
        ContactError: any other text.
    """
    text = _plain(raw) if isinstance(raw, str) else ""
    if not text:
        raise ContactError("empty")
    if "@" in text:
        return _email_contact(text)
    if not _CONTACT_DIGITS.fullmatch(text):
        raise ContactError("not_phone_or_email")
    mobile = _CONTACT_MOBILE.fullmatch(text.translate(_PUNCTUATION))
    if mobile and (region == "CN" or "86" in mobile[0][: -len(mobile[1])]):
        if mobile[0].startswith("+1"):
            return _phone_contact(text, region)
        return Contact("phone", f"+86{mobile[1]}")
    return _phone_contact(text, region)


_CONTACT_CHAT = LazyPattern(r"[a-z][a-z0-9_]{0,29}:([!-?A-~]{1,200})")


def chat_contact(channel: str, user: str) -> Contact:
    """Return the contact of a user of a chat channel, which the channel's signature proves.

    `normalise_contact` never returns one, so nobody can claim another user's contact by writing it
    down (G4).

    Raises:
        ContactError: the provider's id cannot be part of an address.
    """
    address = f"{channel}:{user}"
    if not _CONTACT_CHAT.fullmatch(address):
        raise ContactError("not_phone_or_email")
    return Contact("message", address)


def _plain(text: str) -> str:
    return text.translate(FOLDED).replace(INVISIBLE, "").strip()


def _email_contact(text: str) -> Contact:
    match = _CONTACT_EMAIL.fullmatch(text)
    local, _, domain = text.rpartition("@")
    dots_stray = local.startswith(".") or local.endswith(".") or ".." in local
    if not match or dots_stray or len(text) > 254:
        raise ContactError("invalid_email")
    address = f"{local}@{domain.lower()}"
    return Contact("email", address)


def _phone_contact(text: str, region: str) -> Contact:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise ContactError("invalid_phone") from None
    if not phonenumbers.is_valid_number(number):
        raise ContactError("invalid_phone")
    address = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Contact("phone", address)


def mask_contact(contact: str | None, style: ContactStyle) -> str:
    """Mask a contact for display; "" for no contact.

    ``last_four`` (A15, A16) shows the last four digits of a phone or characters of an e-mail
    address. ``middle_four`` (B2, D17) hides a phone's middle four digits or the middle of an e-mail
    address's local part, and a chat user's id as ``last_four`` does.

    Raises:
        ValueError: an unknown style.
    """
    if style not in {"last_four", "middle_four"}:
        raise ValueError(f"unknown style of contact: {style}")
    written = _written(contact)
    chat = isinstance(contact, str) and _CONTACT_CHAT.fullmatch(contact)
    if style == "last_four" or chat or len(written) <= 4:
        shown = written[-4:] if len(written) > 4 else ""
        return "*" * (len(written) - len(shown)) + shown
    if "@" in written:
        local, _, domain = written.rpartition("@")
        last = local[-1] if len(local) > 3 else ""
        return f"{local[0] if len(local) > 1 else ''}***{last}@{domain}"
    start = (len(written) - 4) // 2
    return written[:start] + STARS + written[start + 4 :]


def _written(contact: str | None) -> str:
    text = _plain(contact) if isinstance(contact, str) else ""
    if chat := _CONTACT_CHAT.fullmatch(text):
        return chat[1]
    if "@" in text:
        return text
    digits = "".join(_DIGITS.findall(text)) or text
    mobile = _CONTACT_MOBILE.fullmatch(digits)
    return mobile[1] if mobile and digits.startswith(("86", "0086")) else digits


_SALUTATION = "*先生/女士"
_TITLES = ("先生/女士", "先生", "女士", "小姐", "太太", "Mrs", "Mr", "Ms")


def mask_name(name: str | None, style: NameStyle) -> str:
    """Mask a name for display; "" for no name.

    ``salutation`` (A15) shows "*先生/女士", or the title in the name ("*女士").
    ``initial`` (B2) shows the first character: 王** or J***.

    Raises:
        ValueError: an unknown style.
    """
    if style not in {"salutation", "initial"}:
        raise ValueError(f"unknown style of name: {style}")
    text = name.strip() if isinstance(name, str) else ""
    if not text:
        return ""
    if style == "initial":
        first = text[0]
        return first + ("**" if CJK_END.search(first) else "***")
    bare = text.rstrip(".")
    for title in _TITLES:
        if bare.endswith(title) or re.match(rf"{re.escape(title)}\b", bare):
            return f"*{title}"
    return _SALUTATION


def contact_hash(contact: Contact, desk: str, key: bytes) -> str:
    """Return a keyed hash of a contact at a desk (G4): HMAC-SHA256, base64url, 132 bits.

    Without the key, which is not stored in the table, nobody can find a phone number by trying all.

    Raises:
        ValueError: the key is empty.
    """
    if not key:
        raise ValueError("the key is empty")
    signed = "\0".join((desk, contact.kind, contact.address.lower())).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, signed, "sha256")).decode()[:22]
