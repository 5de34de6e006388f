"""The draft answer that is suggested to an agent."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.classification import classify
from functions.core.domain.commands.conversation import _require_filled_in
from functions.core.domain.errors import InvalidInput
from functions.core.domain.knowledge import Article, ArticleVersion, KnowledgeBase
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Customer, Ticket
from functions.core.playbook import load
from functions.core.services.suggesting import Suggestion, suggest
from tests.core.sample_desk import DESK, both

pytestmark = pytest.mark.requirement("A9")
STANDARD = load(Path(__file__).parents[3] / "playbooks" / "standard.yaml")
AT = datetime(2024, 5, 20, 1, 30, tzinfo=UTC)


def ticket(**changes: Any) -> Ticket:
    given: dict[str, Any] = {
        "desk": "standard",
        "number": "CS20240520001",
        "version": 2,
        "status": "assigned",
        "customer": Customer(contact="****8000", kind="phone", hash="h"),
        "channel": "web",
        "locale": "zh-CN",
        "type": "咨询",
        "priority": "中",
        "received_at": AT,
        "updated_at": AT,
        **changes,
    }
    return Ticket(**given)


def offered(text: str, locale: Locale = "zh-CN") -> Suggestion:
    """Return the draft for a request with this text."""
    found = classify(text, STANDARD)
    return suggest(ticket(type=found.type, tags=found.tags), STANDARD, text, locale, AT)


def test_the_opening_names_the_tag() -> None:
    assert "“无法登录”" in offered("无法登录").text.splitlines()[0]


def test_the_draft_asks_for_missing_information() -> None:
    last = offered("无法登录").text.splitlines()[-1]
    assert "登录方式" in last
    assert "页面提示" in last


def test_the_draft_has_a_first_solution_for_a_common_problem() -> None:
    found = offered("忘记密码了")
    assert found.article == "密码找回"
    assert "忘记密码”，输入注册时的手机号或邮箱" in found.text


def test_the_draft_is_in_the_customer_s_language() -> None:
    found = offered("I forgot my password", "en")
    assert found.article == "Recovering a password"
    assert found.text.startswith(
        "Hello, thank you for contacting us about recovering your password."
    )
    assert found.text.isascii()


@pytest.mark.parametrize("kind", list(STANDARD.types))
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_type_has_a_draft_without_a_tag(kind: str, locale: Locale) -> None:
    found = suggest(ticket(type=kind), STANDARD, "", locale, AT)
    assert found.text
    assert STANDARD.types[kind].label[locale] not in found.text.split("\n")[0]  # it is internal
    assert found.article is None


@pytest.mark.parametrize("tag", list(STANDARD.tags))
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_tag_has_a_complete_draft(tag: str, locale: Locale) -> None:
    kind = STANDARD.tags[tag].type or STANDARD.default_type
    text = suggest(ticket(type=kind, tags=(tag,)), STANDARD, "", locale, AT).text
    assert len(text.split("\n\n")) >= 2
    for trace in ("{{", "}}", "{%", "None", "\n\n\n", "“”", '""'):
        assert trace not in text


def desk(template: dict[str, Any], **changes: Any) -> Playbook:
    return load({**deepcopy(DESK), "templates": [{"id": "only", **template}], **changes})


def small(**changes: Any) -> Ticket:
    return ticket(**{"desk": "testdesk", "type": "fault", "priority": "high", **changes})


def test_without_a_matching_template_there_is_no_draft() -> None:
    playbook = desk({"when": {"type": "inquiry"}, "parts": {"opening": both("x")}})
    assert suggest(small(), playbook, "", "zh-CN", AT) == Suggestion("")


def test_keywords_of_the_request_can_choose_the_template() -> None:
    playbook = desk({"when": {"mentions": "水壶"}, "parts": {"opening": both("x")}})
    assert suggest(small(), playbook, "我的水壶", "zh-CN", AT).text == "x"


def test_variables_are_filled_in_and_unknown_ones_are_empty() -> None:
    parts = {
        "opening": both(
            "{{ number }}|{{ name }}|{{ tags }}|{{ priority }}|{{ due_at }}|{{ team }}"
        ),
        "nothing": both("{{ summary }}"),
        "time": both("{{ expected_response_by }}"),
    }
    found = suggest(
        small(
            tags=("login", "gone"), expected_response_by=AT + timedelta(hours=1), team="technical"
        ),
        desk({"parts": parts}),
        "",
        "zh-CN",
        AT,
    )
    assert found.text == "CS20240520001||登录|||技术支持组\n\n5月20日（周一）10:30"


def test_an_article_can_fill_in_variables() -> None:
    playbook = desk(
        {"article": "a", "parts": {"solution": both("先{{ solution }}")}},
        articles={"a": {"title": both("题"), "solution": both("重启 {{ number }}")}},
    )
    assert suggest(small(), playbook, "", "en", AT) == Suggestion("先重启 CS20240520001", "题")


def test_the_draft_can_ask_a_vague_tag_s_question() -> None:
    vague = {"label": both("异常"), "keywords": ["异常"], "vague": {"question": both("哪里？")}}
    playbook = desk({"parts": {"question": both("{{ question }}")}}, tags={"odd": vague})
    assert suggest(small(tags=("odd",)), playbook, "", "zh-CN", AT).text == "哪里？"


def test_a_step_s_fields_are_formatted_for_people() -> None:
    """A time is in the desk's zone; a field fills a common variable only if that is empty."""
    fields = {
        "arrival": {"label": both("到达"), "kind": "time", "customer_sees": True},
        "summary": {"label": both("小结"), "customer_sees": True},
        "number": {"label": both("编号"), "customer_sees": True},
    }
    steps = {"visit": {"label": both("上门"), "source": ["in_progress"], "fields": fields}}
    said = "{{ arrival }}|{{ summary }}|{{ number }}"
    playbook = desk({"parts": {"opening": both(said)}}, steps=steps)
    facts = {"arrival": "2024-05-20T06:00:00+00:00", "summary": "已修", "number": "A-1"}
    assert suggest(small(facts=facts), playbook, "", "zh-CN", AT).text == (
        "5月20日（周一）14:00|已修|CS20240520001"
    )


