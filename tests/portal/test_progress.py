"""The customer's view of a desk's steps, and the desk's questions to the customer."""

import re
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.events import Attachment
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from tests.core.sample_desk import DESK, NOON, agent, both, file_ticket
from tests.portal.conftest import NUMBER, Customer
from tests.portal.test_portal import PAGE

pytestmark = pytest.mark.requirement("D10", "D11", "D12", "D13", "E2", "C10", "B9")
WORDS: dict[str, Any] = {
    zh: {"label": {"zh-CN": zh, "en": en}, "score": score}
    for zh, en, score in (
        ("非常满意", "Very satisfied", 5), ("满意", "Satisfied", 4), ("一般", "So so", 3),
        ("不满意", "Not satisfied", 1),
    )
}  # fmt: skip
PHOTO = Attachment(name="现场.png", content_type="image/png", size=9, key="files/testdesk/a")
INSIDE = Attachment(name="内部.pdf", content_type="application/pdf", size=9, key="files/testdesk/b")
STEPS: dict[str, Any] = {
    "on-the-way": {
        "label": {"zh-CN": "工程师已出发", "en": "On the way"},
        "source": ["assigned", "in_progress"],
        "to": "in_progress",
        "fields": {
            "arrives_at": {
                "label": {"zh-CN": "预计到达", "en": "Arrives"},
                "kind": "time",
                "customer_sees": True,
            },
            "parts": {"label": both("配件"), "required": False},
        },
        "attachments": True,
        "customer_sees": True,
    },
    "inside": {
        "label": both("内部核查"),
        "source": ["assigned", "in_progress"],
        "fields": {"found": {"label": both("发现"), "required": False}},
        "attachments": True,
    },
}


def _desk(**confirmation: Any) -> Playbook:
    statuses = {
        **DESK["statuses"],
        "assigned": {"label": {"zh-CN": "待上门", "en": "Visit due"}},
        "awaiting_confirmation": {"label": {"zh-CN": "待客户确认", "en": "Please confirm"}},
    }
    survey = {**DESK["survey"], "words": WORDS}
    return load(
        {
            **DESK,
            "statuses": statuses,
            "steps": STEPS,
            "survey": survey,
            "confirmation": confirmation,
        }
    )


@pytest.fixture
def playbook(request: pytest.FixtureRequest) -> Playbook:
    """A desk with steps that asks first whether the problem is gone."""
    return _desk(**getattr(request, "param", {}))


@pytest.fixture
def storage(dynamodb: Any, playbook: Playbook) -> Storage:
    found = Storage.on(dynamodb, "deskbell-test")
    found.playbooks.put(playbook, NOON)
    found.roster.put(agent())
    return found


def _carry_out(storage: Storage, playbook: Playbook, *commands: c.Command) -> Ticket:
    for command in commands:
        after = change(storage, "testdesk", NUMBER, command, playbook, NOON, actor="agent-1")
    return after


ASSIGN = c.Assign("technical", "agent-1")
GONE = c.TakeStep("on-the-way", {"arrives_at": "2026-03-10T06:00:00+00:00"}, (PHOTO,))
CALLBACK = {"solved": "callback", "team": "technical", "within": "1h"}


