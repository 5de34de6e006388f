"""The knowledge base of a desk: articles that answer what customers ask, and who may read them.

`docs/knowledge.md` explains each key. An article is written in a file or through the API; every
change is a version with its author.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from functions.core.domain.playbook_types import Identifier, Locale, Section, Slug

Audience = Literal["customer", "agent"]

Standing = Literal["draft", "coming", "current", "expired"]
"""The standing of an article: not published, not yet valid, valid today, or no longer."""

Origin = Literal["ticket", "asked", "looked_up"]
"""The origin of a variable's value: the ticket, a question to the customer, or another
system."""

ENOUGH_PHRASINGS = 8
"""The phrasings from which an article may be given as an answer at once; with fewer, it is only
offered."""

MAX_PHRASINGS = 100
"""The most phrasings of an article in one language, so that it fits in an item of the table."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"\S")
]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000, pattern=r"\S")
]
Phrasings = Annotated[tuple[Line, ...], Field(max_length=MAX_PHRASINGS)]


def _not_empty(texts: dict[Locale, str]) -> dict[Locale, str]:
    if not texts:
        raise PydanticCustomError("texts", "a text in one language at least")
    return texts


AT_LEAST_ONE = Field(json_schema_extra={"minProperties": 1})


def _without_empty(asked: dict[Locale, Phrasings]) -> dict[Locale, Phrasings]:
    return {locale: phrasings for locale, phrasings in asked.items() if phrasings}


class Validity(Section):
    """The first and the last day on which an article is true, in the desk's time zone."""

    since: date | None = Field(default=None, alias="from")
    until: date | None = None

    def holds(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )


def _in_order(valid: Validity) -> Validity:
    if valid.since and valid.until and valid.since > valid.until:
        raise PydanticCustomError("validity", "`from` is later than `until`")
    return valid


class Article(Section):
    """A question that customers ask, in their words, and the answer to it.

    `asked` has phrasings of the question. `type` is the desk's type of a ticket about it. `needs`
    names variables of the solution that must be known before it is told, and where each comes from.
    `then: hand_over` passes the customer on to a person after the solution.
    """

    title: Annotated[dict[Locale, Line], AfterValidator(_not_empty), AT_LEAST_ONE]
    asked: Annotated[dict[Locale, Phrasings], AfterValidator(_without_empty)] = {}
    solution: Annotated[dict[Locale, LongText], AfterValidator(_not_empty), AT_LEAST_ONE]
    type: Line | None = None
    needs: dict[Identifier, Origin] = {}
    then: Literal["answer", "hand_over"] = "answer"
    audience: Audience = "customer"
    valid: Annotated[Validity, AfterValidator(_in_order)] = Field(default_factory=Validity)
    state: Literal["draft", "published"] = "published"

    def standing(self, now: datetime, zone: ZoneInfo) -> Standing:
        day = now.astimezone(zone).date()
        if self.state == "draft":
            return "draft"
        if self.valid.holds(day):
            return "current"
        return "coming" if self.valid.since and day < self.valid.since else "expired"

    def is_current(self, now: datetime, zone: ZoneInfo) -> bool:
        return self.standing(now, zone) == "current"

    def may_be_read(self, by: Audience, now: datetime, zone: ZoneInfo) -> bool:
        """Return whether a customer, or an agent, may be shown the article now."""
        return self.is_current(now, zone) and by in (self.audience, "agent")

    def stored(self) -> str:
        return self.model_dump_json(by_alias=True, exclude_defaults=True)


def in_locale(texts: Mapping[Locale, str], locale: Locale) -> str:
    """Return a text in a language, or in the one that it has."""
    return texts.get(locale) or next(iter(texts.values()))


@dataclass(frozen=True)
class ArticleVersion:
    """A version of an article, and who wrote it when."""

    version: int
    author: str
    at: datetime
    article: Article


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """A desk's articles by id. Each change of any of them makes the base's next version."""

    version: int = 0
    articles: Mapping[Slug, ArticleVersion] = field(default_factory=dict)
