"""Texts that a provider of text messages has registered: what is sent is an id and values."""

from collections.abc import Mapping
from dataclasses import dataclass

from functions.core.domain.playbook_sms import (
    VARIABLE,
    RegisteredText,
    RegisteredTexts,
    SmsProvider,
)

SHORT_CODE = "short_code"
"""The variable at the end of a short link, whose beginning is registered: providers take no link as
a value (Aliyun: `isv.PARAM_NOT_SUPPORT_URL`)."""

CODE = "code"
"""The variable of a verification code."""

WORDS = frozenset({"text", "question", "summary", "solution", "reason", "description", "order"})
"""Variables that contain what a person wrote; no registered text has them."""

_EMPTY = "-"
"""The value of a variable without one: providers refuse an empty value."""


@dataclass(frozen=True)
class FilledText:
    """A registered text with its values: what a provider is sent, and what people then read.

    `text` begins with the signature; `values` are in the order of the text, by variable.
    """

    id: str
    signature: str
    values: tuple[tuple[str, str], ...]
    text: str


def fill_registered(
    registered: RegisteredText, desk: RegisteredTexts, values: Mapping[str, str]
) -> FilledText:
    """Fill in a registered text, as its provider will."""
    known = {
        name: " ".join(values.get(name, "").split()) or _EMPTY for name in registered.variables
    }
    signature = desk.signature or ""
    text = VARIABLE.sub(lambda found: known[found[1]], registered.text)
    return FilledText(registered.id, signature, tuple(known.items()), f"【{signature}】{text}")


def to_register(registered: RegisteredText, provider: SmsProvider) -> str:
    """Return a text as it is entered at its provider, whose variables are `${name}` or `{1}`."""
    order = {name: str(index) for index, name in enumerate(registered.variables, 1)}

    def variable(name: str) -> str:
        return f"${{{name}}}" if provider == "aliyun" else f"{{{order[name]}}}"

    return VARIABLE.sub(lambda found: variable(found[1]), registered.text)


def texts_to_register(desk: RegisteredTexts) -> dict[str, str]:
    """Return the texts of a desk as they are entered at its provider, by their ids."""
    of_messages = (*desk.registered.values(), desk.new_message, desk.verification_code)
    return {
        text.id: to_register(text, desk.provider)
        for registered in of_messages
        for text in (registered or {}).values()
    }
