"""Registered texts of a playbook that are missing, or that could not be sent.

They are checked when the playbook is loaded, so that no message fails for want of one.
"""

from collections.abc import Iterator

from functions.core.domain.playbook_sms import VARIABLE, Registered
from functions.core.domain.recipients import FORMER_CONTACT
from functions.core.domain.rules import Playbook
from functions.core.playbook.explain import Location, Problem
from functions.core.playbook.told import told_to_customers, used_variables
from functions.core.text.registered_texts import CODE, SHORT_CODE, WORDS
from functions.core.text.templating import TEMPLATE_VARIABLES, template_variables

_OF_SNS = ("sms_sender", "sms_signature", "sms_opt_out")
_REGISTERED = ("signature", "registered", "new_message", "verification_code")


def problems(playbook: Playbook) -> Iterator[Problem]:
    sms = playbook.sms
    if not sms.registers:
        for key in _REGISTERED:
            if getattr(sms, key):
                yield ("sms", key), "only a provider that registers texts has it: aliyun or tencent"
        return
    for key in _OF_SNS:
        if getattr(playbook, key):
            yield (key,), f"{sms.provider} sends registered texts only; it belongs into those"
    if sms.signature is None:
        yield ("sms", "signature"), "this key is missing: the registered name of the signature"
    if playbook.sms_countries != ("CN",):
        countries = ", ".join(playbook.sms_countries)
        yield (
            ("sms", "countries"),
            f"registered texts reach mainland numbers only: expected [CN], got [{countries}]",
        )
    yield from _missing(playbook)
    yield from _texts(playbook)


def _missing(playbook: Playbook) -> Iterator[Problem]:
    """Find messages without a registered text, and those that the desk does not send."""
    sms, told = playbook.sms, told_to_customers(playbook)
    without = sorted(set(told) - set(sms.registered))
    words = {
        name for name in without if _has_words(name, playbook) and name not in _former(playbook)
    }
    if plain := [name for name in without if name not in words]:
        yield (
            ("sms", "registered"),
            f"{sms.provider} sends registered texts only; these messages to customers have none: "
            f"{', '.join(plain)}",
        )
    if words and sms.new_message is None:
        yield (
            ("sms", "new_message"),
            "this key is missing: the text with a link that stands for what a person wrote, in "
            f"{', '.join(sorted(words))}",
        )
    for name in sorted(set(sms.registered) - set(told)):
        yield ("sms", "registered", name), f"there is no message '{name}' to customers"
    if playbook.assistant is not None and sms.verification_code is None:
        yield ("sms", "verification_code"), "this key is missing: the assistant sends codes"


def _has_words(name: str, playbook: Playbook) -> bool:
    message = playbook.messages[name]
    written = WORDS | {
        key
        for step in playbook.steps.values()
        for key, field in step.fields.items()
        if field.kind == "text"
    }
    texts = (message.sms or message.text).values()
    return any(used_variables(text) & written for text in texts)


def _former(playbook: Playbook) -> set[str]:
    return {rule.message for rule in playbook.notifications if rule.to == FORMER_CONTACT}


def _texts(playbook: Playbook) -> Iterator[Problem]:
    sms = playbook.sms
    hidden = {key for step in playbook.steps.values() for key in step.fields}
    hidden -= playbook.shown_fields | TEMPLATE_VARIABLES
    known = (template_variables(playbook) - WORDS - {"status_url"} - hidden) | {SHORT_CODE}
    former = _former(playbook)
    for name, registered in sms.registered.items():
        allowed = known - {SHORT_CODE} if name in former else known
        yield from _text(("sms", "registered", name), registered, allowed, playbook)
    if sms.new_message:
        at: Location = ("sms", "new_message")
        yield from _text(at, sms.new_message, known, playbook, SHORT_CODE)
    if sms.verification_code:
        at = ("sms", "verification_code")
        yield from _text(at, sms.verification_code, frozenset({CODE}), playbook, CODE)


def _text(
    at: Location,
    registered: Registered,
    allowed: frozenset[str] | set[str],
    playbook: Playbook,
    needed: str = "",
) -> Iterator[Problem]:
    begins = f"{playbook.public_url or ''}/t/"
    for text in registered.values():
        rest = VARIABLE.sub("", text.text)
        if "{" in rest or "}" in rest:
            yield (*at, "text"), "expected variables such as {{ number }}, and no other braces"
        if "【" in rest or "】" in rest:
            yield (*at, "text"), "the signature comes before the text by itself; leave 【】 out"
        for name in text.variables:
            if name in WORDS or name == "status_url":
                yield (
                    (*at, "text"),
                    f"no provider takes '{name}' as a value: write the link as "
                    f"{begins}{{{{ {SHORT_CODE} }}}}, and leave what a person wrote behind it",
                )
            elif name not in allowed:
                expected = ", ".join(sorted(allowed))
                yield (
                    (*at, "text"),
                    f"there is no variable '{name}' here; expected one of {expected}",
                )
        if needed and needed not in text.variables:
            yield (*at, "text"), f"expected the variable '{needed}' in it"
        for link in VARIABLE.finditer(text.text):
            if link[1] == SHORT_CODE and not text.text[: link.start()].endswith(begins):
                yield (*at, "text"), f"expected {begins} before {{{{ {SHORT_CODE} }}}}"
