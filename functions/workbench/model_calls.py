"""The calls that let a desk's language model write something for a person to check.

No other call waits for a model. Each of these answers within `playbook_model.MAX_TIMEOUT` and the
start of a function, also if there is no text.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel, ConfigDict, Field

from functions.core.deliver import once
from functions.core.domain.errors import (
    ActionNotAllowed,
    BudgetSpent,
    Forbidden,
    ModelUnavailable,
    NotFound,
    Phrase,
)
from functions.core.domain.model_use import ModelRequest, ModelResult
from functions.core.domain.playbook_types import Locale, Slug
from functions.core.platform import metering
from functions.core.platform.logging import logger
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.rights import (
    SEES_TICKETS,
    WRITES_ARTICLES,
    Principal,
    require,
    works_on,
)
from functions.workbench.calls import signed_in

if TYPE_CHECKING:
    from functions.core.domain.playbook_model import ModelTask
    from functions.core.domain.rules import Playbook
    from functions.core.storage.database import Storage
    from functions.workbench.shapes import ModelCost, ModelPhrasings, ModelText

log = logger("workbench")

_NUMBERING = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)、](?!\d))\s*")


class _ModelBody(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class NewDraft(_ModelBody):
    """The body of a draft: the articles to use, else those that fit the request."""

    articles: tuple[Slug, ...] = Field(default=(), max_length=3)


class NewSummary(_ModelBody):
    """The body of a summary, which needs no fields."""


class NewPhrasings(_ModelBody):
    """The body of a request for phrasings: their language."""

    locale: Locale


def write_for_ticket(
    request: Request,
    storage: Storage,
    principal: Principal,
    playbook: Playbook,
    number: str,
    task: ModelTask,
) -> HttpResponse:
    """Draft a reply to the customer, or summarise the ticket. Neither is sent to anybody.

    Raises:
        NotFound: there is no such ticket or article.
        Forbidden: the caller does not work on the ticket.
        ActionNotAllowed: the desk has no model for this, or no article answers the request.
        BudgetSpent: the desk may not spend more today.
        ModelUnavailable: the model gave no text.
    """
    require(principal, SEES_TICKETS, Phrase("use the language model"))
    ticket = storage.tickets.load(playbook.desk, number)
    if not works_on(principal, ticket):
        raise Forbidden("Only those who work on this ticket can use the language model on it.")
    if ticket.erased:
        raise ActionNotAllowed("The customer was erased: there is nothing to write about.")
    draft = request.read(NewDraft if task == "draft" else NewSummary)
    articles = draft.articles if isinstance(draft, NewDraft) else ()
    result = _ask(request, playbook, principal, task, number, articles=articles)
    written: ModelText = {
        "text": result.text,
        "articles": [{"id": each.id, "title": each.title} for each in result.articles],
        **_cost(result),
    }
    return HttpResponse(written)


def write_phrasings(request: Request, storage: Storage, desk: str, article: str) -> HttpResponse:
    """Propose phrasings of an article, without those that it has. Nothing is stored.

    Raises:
        NotFound: there is no such article.
        Forbidden: the caller writes no articles.
        ActionNotAllowed: the desk has no model for this.
        BudgetSpent: the desk may not spend more today.
        ModelUnavailable: the model gave no text.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, WRITES_ARTICLES, Phrase("write articles"))
    locale = request.read(NewPhrasings).locale
    found = storage.knowledge.article(desk, article)
    if found is None:
        raise NotFound("There is no such article.")
    result = _ask(request, playbook, principal, "phrasings", article, locale=locale)
    lines = (_NUMBERING.sub("", line).strip() for line in result.text.splitlines())
    known = found.article.asked.get(locale, ())
    new = [line for line in dict.fromkeys(lines) if line and len(line) <= 300 and line not in known]
    written: ModelPhrasings = {"phrasings": new, **_cost(result)}
    return HttpResponse(written)


def _cost(result: ModelResult) -> ModelCost:
    return {
        "model": result.model,
        "tokens": {"input": result.input_tokens, "output": result.output_tokens},
        "cost_usd": float(result.cost),
    }


def _ask(
    request: Request,
    playbook: Playbook,
    principal: Principal,
    task: ModelTask,
    about: str,
    *,
    articles: tuple[str, ...] = (),
    locale: Locale = "en",
) -> ModelResult:
    model = playbook.language_model
    if model is None or task not in model.uses:
        raise _is_off(task)
    asked = ModelRequest(
        desk=playbook.desk,
        task=task,
        about=about,
        by=principal.username,
        articles=articles,
        locale=locale,
    )
    result = _invoke(request, asked)
    metering.count("model.input_token", result.input_tokens)
    metering.count("model.output_token", result.output_tokens)
    match result.refused:
        case "off":
            raise _is_off(task)
        case "budget":
            at = f"{(result.renews_at or request.now).astimezone(playbook.zone):%Y-%m-%d %H:%M}"
            raise BudgetSpent(
                Phrase("The day's budget for the language model is spent until {at}.", at=at)
            )
        case "no_article" | "no_answer":
            raise ActionNotAllowed(
                "No article answers this request. Name some in `articles`, or write the reply."
            )
        case "failed":
            raise _nothing()
    return result


def _invoke(request: Request, asked: ModelRequest) -> ModelResult:
    """Call the function `language_model` once: a second call would be paid for again."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        response = once.client("lambda").invoke(
            FunctionName=f"{request.deployment.prefix}-language_model",
            Payload=asked.model_dump_json().encode(),
        )
        payload = response["Payload"].read()
    except (BotoCoreError, ClientError) as error:
        log.warning("model.unreached", extra={"cause": type(error).__name__})
        raise _nothing() from error
    if response.get("FunctionError"):
        log.warning("model.unreached", extra={"cause": "the function failed"})
        raise _nothing()  # the payload may quote the ticket
    if "not_found" in (answer := json.loads(payload)):
        raise NotFound(cast("str", answer["not_found"]))
    return ModelResult.model_validate(answer)


def _is_off(task: ModelTask) -> ActionNotAllowed:
    return ActionNotAllowed(
        Phrase(
            "This desk has no language model for this: `language_model` in its playbook sets one "
            "up, with {task} in `uses`.",
            task=task,
        )
    )


def _nothing() -> ModelUnavailable:
    return ModelUnavailable("The language model gave no text. Everything works without it.")
