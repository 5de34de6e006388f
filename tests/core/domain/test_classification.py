"""Classification and destination of a request by its text."""

from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.classification import Classification, classify, destination
from functions.core.domain.matching import Facts
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from tests.core.sample_desk import DESK, both
from tests.growth import grows_with_length

STANDARD = load(Path(__file__).parents[3] / "playbooks" / "standard.yaml")


def desk(**changes: Any) -> Playbook:
    """Return a desk with more keywords and rules than the small one of the core tests."""
    return load({**deepcopy(DESK), **changes})


RULED = desk(
    tags={
        "login": {"label": both("登录"), "keywords": ["登录"], "type": "fault"},
        "price": {"label": both("价格"), "keywords": ["价格"], "type": "inquiry"},
        "safety": {"label": both("安全"), "keywords": ["漏电"]},
    },
    rules=[
        {"id": "safety", "when": {"mentions": "冒烟"}, "then": {"add_tags": "safety"}},
        {
            "id": "is-safety",
            "when": {"tags": "safety"},
            "then": {"priority": "high", "type": "fault"},
        },
        {"id": "vip", "when": {"customer_class": "vip"}, "then": {"raise_by": 1}},
        {"id": "idea", "when": {"mentions": "建议"}, "then": {"priority": "low"}},
        {"id": "spam", "when": {"mentions": "中奖"}, "then": {"lower_by": 2}},
        {"id": "upset", "when": {"mentions": ["气死", "furious"]}, "then": {"mood": "upset"}},
        {"id": "calm-down", "when": {"mood": "upset", "channel": "phone"}, "then": {"raise_by": 1}},
        {"id": "large", "when": {"amount_over": 1000}, "then": {"priority": "high"}},
        {"id": "kettle", "when": {"product": "kettle"}, "then": {"add_tags": "safety"}},
    ],
)  # fmt: skip


class TestTags:
    @pytest.mark.requirement("A2")
    @pytest.mark.parametrize(
        ("text", "tag"),
        [
            ("我的账号一直无法登录", "无法登录"), ("支付失败了", "支付失败"),
            ("我想做一下物流查询", "物流查询"), ("忘记密码怎么办", "密码找回"),
            ("商品有质量问题", "退换货"), ("请给我退款", "退款"), ("需要开发票", "发票"),
            ("系统崩溃", "系统崩溃"), ("I can’t log in", "无法登录"),
            ("My PAYMENT FAILED twice", "支付失败"), ("Where is my parcel?", "物流查询"),
            ("I forgot my password", "密码找回"), ("I'd like to return the shoes", "退换货"),
            ("Please refund me", "退款"), ("Our system is down", "系统崩溃"),
        ],
    )  # fmt: skip
    def test_keywords_give_the_preset_tag(self, text: str, tag: str) -> None:
        assert classify(text, STANDARD).tags[0] == tag

    @pytest.mark.requirement("A2")
    def test_the_tag_with_the_longest_keyword_comes_first(self) -> None:
        assert classify("要退款，因为有质量问题", STANDARD).tags == ("退换货", "退款")

    @pytest.mark.requirement("A2")
    def test_a_longer_keyword_hides_a_shorter_one_inside_it(self) -> None:
        assert classify("支付异常", STANDARD).tags == ("支付失败",)

    @pytest.mark.requirement("A2")
    def test_a_shorter_keyword_elsewhere_counts(self) -> None:
        assert classify("支付异常，首页也打不开", STANDARD).tags == ("支付失败", "功能异常")

    @pytest.mark.requirement("A2")
    def test_two_tags_may_share_a_keyword(self) -> None:
        shared = desk(
            tags={
                name: {"label": both(name), "keywords": ["密码", "找回密码"]} for name in ("a", "b")
            }
        )
        assert classify("找回密码", shared).tags == ("a", "b")

    @pytest.mark.requirement("A2")
    def test_a_text_without_keywords_has_no_tags(self) -> None:
        assert classify("你好", STANDARD).tags == ()


class TestType:
    @pytest.mark.requirement("A1")
    def test_a_given_type_precedes_the_text(self) -> None:
        assert classify("支付失败", STANDARD, type_given="售后").type == "售后"

    @pytest.mark.requirement("A1")
    def test_a_type_may_be_given_in_any_language(self) -> None:
        assert classify("hello", STANDARD, type_given="After-sales").type == "售后"

    @pytest.mark.requirement("A1")
    def test_an_unknown_type_is_ignored(self) -> None:
        assert classify("支付失败", STANDARD, type_given="维修").type == "报障"

    @pytest.mark.requirement("A1")
    def test_a_tags_type_precedes_a_types_own_keywords(self) -> None:
        assert classify("请问支付失败怎么办", STANDARD).type == "报障"

    @pytest.mark.requirement("A1")
    def test_a_types_own_keywords_count_without_a_tag(self) -> None:
        assert classify("请问你们几点上班", STANDARD).type == "咨询"

    @pytest.mark.requirement("A1")
    def test_the_default_type_is_used_otherwise(self) -> None:
        assert classify("你好", STANDARD).type == "其他"

    @pytest.mark.requirement("D5")
    def test_a_rules_type_precedes_a_given_type(self) -> None:
        assert classify("冒烟", RULED, type_given="inquiry").type == "fault"