def knowledge(**changes: Any) -> KnowledgeBase:
    """The article `a` about kettles, and one about something else."""
    kettle = {"title": both("水壶"), "asked": {"zh-CN": ["水壶坏了"]}, "solution": both("换一个")}
    cable = {"title": both("电缆"), "solution": both("别碰")}
    articles = {"a": {**kettle, **changes}, "b": cable}
    return KnowledgeBase(
        1,
        {
            name: ArticleVersion(1, "x", AT, Article.model_validate(content))
            for name, content in articles.items()
        },
    )


@pytest.mark.parametrize(
    ("changes", "draft"),
    [
        ({}, Suggestion("先换一个", "水壶")),
        ({"state": "draft"}, Suggestion("先重启", "题")),
        ({"audience": "agent"}, Suggestion("先重启", "题")),
        ({"valid": {"until": "2024-05-19"}}, Suggestion("先重启", "题")),
        ({"solution": {"en": "Take another"}}, Suggestion("先重启", "题")),
    ],
)
def test_the_knowledge_base_s_article_takes_the_playbook_s_place(
    changes: dict[str, Any], draft: Suggestion
) -> None:
    """If customers may read it now, in the draft's language."""
    playbook = desk(
        {"article": "a", "parts": {"solution": both("先{{ solution }}")}},
        articles={"a": {"title": both("题"), "solution": both("重启")}},
    )
    assert suggest(small(), playbook, "", "zh-CN", AT, knowledge(**changes)) == draft


def test_without_a_template_the_article_that_fits_is_the_draft() -> None:
    """An unknown value that it needs is a placeholder, with which no reply can be sent."""
    needed = both("{{ number }}：{{ model }}，{{ order }}")
    given = knowledge(solution=needed, needs={"model": "asked", "order": "ticket"})
    playbook = desk({"when": {"type": "inquiry"}, "parts": {"opening": both("x")}})
    found = suggest(small(order="A-1"), playbook, "我的水壶坏了", "zh-CN", AT, given)
    assert found == Suggestion("CS20240520001：【请填写：model】，A-1", "水壶")
    with pytest.raises(InvalidInput):
        _require_filled_in(found.text)
    in_english = suggest(small(), playbook, "水壶坏了", "en", AT, given).text
    with pytest.raises(InvalidInput):
        _require_filled_in(in_english)
    assert suggest(small(), playbook, "打印机没墨了", "zh-CN", AT, given) == Suggestion("")
    hidden = knowledge(audience="agent")
    assert suggest(small(), playbook, "水壶坏了", "zh-CN", AT, hidden) == Suggestion("")
