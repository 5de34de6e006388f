"""The knowledge base through the agents' API."""

from dataclasses import replace
from typing import Any

import pytest

from functions.core.domain.errors import Forbidden, InvalidInput, NotFound, Refused, StaleArticle
from functions.core.platform.web import HttpResponse
from functions.core.storage.database import Storage
from functions.workbench import articles
from tests.core.sample_desk import both, file_ticket
from tests.workbench.conftest import NUMBER, Agent, SignedIn

pytestmark = pytest.mark.requirement("A9")
REFUND = {
    "title": {"zh-CN": "退款", "en": "Refund"},
    "asked": {"zh-CN": ["退款到哪了"]},
    "solution": both("订单 {{ order_number }}"),
    "needs": {"order_number": "asked"},
}


def put(who: Agent, name: str = "refund", **body: Any) -> Any:
    request = who.request("PUT", {**REFUND, **body})
    return articles.article(request, who.storage, "testdesk", name).body


def show(who: Agent, name: str = "refund") -> Any:
    return articles.article(who.request("GET"), who.storage, "testdesk", name).body


def found(who: Agent, **query: str) -> list[str]:
    listed: HttpResponse = articles.list_articles(
        who.request("GET", **query), who.storage, "testdesk"
    )
    return [article["id"] for article in listed.body["articles"]]


def test_a_supervisor_writes_and_agents_read(signed_in: SignedIn) -> None:
    supervisor, agent = signed_in("supervisor-1"), signed_in("agent-1")
    made = put(supervisor)
    assert (made["version"], made["state"], made["current"]) == (1, "published", True)
    put(supervisor, title=both("退钱"), version=1)
    shown = show(agent)
    assert shown["title"] == both("退钱")
    assert shown["asked"] == {"zh-CN": ["退款到哪了"]}
    assert shown["valid"] == {"from": None, "until": None}
    assert shown["history"] == [
        {"version": version, "author": "supervisor-1", "at": "2026-03-10T12:00:00+08:00"}
        for version in (2, 1)
    ]
    for who in ("agent-1", "qa-1"):
        with pytest.raises(Forbidden):
            put(signed_in(who))
    for call in (put, show, found):
        with pytest.raises(Forbidden):
            call(signed_in("finance-1"))


def test_an_edit_of_a_former_version_is_refused(signed_in: SignedIn) -> None:
    """Without a version the last one wins; a repetition changes nothing."""
    supervisor = signed_in("supervisor-1")
    with pytest.raises(StaleArticle):
        put(supervisor, version=1)
    put(supervisor, version=0)
    changed = put(supervisor, version=1, then="hand_over")
    assert put(supervisor, version=1, then="hand_over") == changed
    for version in (0, 1, 3):
        with pytest.raises(StaleArticle):
            put(supervisor, version=version)
    assert put(supervisor)["version"] == 3


def test_drafts_and_outdated_articles_are_their_writers(signed_in: SignedIn) -> None:
    supervisor, agent = signed_in("supervisor-1"), signed_in("agent-1")
    put(supervisor, "draft", state="draft")
    put(supervisor, "old", valid={"until": "2026-03-09"})
    put(supervisor, "for-agents", audience="agent")
    assert found(supervisor) == ["draft", "for-agents", "old"]
    assert found(agent) == ["for-agents"]
    for name in ("draft", "old", "none"):
        with pytest.raises(NotFound):
            show(agent, name)
    assert show(supervisor, "draft")["current"] is False


def test_a_search_is_by_words_in_any_language(signed_in: SignedIn) -> None:
    supervisor = signed_in("supervisor-1")
    put(supervisor)
    put(supervisor, "invoice", title=both("发票"), asked={}, solution=both("在订单页开"), needs={})
    agent = signed_in("agent-1")
    assert found(agent) == ["invoice", "refund"]
    assert found(agent, query="我的退款呢") == ["refund"]
    assert found(agent, query="refunds") == ["refund"]
    assert found(agent, query="开发票") == ["invoice"]
    assert found(agent, query="天气") == []
    assert found(agent, query=" ") == ["invoice", "refund"]
    for long in ("x" * 2001, " " * 2001):
        with pytest.raises(InvalidInput):
            found(agent, query=long)
    asked = replace(agent.request("GET", query="退款"), headers={"accept-language": "en"})
    (shown,) = articles.list_articles(asked, agent.storage, "testdesk").body["articles"]
    assert (shown["title"], shown["solution"]) == ("Refund", "订单 {{ order_number }}")


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("refund", {"needs": {}}, "solution.zh-CN"),
        ("refund", {"solution": {"en": "{{ 1 +"}}, "solution.en"),
        ("refund", {"needs": {"order_number": "ticket"}}, "needs.order_number"),
        ("refund", {"type": "refunds"}, "type"),
        ("refund", {"title": {}}, "title"),
        ("refund", {"asked": {"en": [" "]}}, "asked.en.0"),
        ("refund", {"valid": {"from": "2026-02-01", "until": "2026-01-01"}}, "valid"),
        ("Refund", {}, "article"),
    ],
)
def test_an_article_that_cannot_be_told_is_refused(
    signed_in: SignedIn, storage: Storage, name: str, body: Any, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        put(signed_in("supervisor-1"), name, **body)
    assert isinstance(caught.value, InvalidInput)
    assert field in [error.field for error in caught.value.errors]
    assert storage.knowledge.version("testdesk") == 0


def test_a_ticket_s_draft_is_made_from_the_knowledge_base(
    signed_in: SignedIn, storage: Storage, playbook: Any
) -> None:
    """Its article takes the place of the playbook's of the same id."""
    file_ticket(storage, playbook, NUMBER, tags=("login",), type="fault")
    agent = signed_in("agent-1")
    assert "点击“忘记密码”" in agent.show()["suggestion"]["text"]
    put(
        signed_in("supervisor-1"), "password", title=both("新"), solution=both("拨打热线"), needs={}
    )
    draft = agent.show()["suggestion"]
    assert ("拨打热线" in draft["text"], draft["article"]) == (True, "新")