class TestPriority:
    @pytest.mark.requirement("A1")
    def test_a_given_urgency_is_the_priority(self) -> None:
        assert classify("你好", STANDARD, urgency="低").priority == "低"
        assert classify("你好", STANDARD, urgency="High").priority == "高"

    @pytest.mark.requirement("A1")
    def test_the_default_priority_is_used_otherwise(self) -> None:
        assert classify("你好", STANDARD).priority == "中"
        assert classify("你好", STANDARD, urgency="asap").priority == "中"

    @pytest.mark.requirement("A7")
    @pytest.mark.parametrize("text", ["系统崩溃", "核心业务中断！", "the whole site is down"])
    @pytest.mark.parametrize("urgency", [None, "低", "高"])
    def test_an_outage_is_urgent_whatever_the_given_urgency(
        self, text: str, urgency: str | None
    ) -> None:
        found = classify(text, STANDARD, urgency=urgency)
        assert found.priority == "高"
        assert found.rules == ("core-business-down",)

    @pytest.mark.requirement("D5")
    def test_a_rules_priority_does_not_lower_a_given_urgency(self) -> None:
        assert classify("建议", RULED).priority == "low"
        assert classify("建议", RULED, urgency="high").priority == "high"

    @pytest.mark.requirement("D5")
    def test_lower_by_lowers_a_given_urgency(self) -> None:
        assert classify("恭喜中奖", RULED, urgency="high").priority == "low"

    @pytest.mark.requirement("D5")
    def test_a_vip_goes_up_one_level(self) -> None:
        assert classify("你好", RULED, customer_class="vip").priority == "high"
        assert classify("你好", RULED, customer_class="vip", urgency="low").priority == "medium"

    @pytest.mark.requirement("D5")
    def test_each_rule_sees_the_result_of_the_one_before(self) -> None:
        found = classify("水壶冒烟", RULED)
        assert found.rules == ("safety", "is-safety")
        assert (found.tags, found.priority, found.type) == (("safety",), "high", "fault")

    @pytest.mark.requirement("B4")
    def test_a_large_amount_raises_the_priority(self) -> None:
        assert classify("你好", RULED, amount=Decimal("1000.5")).priority == "high"
        assert classify("你好", RULED, amount=Decimal(1000)).priority == "medium"

    @pytest.mark.requirement("D5")
    def test_a_condition_may_name_the_product(self) -> None:
        assert classify("你好", RULED, product="Kettle X1").tags == ("safety",)


class TestMood:
    @pytest.mark.requirement("E9")
    def test_only_a_rule_sets_the_mood(self) -> None:
        assert classify("I am FURIOUS", RULED).mood == "upset"
        assert classify("I am furious", STANDARD).mood is None

    @pytest.mark.requirement("B13")
    def test_a_condition_may_name_the_mood(self) -> None:
        found = classify("气死我了", RULED, channel="phone")
        assert (found.priority, found.rules) == ("high", ("upset", "calm-down"))


class TestVague:
    @pytest.mark.requirement("A6")
    @pytest.mark.parametrize("text", ["功能异常", "用不了了", "It doesn't work", "有个bug"])
    def test_a_vague_tag_alone_has_to_be_confirmed(self, text: str) -> None:
        found = classify(text, STANDARD)
        assert found.vague
        assert found.question is not None
        assert "哪个功能" in found.question["zh-CN"]
        assert found.tags == ("功能异常",)

    @pytest.mark.requirement("A6")
    @pytest.mark.parametrize(
        "text", ["支付功能异常", "报表导出报错", "The upload does not work", "支付失败，功能异常"]
    )
    def test_a_named_module_or_a_specific_tag_is_clear(self, text: str) -> None:
        found = classify(text, STANDARD)
        assert not found.vague
        assert found.question is None

    @pytest.mark.requirement("A6")
    def test_a_given_type_does_not_name_the_module(self) -> None:
        assert classify("功能异常", STANDARD, type_given="报障").vague

    @pytest.mark.requirement("A6")
    def test_without_any_tag_nothing_is_asked(self) -> None:
        assert not classify("你好", STANDARD).vague