@pytest.mark.requirement("D10", "D11")
def test_each_step_is_in_the_timeline(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """工程师已出发，预计到达 14:00; internal steps are not shown."""
    inside = c.TakeStep("inside", {"found": "主板"}, (INSIDE,))
    _carry_out(storage, playbook, ASSIGN, inside, GONE)
    view = customer.get(key=customer.key).body
    assert [entry["label"] for entry in view["timeline"]] == [
        "已收到请求", "已分配处理人员", "工程师已出发",
    ]  # fmt: skip
    assert view["timeline"][-1]["fields"] == [
        {"name": "arrives_at", "label": "预计到达", "value": "3月10日（周二）14:00"}
    ]
    page = customer.get(PAGE, key=customer.key).body
    assert "工程师已出发" in page
    assert "预计到达：3月10日（周二）14:00" in page
    assert "内部核查" not in page
    assert "主板" not in str(view)
    english = customer.get(PAGE, key=customer.key, lang="en").body
    assert "Arrives: Tue 10 Mar, 14:00 (GMT+8)" in english


@pytest.mark.requirement("D10")
def test_files_are_shown_with_the_key_only(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """The last four of the contact are not enough."""
    _carry_out(storage, playbook, ASSIGN, c.TakeStep("inside", {}, (INSIDE,)), GONE)
    (shown,) = customer.get(key=customer.key).body["attachments"]
    assert (shown["name"], shown["url"]) == (
        "现场.png", "https://files.example.com/files/testdesk/a",
    )  # fmt: skip
    (shown,) = customer.get(contact="8000").body["attachments"]
    assert shown["url"] is None
    assert "files/testdesk/a" in customer.get(PAGE, key=customer.key).body
    assert "files/testdesk" not in customer.get(PAGE, contact="8000").body


@pytest.mark.requirement("D6")
def test_the_status_has_the_desk_s_label(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """In the progress bar."""
    _carry_out(storage, playbook, ASSIGN)
    assert customer.get(key=customer.key).body["status_label"] == "待上门"
    assert customer.get(PAGE, key=customer.key).body.count("待上门") == 1


@pytest.mark.requirement("E2")
def test_the_question_to_the_customer_is_on_the_page(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """Until the supervisors decide."""
    _carry_out(storage, playbook, c.AskCustomer("是无法登录，还是收不到验证码？"))
    assert customer.get(key=customer.key).body["question"] == "是无法登录，还是收不到验证码？"
    assert "还是收不到验证码" in customer.get(PAGE, key=customer.key).body
    assert customer.get(contact="8000").body["question"] is None
    _carry_out(storage, playbook, c.CustomerMessage("收不到", "web"))
    answered = customer.submit("messages", text="收不到验证码")
    assert answered.status == 303


@pytest.mark.requirement("C10", "D13")
def test_the_customer_is_asked_to_confirm_the_solution(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """确认解决, or 未解决 with the reason, or a score: also after the confirmation."""
    _carry_out(storage, playbook, ASSIGN, c.Resolve("换了屏幕"))
    page = customer.get(PAGE, key=customer.key).body
    for words in (
        "待客户确认",
        "确认解决",
        "未解决",
        'name="solved" value="true"',
        'name="reason"',
        'name="score"',
    ):
        assert words in page
    assert customer.submit("confirmation", solved="true").status == 303
    page = customer.get(PAGE, key=customer.key).body
    assert re.findall(r'name="score" value="([^"]+)"', page) == list(WORDS)


@pytest.mark.requirement("D13")
def test_an_unsolved_ticket_goes_back_with_the_reason(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    _carry_out(storage, playbook, ASSIGN, c.Resolve("换了屏幕"))
    customer.submit("confirmation", solved="false", reason="屏幕还在闪")
    ticket = storage.tickets.load("testdesk", NUMBER)
    assert (ticket.status, ticket.reopen_to) == ("queued", "team")
    with pytest.raises(ActionNotAllowed) as refused:
        customer.send("survey", {"score": 5})
    assert refused.value.allowed == ("messages",)


@pytest.mark.requirement("B9", "D12")
@pytest.mark.parametrize("playbook", [CALLBACK], indirect=True)
def test_the_customer_can_rate_in_words_before_the_confirmation(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """Once, if a call-back follows the confirmation."""
    _carry_out(storage, playbook, ASSIGN, c.Resolve("换了屏幕"))
    assert 'value="非常满意"' in customer.get(PAGE, key=customer.key).body
    assert customer.submit("survey", score="非常满意").status == 303
    assert storage.tickets.load("testdesk", NUMBER).score == WORDS["非常满意"]["score"]
    assert 'name="score"' not in customer.get(PAGE, key=customer.key).body
    customer.submit("confirmation", solved="true")
    assert customer.get(key=customer.key).body["status"] == "in_review"
    labels = [entry["label"] for entry in customer.get(key=customer.key).body["timeline"]]
    assert labels[-1] == "安排电话回访"


@pytest.mark.requirement("F1")
def test_a_step_that_the_playbook_has_dropped_is_still_shown(
    storage: Storage, playbook: Playbook, customer: Customer
) -> None:
    """Tickets outlive a playbook's version; nothing says any more that customers see its fields."""
    _carry_out(storage, playbook, ASSIGN, GONE)
    storage.playbooks.put(load({**DESK}), NOON)
    fresh = Customer(Storage.on(storage.table.client, storage.table.name))
    (entry,) = fresh.get(key=fresh.key).body["timeline"][-1:]
    assert (entry["label"], entry["fields"]) == ("处理进展", [])
    assert file_ticket(storage, playbook, "CS20260310009").status == "received"
