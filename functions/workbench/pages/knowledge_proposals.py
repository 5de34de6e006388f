"""The values of the page of proposals, and the decision that its forms send."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import ActionNotAllowed, FieldError, InvalidInput
from functions.core.domain.knowledge import in_locale
from functions.workbench import proposals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.workbench.pages.page import WorkbenchPage

NEW = "+"
"""The choice of a new article; no article has this id."""


def proposals_of(page: WorkbenchPage, wrong: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what the page shows.

    Args:
        wrong: what is wrong with the decision that was sent, by proposal.

    Raises:
        Forbidden: the person does not decide about proposals.
    """
    shown = proposals.list_proposals(page.calling(), page.storage, page.desk).body
    base = page.storage.knowledge.get(page.desk, page.request.now, fresh=True)
    titles = {
        name: in_locale(found.article.title, page.locale) for name, found in base.articles.items()
    }
    done = page.request.query.get("done", "")
    for each in (*shown["decisions"], *shown["made"].values()):
        each["when"] = datetime.fromisoformat(each["at"])
    return {
        **shown,
        "titles": titles,
        "drafts": {n for n, each in base.articles.items() if each.article.state == "draft"},
        "done": next((each for each in shown["decisions"] if each["id"] == done), None),
        "wrong": wrong or {},
        "given": page.form if wrong else {},
        "rule_text": rule_text,
        "new": NEW,
    }


def decided(page: WorkbenchPage, proposal: str) -> None:
    """Take the decision that was sent; one that was taken before stays.

    Raises:
        InvalidInput: the id of the new article is none, or is another's.
        NotFound: there is no such proposal any more.
    """
    decisions = page.storage.proposals.decisions(page.desk)
    if any(decision.id == proposal for decision in decisions):
        return
    accepted = page.field("decision") == "accept"
    body: dict[str, Any] = {"accepted": accepted}
    article = page.field("article")
    if accepted and article == NEW:
        name = page.field("id").strip()
        if name and page.storage.knowledge.article(page.desk, name):
            wrong = FieldError("article", "there is an article with this id")
            raise InvalidInput("Some fields are invalid.", (wrong,))
        body["article"] = name or f"proposal-{proposal}"
    elif accepted and article:
        body["article"] = article
    with suppress(ActionNotAllowed):  # somebody was quicker
        proposals.decide_proposal(page.calling(body), page.storage, page.desk, proposal)


def rule_text(rule: Mapping[str, Any]) -> str:
    """Return a rule as a playbook has it; JSON is YAML."""
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in rule.items())
    return "- " + "\n  ".join(lines)