class TestConfidence:
    @pytest.mark.requirement("A6")
    @pytest.mark.parametrize(
        ("text", "given_", "expected"),
        [
            ("你好", None, 0.2), ("请问你们几点上班", None, 0.6), ("支付失败", None, 0.9),
            ("支付失败，要退款", None, 0.7), ("你好", "咨询", 1.0), ("支付失败", "售后", 0.8),
            ("功能异常", "报障", 0.4),
        ],
    )  # fmt: skip
    def test_the_confidence_depends_on_the_source_of_the_type(
        self, text: str, given_: str | None, expected: float
    ) -> None:
        assert classify(text, STANDARD, type_given=given_).confidence == expected

    def test_a_rule_is_certain(self) -> None:
        assert classify("冒烟", RULED).confidence == 1.0


def destination_for(text: str, playbook: Playbook = STANDARD, **known: Any) -> tuple[str, str]:
    """Return team and queue for a request."""
    found = classify(text, playbook, **known)
    facts = Facts(
        text=text,
        type=found.type,
        tags=found.tags,
        priority=found.priority,
        customer_class=known.get("customer_class"),
    )
    chosen = destination(facts, playbook)
    return chosen.team, chosen.queue


class TestDestination:
    @pytest.mark.requirement("A5")
    @pytest.mark.parametrize(
        ("text", "known", "team"),
        [
            ("无法登录", {}, "技术支持组"),
            ("支付失败", {}, "技术支持组"),
            ("请帮我退款", {}, "售后组"),
            ("请帮我退款", {"type_given": "咨询"}, "售后组"),
            ("物流查询", {}, "通用咨询组"),
            ("你好", {}, "通用咨询组"),
            ("你好", {"type_given": "报障"}, "技术支持组"),
            ("你好", {"type_given": "售后"}, "售后组"),
            ("我要投诉", {}, "通用咨询组"),
        ],
    )
    def test_tags_and_type_choose_the_team(
        self, text: str, known: dict[str, Any], team: str
    ) -> None:
        assert destination_for(text, **known) == (team, "team")

    @pytest.mark.requirement("A5")
    def test_the_customer_class_chooses_the_team(self) -> None:
        assert destination_for("我要投诉", customer_class="vip") == ("主管组", "supervisor")

    @pytest.mark.requirement("A7")
    @pytest.mark.parametrize(("text", "urgency"), [("系统崩溃", None), ("你好", "高")])
    def test_high_urgency_goes_to_the_supervisors(self, text: str, urgency: str | None) -> None:
        assert destination_for(text, urgency=urgency) == ("主管组", "supervisor")

    @pytest.mark.requirement("B5")
    def test_routing_matches_keywords_in_any_width_and_case(self) -> None:
        routing = [{"when": {"mentions": "app"}, "team": "technical"}, {"team": "general"}]
        assert destination_for("ＡＰＰ", desk(routing=routing))[0] == "technical"


@pytest.mark.slow
@given(
    text=st.text(max_size=400),
    type_given=st.none() | st.text() | st.sampled_from(list(STANDARD.types)),
    urgency=st.none() | st.text() | st.sampled_from(list(STANDARD.priorities)),
    customer_class=st.none() | st.text(),
    amount=st.none() | st.decimals(allow_nan=False),
)
def test_classifying_never_raises_and_keeps_to_the_playbook(
    text: str,
    type_given: str | None,
    urgency: str | None,
    customer_class: str | None,
    amount: Decimal | None,
) -> None:
    for playbook in (STANDARD, RULED):
        found = classify(
            text,
            playbook,
            type_given=type_given,
            urgency=urgency,
            customer_class=customer_class,
            amount=amount,
        )
        _fits(found, playbook)


@pytest.mark.requirement("A2")
@given(
    st.lists(
        st.sampled_from([word for tag in STANDARD.tags.values() for word in tag.keywords]),
        min_size=1,
        max_size=6,
    ),
    st.text(max_size=20),
)
def test_a_request_with_keywords_has_tags(words: list[str], between: str) -> None:
    found = classify(f" {between} ".join(["", *words, ""]), STANDARD)
    _fits(found, STANDARD)
    assert found.tags


def _fits(found: Classification, playbook: Playbook) -> None:
    assert found.type in playbook.types
    assert found.priority in playbook.priorities
    assert set(found.tags) <= set(playbook.tags)
    assert len(set(found.tags)) == len(found.tags)
    assert 0 <= found.confidence <= 1
    assert found.vague == (found.question is not None)
    assert set(found.rules) <= {rule.id for rule in playbook.rules}
    facts = Facts(type=found.type, tags=found.tags, priority=found.priority)
    assert destination(facts, playbook).team in playbook.teams


@pytest.mark.requirement("E1")
def test_the_time_grows_no_faster_than_the_text() -> None:
    request = "昨天下单之后一直没有办法付款，页面提示异常，请帮我看看。error "
    assert grows_with_length(lambda text: classify(text, STANDARD), request * 1000)
