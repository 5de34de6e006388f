"""The parts of a playbook about what the encoder reads: the assistant, which answers chats before a
person does (C3–C6), and moods (B13, E9)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from functions.core.domain.playbook_types import (
    Identifier,
    Locale,
    Section,
    Slug,
    Text,
    Wait,
    Words,
)

Share = Annotated[float, Field(gt=0, le=1)]
DEFAULT_OFFER = 0.40

_PERSON = (
    "转人工", "人工客服", "人工服务", "找人工", "要人工", "真人", "接人工", "找客服", "叫客服",
    "human", "real person", "live agent", "speak to a person", "talk to a person",
    "talk to someone", "speak to someone", "representative", "speak to an agent",
    "talk to an agent", "talk with someone", "speak with someone", "want an agent", "转客服",
)  # fmt: skip

_PERSON_ALONE = (
    "人工", "客服", "找人", "operator", "agent", "person", "person please", "agent please",
    "customer service",
)  # fmt: skip

_GREETINGS = (
    "你好", "您好", "在吗", "在么", "有人吗", "早上好", "下午好", "晚上好", "哈喽", "嗨",
    "hi", "hello", "hey", "good morning", "good afternoon", "good evening",
)  # fmt: skip

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
MAX_KEY = 100
"""Characters of a value in a source's URL; a longer one is no number of an order."""

JsonPath = Annotated[str, Field(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
"""The keys, or positions in a list from 0, that lead to a value: `order.parcels.0.state`."""


Embedder = Annotated[
    str,
    Field(
        pattern=r"^(https://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*|http://(localhost|127\.0\.0\.1))"
        r"(:([0-9]{1,5}|\*))?$"
    ),
]
"""A site that may show the chat in a frame, as `frame-ancestors` has it (CSP Level 3)."""


class LookUpSource(Section):
    """A system of the company that knows values of a customer's case (C4).

    `{name}` in `url` is the value of a variable. `values` says where the response has which
    variable; `labels` what is said for a value of it. `secret` names the secret that signs.
    """

    url: str
    secret: Slug | None = None
    values: Annotated[dict[Identifier, JsonPath], Field(min_length=1)]
    labels: dict[str, Text] = {}
    cache: Wait = timedelta(minutes=1)

    @property
    def keys(self) -> tuple[str, ...]:
        """The variables that the URL needs."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.url)))

    def url_for(self, values: Mapping[str, str]) -> str | None:
        """Return the URL for these values, percent-encoded; None if one is missing or unusable.

        A value of dots alone would lead to another part of the system.
        """
        found = {key: values.get(key, "").strip() for key in self.keys}
        if any(not each.strip(".") or len(each) > MAX_KEY for each in found.values()):
            return None
        return _PLACEHOLDER.sub(lambda match: quote(found[match[1]], safe=""), self.url)

    def value(self, document: Any, variable: str, locale: Locale) -> str | None:
        """Return a variable's value in a response, in a person's words; None if it has none."""
        for part in self.values[variable].split("."):
            if isinstance(document, Mapping):
                document = document.get(part)
            elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
                document = document[int(part)]
            else:
                return None
        if isinstance(document, bool) or not isinstance(document, str | int | float):
            return None
        raw = str(document).strip()
        return (self.labels[raw][locale] if raw in self.labels else raw) or None


class Assistant(Section):
    """The assistant of a desk.

    It gives an answer at once if the engine is `at_once` sure, and offers articles if it is `offer`
    sure. After `misses` questions in a row without an answer, a rating of `poor` or less, or one of
    the words in `person`, or a message that is one of `person_alone`, it hands over. A message that
    is one of the `greetings` is greeted. `variables` are the names, for people, of what its
    articles ask the customer for, `sources` the systems that know others. The sites of `embed_on`
    may show the chat in a frame.
    """

    welcome: Text
    at_once: Share = 0.97
    offer: Share = DEFAULT_OFFER
    misses: Annotated[int, Field(ge=1, le=5)] = 2
    poor: Annotated[int, Field(ge=0, le=5)] = 3
    person: Words = _PERSON
    person_alone: Words = _PERSON_ALONE
    greetings: Words = _GREETINGS
    variables: dict[Identifier, Text] = {"order_number": {"zh-CN": "订单号", "en": "order number"}}
    sources: dict[Slug, LookUpSource] = {}
    chats_per_source: Annotated[int, Field(ge=1)] = 30
    chats_per_desk: Annotated[int, Field(ge=1)] = 3000
    embed_on: tuple[Embedder, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The variables by which the sources are asked."""
        return frozenset(key for source in self.sources.values() for key in source.keys)

    def source_of(self, variable: str) -> str | None:
        return next((name for name, each in self.sources.items() if variable in each.values), None)


class MoodByExamples(Section):
    """B13, E9: a customer is upset whose words are more like those of upset customers.

    `upset` and `calm` are examples beside those that every desk has, `likely` is the likelihood
    from which a customer is recognised as upset.
    """

    upset: Words = ()
    calm: Words = ()
    likely: Share = 0.5


UPSET = "upset"
"""The mood that is recognised by examples."""
