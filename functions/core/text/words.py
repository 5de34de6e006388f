"""The product's own texts in each language.

The texts of a desk (types, statuses, teams, messages) are in its playbook, the label of an event on
its class.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from functions.core.domain.events import Event, StepTaken
from functions.core.domain.rules import LOCALES, CustomerTerm, Locale, Playbook, Term
from functions.core.domain.ticket import Ticket
from functions.core.text.tables import read_table

TEXTS = read_table("shared")
"""Key → text."""


MESSAGE_LABELS = read_table("messages")
"""Kind of a chat message → label before its text, or in place of a missing text."""

EMPTY: dict[Locale, str] = {"zh-CN": "（无内容）", "en": "(empty)"}
"""The text of a mail without text."""

LIST_SEPARATOR: dict[Locale, str] = {"zh-CN": "、", "en": ", "}


Refusal = Literal["limit", "signature", "text", "blocked", "number", "price"]
"""The reasons why a provider refused a registered text, of those that people can right."""


DELIVERY_REASONS = read_table("delivery_reasons")
"""Pattern of a delivery's cause → what agents read. Other causes are a provider's own words."""


def delivery_reason(cause: str, locale: Locale) -> str:
    """Say why a message was not sent."""
    for pattern, text in DELIVERY_REASONS.items():
        if match := re.fullmatch(pattern, cause):
            return text[locale].format(*match.groups())
    return cause


def say(key: str, locale: Locale, **values: object) -> str:
    """The text under `key` with its `{placeholders}` filled in.

    Raises:
        KeyError: there is no such key.
    """
    return TEXTS[key][locale].format(**values)


def event_label(event: Event, playbook: Playbook, locale: Locale) -> str:
    """The label of an event in a timeline; the desk labels its own steps (D10, D11)."""
    if isinstance(event, StepTaken) and event.step in playbook.steps:
        return playbook.steps[event.step].label[locale]
    return event.label[locale]


def customer_event_label(event: Event, playbook: Playbook, locale: Locale) -> str:
    own = customer_label(playbook.steps, getattr(event, "step", None), locale)
    return own or event_label(event, playbook, locale)


def label(terms: Mapping[str, object], key: str | None, locale: Locale) -> str:
    """The label of a term of the playbook; a term that it no longer has is shown by its key."""
    if key is None:
        return ""
    term = terms.get(key)
    return term.label[locale] if isinstance(term, Term) else key


def customer_label(
    terms: Mapping[str, CustomerTerm], key: str | None, locale: Locale
) -> str | None:
    """The label by which customers read a tag or a priority; None for an internal one."""
    term = terms.get(key or "")
    return term.customer_label[locale] if term and term.customer_label else None


def customer_tags(tags: Iterable[str], playbook: Playbook, locale: Locale) -> list[str]:
    """The labels of those tags that customers read, each once."""
    labels = (customer_label(playbook.tags, tag, locale) for tag in tags)
    return list(dict.fromkeys(each for each in labels if each))


def customer_status(status: str, playbook: Playbook, locale: Locale) -> str:
    """The label of a status for customers."""
    own = customer_label(playbook.statuses, status, locale)
    return own or label(playbook.statuses, status, locale)


def handler_for_customer(ticket: Ticket, playbook: Playbook, locale: Locale) -> str | None:
    """The handler as customers read it: the display name, else the team."""
    if ticket.handler is None:
        return None
    return ticket.handler_name or label(playbook.teams, ticket.team, locale)


def nearest_locale(tag: str | None) -> Locale | None:
    """The supported language of a language tag (`zh`, `zh-Hans`, `en-GB`), None for any other."""
    prefix = (tag or "").strip().casefold()
    return next((known for known in LOCALES if prefix.startswith(known[:2])), None)


def accepted_locale(header: str | None) -> Locale | None:
    """The supported language that `Accept-Language` prefers; None if it names none (RFC 9110)."""
    wanted: dict[Locale, float] = {}
    for part in (header or "")[:_READ].split(","):
        tag, _, parameters = part.partition(";")
        known = nearest_locale(tag)
        if known and weight(parameters) > wanted.get(known, 0):
            wanted[known] = weight(parameters)
    return max(wanted, key=lambda known: wanted[known], default=None)


def weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_ADDRESS = re.compile(r"\S*(?:@|://)\S*")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}")
_ENOUGH_WORDS = 3
_READ = 2000


def written_in(text: str) -> Locale | None:
    """The language in which to answer a text; None if the text does not show it.

    Chinese characters mean Chinese, unless kana make them Japanese. A few words in Latin letters
    without any Chinese mean English; names and addresses alone do not count.
    """
    start = _ADDRESS.sub(" ", text[:_READ])
    if _HAN.search(start):
        return None if _KANA.search(start) else "zh-CN"
    words = _LATIN_WORD.finditer(start)
    return "en" if sum(1 for _ in words) >= _ENOUGH_WORDS else None
