"""The part of a playbook about the provider of text messages.

In mainland China a text message is sent by the id of a text that its provider has registered, and
only the values of the text's variables are free. So these desks write each text as it was
registered, and what a person wrote stays behind a link.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from functions.core.domain.playbook_types import LOCALES, Locale, Section

SmsProvider = Literal["sns", "aliyun", "tencent"]

VARIABLE = re.compile(r"\{\{ *([a-z][a-z0-9_]*) *\}\}")
"""A variable in a registered text: `{{ number }}`."""


def _form(pattern: str, expected: str) -> AfterValidator:
    def require(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise PydanticCustomError(
                "form", "expected {expected}, got '{value}'",
                {"expected": expected, "value": value[:60]},
            )  # fmt: skip
        return value

    return AfterValidator(require)


def _as_text(value: object) -> object:
    # Tencent's ids are numbers.
    return str(value) if isinstance(value, int) else value


TextId = Annotated[
    str,
    BeforeValidator(_as_text),
    _form(r"[A-Za-z0-9_]{1,40}", "the id that the provider gave the text, such as SMS_154950909"),
]
SignatureName = Annotated[
    str,
    BeforeValidator(_as_text),
    _form(r"[^【】\[\]\s]{2,16}", "the registered name of the signature, without 【】"),
]


class RegisteredText(Section):
    """A text as its provider has registered it, and the id that the provider gave it."""

    id: TextId
    text: Annotated[str, Field(min_length=1, max_length=500)]

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables in the order of the text, each once."""
        return tuple(dict.fromkeys(VARIABLE.findall(self.text)))


def _in_both_locales(value: object) -> object:
    if isinstance(value, Mapping) and not set(value) & set(LOCALES):
        return dict.fromkeys(LOCALES, value)
    if isinstance(value, Mapping) and set(value) < set(LOCALES):
        raise PydanticCustomError("text", "expected one registered text, or one in each language")
    return value


Registered = Annotated[dict[Locale, RegisteredText], BeforeValidator(_in_both_locales)]
"""A registered text in each language, or one for both."""


class RegisteredTexts(Section):
    """The provider of text messages, and the texts that it has registered for the desk.

    `registered` has the texts of messages to customers, by the message's key. A message that
    contains what a person wrote and has no text of its own goes out as `new_message`, which leads
    to the page with the words. `verification_code` is the assistant's.
    """

    provider: SmsProvider = "sns"
    signature: SignatureName | None = None
    registered: dict[str, Registered] = {}
    new_message: Registered | None = None
    verification_code: Registered | None = None

    @property
    def registers(self) -> bool:
        """Return whether the provider sends registered texts only."""
        return self.provider != "sns"

    def registered_text(self, message: str, locale: Locale) -> RegisteredText | None:
        """Return the text by which a message goes out, None if it has none."""
        text = self.registered.get(message) or self.new_message
        return text[locale] if text else None
