"""The editor of an article: what its fields hold, whether or not it makes an article, and how a
customer would get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.core.assistant.attempts import sample
from functions.core.domain.playbook_types import LOCALES
from functions.core.text.error_texts import translated
from functions.core.text.templating import faults, fill, template_variables
from functions.core.text.words import say

if TYPE_CHECKING:
    from functions.core.domain.errors import InvalidInput
    from functions.core.domain.knowledge import ArticleVersion
    from functions.core.domain.rules import Locale, Playbook
    from functions.workbench.pages.page import WorkbenchPage

TEXTS = ("title", "asked", "solution")
"""The parts of an article that are written in each language."""

WORDS = ("type", "then", "audience", "state", "valid.from", "valid.until")
"""The parts that are one word or day."""

EMPTY_NEEDS = 2
"""The empty rows for further variables."""

Needs = tuple[tuple[str, str], ...]
"""Variables and the origin of each, "" where none was chosen."""


@dataclass(frozen=True)
class ArticleForm:
    """The fields of the editor as they were typed.

    Attributes:
        name: the article's id.
        version: the version that was edited, 0 for a new article.
        texts: each field by its name, such as `title.en`.
    """

    name: str = ""
    version: int = 0
    texts: Mapping[str, str] = field(default_factory=lambda: {"state": "draft"})
    needs: Needs = ()

    @classmethod
    def of_article(cls, name: str, found: ArticleVersion) -> ArticleForm:
        article = found.article
        texts = {f"title.{locale}": text for locale, text in article.title.items()}
        texts |= {f"solution.{locale}": text for locale, text in article.solution.items()}
        texts |= {f"asked.{locale}": "\n".join(lines) for locale, lines in article.asked.items()}
        texts |= {"then": article.then, "audience": article.audience, "state": article.state}
        for end, day in (("from", article.valid.since), ("until", article.valid.until)):
            texts[f"valid.{end}"] = day.isoformat() if day else ""
        return cls(
            name,
            found.version,
            texts | {"type": article.type or ""},
            tuple(article.needs.items()),
        )

    @classmethod
    def of_fields(cls, page: WorkbenchPage, name: str) -> ArticleForm:
        """Read the fields that were sent; chosen phrasings become lines of the article."""
        names = [*(f"{part}.{locale}" for part in TEXTS for locale in LOCALES), *WORDS]
        texts = {key: page.field(key) for key in names}
        for locale in LOCALES:
            lines = [texts[f"asked.{locale}"].rstrip(), *page.form.get(f"add.{locale}", ())]
            texts[f"asked.{locale}"] = "\n".join(line for line in lines if line)
        version = page.field("version")
        variables = (each.strip() for each in page.form.get("need", ()))
        needs = zip(variables, page.form.get("origin", ()), strict=False)
        return cls(
            name or page.field("id").strip(),
            int(version) if version.isdecimal() and len(version) < 7 else 0,
            texts,
            tuple((need, origin) for need, origin in needs if need),
        )

    def body(self) -> dict[str, Any]:
        """Return the body of the call that stores the article."""
        text = self.texts.get
        by_language: dict[str, dict[str, Any]] = {
            part: {
                locale: found
                for locale in LOCALES
                if (found := text(f"{part}.{locale}", "").strip())
            }
            for part in TEXTS
        }
        asked = {locale: lines for locale in LOCALES if (lines := self.phrasings(locale))}
        days = {end: day for end in ("from", "until") if (day := text(f"valid.{end}"))}
        words = {key: word for key in ("then", "audience", "state") if (word := text(key))}
        return {
            **by_language,
            **words,
            "version": self.version,
            "asked": asked,
            "type": text("type") or None,
            "needs": {name: origin for name, origin in self.needs if origin},
            "valid": days,
        }

    def phrasings(self, locale: Locale) -> list[str]:
        """Return the phrasings, one a line; empty lines do not count, nor does a line twice."""
        lines = (line.strip() for line in self.texts.get(f"asked.{locale}", "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def rows(self, playbook: Playbook) -> Needs:
        """Return the rows of variables: those given, those that the solution uses, empty ones."""
        named = {*template_variables(playbook), *(name for name, _ in self.needs)}
        used = dict.fromkeys(
            name
            for part in ("title", "solution")
            for locale in LOCALES
            for name in faults(self.texts.get(f"{part}.{locale}", ""), named)[0]
        )
        return (*self.needs, *((name, "") for name in used), *((("", ""),) * EMPTY_NEEDS))


@dataclass(frozen=True)
class ArticlePreview:
    """An article in one language, as a chat with the assistant.

    Attributes:
        missing: the language has no text of its own, so customers read the other.
        asks: what the assistant asks first, each with the value that stands for the answer.
        problem: why it cannot be told, "" if it can.
    """

    locale: Locale
    missing: bool
    title: str
    question: str
    asks: Sequence[tuple[str, str]]
    answer: str
    problem: str
    ends: str


def previews(form: ArticleForm, playbook: Playbook, shown: Locale) -> list[ArticlePreview]:
    """Return how customers get what is typed, in each language.

    Args:
        shown: the language of the page, in which problems are told.
    """
    return [_preview(form, playbook, locale, shown) for locale in LOCALES]


def _preview(
    form: ArticleForm, playbook: Playbook, locale: Locale, shown: Locale
) -> ArticlePreview:
    other: Locale = "en" if locale == "zh-CN" else "zh-CN"
    texts = {
        part: form.texts.get(f"{part}.{locale}", "").strip()
        or form.texts.get(f"{part}.{other}", "").strip()
        for part in ("title", "solution")
    }
    assistant = playbook.assistant
    needs = {name: origin for name, origin in form.needs if origin}
    names = {*template_variables(playbook), *needs}
    values = {name: sample(assistant, name, locale) for name in names}
    values |= {"desk": playbook.name[locale]}
    problems, told = [], {}
    for part, text in texts.items():
        unknown, failure = faults(text, names)
        if failure or unknown:
            key = "knowledge.unknown_variable" if unknown else "knowledge.not_filled"
            problems.append(_say(key, shown, what=failure or ", ".join(unknown)))
        told[part] = text if failure else fill(text, values)
    asked = [name for name, origin in needs.items() if origin == "asked"]
    if assistant:
        for name, origin in needs.items():
            source = assistant.source_of(name) if origin == "looked_up" else None
            asked += assistant.sources[source].keys if source else ()
    bare = [(name, sample(assistant, name, locale)) for name in dict.fromkeys(asked)]
    customer = form.texts.get("audience") != "agent"
    hands_over = form.texts.get("then") == "hand_over"
    ends = _say("knowledge.person_follows", locale) if hands_over else say("chat.rate", locale)
    return ArticlePreview(
        locale,
        bool(texts["solution"]) and not form.texts.get(f"solution.{locale}", "").strip(),
        told["title"],
        next(iter(form.phrasings(locale)), told["title"]) if customer else "",
        [(say("chat.ask", locale, name=value[1:-1]), value) for _, value in bare]
        if customer
        else [],
        told["solution"],
        " ".join(problems),
        ends if customer and assistant else "",
    )


def _say(key: str, locale: Locale, **values: object) -> str:
    from functions.workbench.pages.page import PAGES

    return PAGES.say(key, locale=locale, **values)


def errors_of(refused: InvalidInput, form: ArticleForm, locale: Locale) -> dict[str, list[str]]:
    """Return what is wrong by field of the editor; of a phrasing, with the line."""
    found: dict[str, list[str]] = {}
    for each in refused.errors:
        parts = each.field.split(".")
        name, message = each.field, translated(each.message, locale)
        if parts[0] == "asked" and len(parts) == 3:
            lines = form.phrasings("en" if parts[1] == "en" else "zh-CN")
            name = ".".join(parts[:2])
            message = f"“{lines[int(parts[2])][:40]}”: {message}"
        elif parts[0] == "needs":
            name, message = "needs", ": ".join((*parts[1:2], message))
        elif name in ("title", "solution"):
            name = f"{name}.{locale}"
        elif name == "valid":
            name, message = "valid.from", _say("knowledge.days_reversed", locale)
        elif name == "article":
            name = "id"
        found.setdefault(name, []).append(message)
    return found or {"": [translated(refused.detail, locale)]}
