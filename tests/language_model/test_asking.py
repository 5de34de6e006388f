"""The cost of a use follows from its end; a draft is grounded in articles that fit."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.errors import NotFound
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.domain.model_use import ModelRequest, ModelResult
from functions.core.domain.playbook_model import LanguageModel
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.language_model.adapters import Completion, ModelFailure
from functions.language_model.asking import Asking
from functions.language_model.prompts import Prompt
from tests.core.sample_desk import NOON, both, file_ticket

MODEL: dict[str, Any] = {
    "provider": "bedrock", "model": "m", "budget": "1", "price": {"input": "1", "output": "10"},
}  # fmt: skip
LATE = NOON + timedelta(hours=11, minutes=59)
"""One minute before midnight in Shanghai."""


class Fake:
    """A model that gives a prepared answer and takes two seconds for it."""

    def __init__(self, answer: Completion | ModelFailure) -> None:
        self.answer = answer
        self.prompts: list[Prompt] = []
        self.seconds = 0.0

    def complete(self, system: str, text: str, max_tokens: int) -> Completion:
        self.prompts.append(Prompt(system, text, max_tokens))
        self.seconds += 2
        if isinstance(self.answer, ModelFailure):
            raise self.answer
        return self.answer


Ask = Callable[..., ModelResult]


@pytest.fixture
def ask(storage: Storage, playbook: Playbook) -> Ask:
    """Ask a model for something about CS1 of a desk with two articles."""
    model = LanguageModel.model_validate(MODEL)
    storage.playbooks.put(playbook.model_copy(update={"language_model": model}), NOON)
    file_ticket(storage, playbook, "CS1", description="无法登录")
    for name, title, audience in (("login", "登录", "customer"), ("inside", "内部", "agent")):
        article = {"title": both(title), "solution": both(f"{title}的办法"), "audience": audience}
        version = ArticleVersion(1, "a", NOON, Article.model_validate(article))
        storage.knowledge.put("testdesk", name, version)

    def ask_now(fake: Fake, **request: Any) -> ModelResult:
        given = {"desk": "testdesk", "task": "draft", "about": "CS1", "by": "agent-1", **request}
        asked = ModelRequest.model_validate(given)
        return Asking(asked, storage, lambda _: fake, LATE, lambda: fake.seconds).result()

    return ask_now


@pytest.mark.parametrize(
    ("answer", "outcome", "cost"),
    [
        (Completion("好", (100, 10)), "answered", "0.0002"),
        (Completion("好", None), "answered", None),
        (Completion("", (100, 800)), "failed", "0.0081"),
        (Completion("NO_ANSWER", (100, 5)), "no_answer", "0.00015"),
        (ModelFailure("timeout", "slow", charged=True), "timeout", None),
        (ModelFailure("refused", "401", charged=False), "refused", "0"),
    ],
)
def test_a_use_costs_what_it_may_have_cost(
    ask: Ask, storage: Storage, answer: Any, outcome: str, cost: str | None
) -> None:
    """If nobody knows, the most that it can be: a token for each byte, and all that may come."""
    fake = Fake(answer)
    result = ask(fake)
    (use,) = storage.model_uses.of_day("testdesk", "2026-03-10")
    (prompt,) = fake.prompts
    price = LanguageModel.model_validate(MODEL).price
    most = price.cost(prompt.most_input_tokens, prompt.max_tokens)
    assert (use.outcome, use.cost) == (outcome, most if cost is None else Decimal(cost))
    assert (use.by, use.about, use.seconds) == ("agent-1", "CS1", 2)
    assert storage.model_uses.spent("testdesk", use.day) == use.cost
    assert (result.refused is None) is (outcome == "answered")


def test_the_budget_renews_with_the_desk_s_own_day(ask: Ask, storage: Storage) -> None:
    fake = Fake(Completion("好", (1_000_000, 0)))
    ask(fake)
    over = ask(fake)
    assert (over.refused, over.renews_at) == ("budget", LATE + timedelta(minutes=1))
    assert len(fake.prompts) == 1


def test_a_draft_uses_only_what_customers_may_read(ask: Ask) -> None:
    fake = Fake(Completion("好", (1, 1)))
    assert [article.id for article in ask(fake).articles] == ["login"]
    assert "内部的办法" not in fake.prompts[0].document
    with pytest.raises(NotFound):
        ask(fake, articles=("inside",))


def test_only_agents_calls_and_a_hand_over_ask_the_function() -> None:
    """Their texts are for agents, so nothing reaches a customer without a person."""
    functions = Path(__file__).parents[2] / "functions"
    named = [path for path in functions.rglob("*.py") if "}-language_model" in path.read_text()]
    assert {path.name for path in named} == {"model_calls.py", "wiring.py"}
