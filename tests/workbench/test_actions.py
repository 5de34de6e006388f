"""Agents' actions on tickets."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import (
    ActionNotAllowed,
    Forbidden,
    InvalidInput,
    NotFound,
    StaleVersion,
)
from functions.core.domain.events import Attachment, Product
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer, Ticket
from functions.core.services import command_service
from functions.core.services.command_service import change, write_all
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.workbench.conftest import NUMBER, Agent, SignedIn

pytestmark = pytest.mark.requirement(
    "A5", "A6", "A7", "A9", "A10", "A11", "A12", "A13", "A14", "G4"
)
SHOT = Attachment(name="截图.png", content_type="image/png", size=9, key="files/testdesk/1/a")
RAW = Attachment(name="odd", content_type="text/plain", size=9, key="mail/whole")


@pytest.fixture
def ticket(storage: Storage, playbook: Playbook) -> Ticket:
    """Return a new ticket without a handler."""
    return file_ticket(
        storage,
        playbook,
        NUMBER,
        attachments=(SHOT, RAW),
        product=Product(name="路由器"),
        entered_by="agent-3",
    )


def _system(storage: Storage, playbook: Playbook, *commands: c.Command) -> None:
    for command in commands:
        change(storage, "testdesk", NUMBER, command, playbook, NOON, actor="system")


@pytest.mark.requirement("A10", "A11", "A12", "A14")
def test_an_agent_handles_a_ticket_until_it_is_resolved(
    ticket: Ticket, signed_in: SignedIn
) -> None:
    """The history has each action with actor and time."""
    agent = signed_in("agent-1")
    assert agent.act("take")["handler"] == "agent-1"
    replied = agent.act("reply", text="请重启后再试")
    assert replied["status"] == "in_progress"
    assert replied["first_response_at"] == "2026-03-10T12:00:00+08:00"
    assert agent.act("request-info", text="请提供截图")["status"] == "awaiting_customer"
    assert agent.act("note", text="客户很着急")["status"] == "awaiting_customer"
    resolved = agent.act("resolve", summary="已重置密码")
    assert (resolved["status"], resolved["summary"]) == ("resolved", "已重置密码")
    assert agent.act("reopen", reason="客户来电")["status"] == "queued"
    timeline = agent.show()["timeline"]
    assert [entry["event"] for entry in timeline] == [
        "TicketReceived", "TicketClassified", "TicketAssigned", "ReplySent",
        "InformationRequested", "NoteAdded", "TicketResolved", "TicketReopened",
    ]  # fmt: skip
    assert {entry["actor"] for entry in timeline[2:]} == {"agent-1"}
    assert all(entry["at"] == "2026-03-10T12:00:00+08:00" and entry["label"] for entry in timeline)


@pytest.mark.requirement("A10")
def test_a_reply_stops_the_first_response_timer(ticket: Ticket, signed_in: SignedIn) -> None:
    agent = signed_in("agent-1")
    agent.act("take")
    agent.act("reply", text="您好")
    timers = {timer["kind"]: timer["state"] for timer in agent.show()["timers"]}
    assert timers == {"first_response": "met", "resolution": "running"}


@pytest.mark.requirement("A11")
def test_waiting_for_the_customer_pauses_the_resolution(
    ticket: Ticket, signed_in: SignedIn
) -> None:
    """Meanwhile the 24 h timer runs."""
    agent = signed_in("agent-1")
    agent.act("take")
    agent.act("request-info", text="请提供截图")
    timers = {timer["kind"]: timer for timer in agent.show()["timers"]}
    assert timers["resolution"]["state"] == "paused"
    assert timers["resolution"]["due_at"] is None
    assert timers["resolution"]["left_seconds"] == 16 * 3600
    assert timers["customer_info"]["due_at"] == "2026-03-11T12:00:00+08:00"


@pytest.mark.requirement("A6")
def test_confirming_the_type_routes_the_ticket(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    _system(storage, playbook, c.AskConfirmation("technical", "哪个模块？"))
    after = signed_in("agent-1").act("confirm-type", type="fault", tags=["login"])
    assert (after["status"], after["queue"]) == ("received", "new")
    assert (after["type"], after["tags"], after["priority"]) == ("fault", ["login"], "medium")


@pytest.mark.requirement("A5", "A6", "A7")
def test_terms_are_accepted_by_name_or_label(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    """Types, tags, priorities and teams."""
    _system(storage, playbook, c.AskConfirmation("technical", "哪个模块？"))
    agent, supervisor = signed_in("agent-1"), signed_in("supervisor-1")
    after = agent.act("confirm-type", type="报障", tags=["G-登录"], priority="低")
    assert (after["type"], after["tags"], after["priority"]) == ("fault", ["login"], "low")
    assert agent.act("priority", priority="高")["priority"] == "high"
    assert supervisor.act("assign", team="通用咨询组")["team"] == "general"


@pytest.mark.requirement("A7")
def test_a_supervisor_changes_the_handler_at_any_time(ticket: Ticket, signed_in: SignedIn) -> None:
    """To an agent, a team or the supervisors."""
    supervisor = signed_in("supervisor-1")
    first = supervisor.act("assign", agent="agent-1")
    assert (first["team"], first["handler"]) == ("technical", "agent-1")
    other = supervisor.act("assign", agent="agent-3", reason="13800138000 的老客户")
    assert (other["team"], other["handler"]) == ("general", "agent-3")
    assert supervisor.act("assign", team="technical")["queue"] == "waiting"
    assert supervisor.act("assign", queue="supervisor")["queue"] == "supervisor"
    taken = supervisor.act("take")
    assert (taken["team"], taken["handler"]) == ("technical", "supervisor-1")
    assert supervisor.act("assign", queue="team")["handler"] is None
    text = str(supervisor.show()["timeline"])
    assert "138****8000" in text
    assert "13800138000" not in text


@pytest.mark.requirement("A7", "A8")
@pytest.mark.parametrize(
    ("who", "action", "body", "name"),
    [
        ("agent-1", "take", {}, "客服-张"),
        ("supervisor-1", "assign", {"agent": "agent-1"}, "客服-张"),
        ("supervisor-1", "assign", {"agent": "agent-2"}, ""),
    ],
)
def test_whoever_gets_a_ticket_brings_the_display_name(
    storage: Storage,
    ticket: Ticket,
    signed_in: SignedIn,
    who: str,
    action: str,
    body: dict[str, str],
    name: str,
) -> None:
    storage.roster.put(agent("agent-1", display_name="客服-张"))
    storage.roster.cache.clear()
    signed_in(who).act(action, **body)
    assert storage.tickets.load("testdesk", NUMBER).handler_name == name


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "agent"),
        ({"agent": "agent-1", "team": "technical"}, "agent"),
        ({"agent": "nobody"}, "agent"),
        ({"team": "nowhere"}, "team"),
        ({"queue": "mine"}, "queue"),
        ({"agents": "agent-1"}, "agents"),
    ],
)
def test_an_assignment_needs_an_assignee(
    ticket: Ticket, signed_in: SignedIn, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        signed_in("supervisor-1").act("assign", **body)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.requirement("A13")
def test_qa_assigns_the_call_back_and_records_the_cause(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    """After a score below 4."""
    _system(
        storage,
        playbook,
        c.Assign("technical", "agent-1", by_person=True),
        c.Resolve("好了"),
        c.AnswerSurvey(2, "太慢"),
    )
    qa = signed_in("qa-1")
    assert "assign" in qa.show()["actions"]
    assert qa.act("assign", agent="agent-3")["reviewer"] == "agent-3"
    with pytest.raises(InvalidInput):
        qa.act("assign", team="technical")
    with pytest.raises(Forbidden, match="quality assurance"):
        signed_in("agent-2").act("callback", cause="慢")
    done = signed_in("agent-3").act("callback", cause="排队太久", note="已致歉 a@example.com")
    assert done["status"] == "archived"
    details = signed_in("qa-1").show()["timeline"][-2]["details"]
    assert details == {"cause": "排队太久", "note": "已致歉 ***@e***.com"}


@pytest.mark.requirement("A5")
def test_a_customer_class_applies_to_later_requests_too(
    storage: Storage, ticket: Ticket, signed_in: SignedIn
) -> None:
    """A supervisor sets it."""
    supervisor = signed_in("supervisor-1")
    assert supervisor.act("set-customer-class", customer_class="vip")["customer"]["class"] == "vip"
    assert storage.contacts.known("testdesk", None, "h1").customer_class == "vip"
    with pytest.raises(InvalidInput) as refused:
        supervisor.act("set-customer-class", customer_class="gold")
    assert [error.field for error in refused.value.errors] == ["customer_class"]
    supervisor.act("set-customer-class", customer_class=None)
    assert storage.contacts.known("testdesk", None, "h1").customer_class is None
    with pytest.raises(Forbidden):
        signed_in("agent-1").act("set-customer-class", customer_class="vip")


def test_a_supervisor_sets_the_priority_and_closes(ticket: Ticket, signed_in: SignedIn) -> None:
    supervisor = signed_in("supervisor-1")
    assert supervisor.act("priority", priority="high", reason="急")["priority"] == "high"
    assert supervisor.act("priority", priority="high")["version"] == 2
    assert supervisor.act("close", reason="重复")["status"] == "closed"


@pytest.mark.requirement("A12", "A15")
@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("reply", {}, "text"),
        ("reply", {"text": "   "}, "text"),
        ("reply", {"text": "a" * 4001}, "text"),
        ("reply", {"text": "a", "to": "b"}, "to"),
        ("resolve", {"summary": "长" * 101}, "summary"),
        ("take", {"version": "x"}, "version"),
        ("take", {"agent": "agent-2"}, "agent"),
        ("priority", {"priority": "sky-high"}, "priority"),
    ],
)
def test_an_invalid_body_names_its_fields(
    storage: Storage,
    playbook: Playbook,
    ticket: Ticket,
    signed_in: SignedIn,
    action: str,
    body: dict[str, Any],
    field: str,
) -> None:
    """A summary has 100 characters at most; unknown fields are refused."""
    _system(storage, playbook, c.Assign("technical", "agent-1", by_person=True))
    with pytest.raises(InvalidInput) as refused:
        signed_in("agent-1").act(action, **body)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.requirement("A6")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"type": "odd"}, ["type"]),
        ({"type": "fault", "tags": ["odd"]}, ["tags"]),
        ({"type": "odd", "tags": ["odd"], "priority": "odd"}, ["type", "tags", "priority"]),
    ],
)
def test_an_unknown_type_or_tag_is_refused(
    ticket: Ticket, signed_in: SignedIn, body: dict[str, Any], fields: list[str]
) -> None:
    """Every wrong field is named at once."""
    with pytest.raises(InvalidInput) as refused:
        signed_in("agent-1").act("confirm-type", **body)
    assert [error.field for error in refused.value.errors] == fields


def test_an_unknown_action_is_404_and_names_the_others(ticket: Ticket, signed_in: SignedIn) -> None:
    with pytest.raises(NotFound) as refused:
        signed_in("agent-1").act("explode")
    assert "confirm-type, take, assign" in refused.value.detail


def test_an_action_that_the_status_forbids_is_409_and_names_the_allowed(
    ticket: Ticket, signed_in: SignedIn
) -> None:
    with pytest.raises(ActionNotAllowed) as refused:
        signed_in("supervisor-1").act("resolve", summary="好了")
    assert "take" in refused.value.allowed


def test_a_chat_customer_has_no_number_to_open(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    writer = Customer(name="*先生/女士", contact="****wxyz", kind="message", hash="h1")
    file_ticket(storage, playbook, NUMBER, customer=writer)
    with pytest.raises(ActionNotAllowed, match="no number or address"):
        signed_in("supervisor-1").act("open-contact", reason="回访")


def test_a_stale_version_is_409(ticket: Ticket, signed_in: SignedIn) -> None:
    agent = signed_in("agent-1")
    agent.act("take", version=1)
    with pytest.raises(StaleVersion):
        agent.act("reply", text="您好", version=1)
    assert agent.act("reply", text="您好", version=2)["version"] == 3


def test_rights_are_checked_again_after_a_conflict(
    ticket: Ticket, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket may be reassigned while its former handler answers."""
    agent = signed_in("agent-1")
    agent.act("take")

    def overtaken(*arguments: Any, **options: Any) -> Ticket:
        monkeypatch.setattr(command_service, "write_all", write_all)
        signed_in("supervisor-1").act("assign", agent="agent-2")
        return write_all(*arguments, **options)

    monkeypatch.setattr(command_service, "write_all", overtaken)
    with pytest.raises(Forbidden):
        agent.act("reply", text="您好")


def test_only_agents_on_the_roster_take_tickets(
    storage: Storage, ticket: Ticket, signed_in: SignedIn
) -> None:
    """Administration works on none, and neither does who is on the roster of every desk."""
    storage.roster.put(agent("guest", role="admin", team=""))
    storage.roster.put(agent("other", desk="*", role="supervisor", team=""))
    for username in ("guest", "other"):
        guest = Agent(storage, username, "testdesk:admin *:supervisor")
        with pytest.raises(Forbidden):
            guest.act("take")


def test_nobody_assigns_a_ticket_to_who_has_left(
    storage: Storage, ticket: Ticket, signed_in: SignedIn
) -> None:
    storage.roster.set_active("testdesk", "agent-2", False)
    with pytest.raises(InvalidInput) as refused:
        signed_in("supervisor-1").act("assign", agent="agent-2")
    assert refused.value.errors[0].field == "agent"


# What is shown


@pytest.mark.requirement("A9", "A14")
def test_an_agent_sees_the_whole_ticket(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    """Fields, messages, timers, a suggestion, and the customer's other tickets."""
    file_ticket(storage, playbook, "CS20260309001", NOON - timedelta(days=1))
    _system(storage, playbook, c.Classify("fault", ("login",), "medium", rules=("kw-login",)))
    shown = signed_in("agent-1").show()
    assert shown["customer"]["contact"] == "****8000"
    assert (shown["description"], shown["version"]) == ("无法登录", 2)
    assert (shown["product"]["name"], shown["entered_by"]) == ("路由器", "agent-3")
    assert shown["suggestion"] == {
        "text": "关于登录的问题\n\n点击“忘记密码”",
        "article": "密码找回",
    }
    assert shown["rules"] == ["kw-login"]
    assert shown["history"] == ["CS20260309001"]
    assert shown["actions"] == ["confirm-type", "take", "priority", "note", "merge"]
    assert shown["received_at"] == "2026-03-10T12:00:00+08:00"
    assert "TimersSet" not in {entry["event"] for entry in shown["timeline"]}


@pytest.mark.requirement("A10")
def test_messages_show_their_delivery(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    """In both directions; notifications to staff are no messages."""
    storage.deliveries.claim(_delivery(1, "TicketReceived", text="已收到您的请求", state="sent"))
    storage.deliveries.claim(_delivery(1, "TicketReceived", recipient="team", text="新工单"))
    agent = signed_in("agent-1")
    agent.act("take")
    agent.act("reply", text="您好")
    storage.deliveries.claim(
        _delivery(3, "ReplySent", text="尊敬的客户：您好", state="dead_lettered", cause=CAPPED)
    )
    agent.act("reply", text="再见")
    _system(storage, playbook, c.CustomerMessage("还是不行", "email"))
    messages = agent.show()["messages"]
    assert [(m["direction"], m["channel"], m["text"], m["delivery"]) for m in messages] == [
        ("in", "web", "无法登录", None), ("out", "sms", "已收到您的请求", "sent"),
        ("out", "sms", "您好", "dead_lettered"), ("out", "web", "再见", "pending"),
        ("in", "email", "还是不行", None),
    ]  # fmt: skip
    reasons = [m.get("reason") for m in messages]
    assert reasons == [None, None, "本服务台今日短信已达上限（9条），此条未发送。", None, None]


CAPPED = "capped: 9 text messages of this desk today"


def _delivery(version: int, event: str, recipient: str = "customer", **more: Any) -> Delivery:
    return Delivery(
        desk="testdesk",
        number=NUMBER,
        version=version,
        event=event,
        message="m",
        recipient=recipient,
        channel="sms",
        to="****8000",
        claimed_at=NOON,
        at=NOON,
        **more,
    )


def test_only_people_who_work_on_a_ticket_get_links_to_its_files(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    """A raw mail has no link."""
    _system(storage, playbook, c.Assign("technical", "agent-1", by_person=True))

    def urls(who: str) -> list[str | None]:
        return [file["url"] for file in signed_in(who).show()["attachments"]]

    link = "https://files.example.com/files/testdesk/1/a"
    assert urls("agent-1") == [link, None]
    assert urls("agent-2") == [link, None]
    assert urls("qa-1") == [link, None]
    assert urls("agent-3") == [None, None]


def test_finance_sees_no_ticket(ticket: Ticket, signed_in: SignedIn) -> None:
    with pytest.raises(Forbidden):
        signed_in("finance-1").show()
    with pytest.raises(Forbidden):
        signed_in("finance-1").act("note", text="a")


def test_a_missing_ticket_is_404(signed_in: SignedIn) -> None:
    with pytest.raises(NotFound):
        signed_in("agent-1").show("CS20260310999")
    with pytest.raises(NotFound):
        signed_in("agent-1").act("take", number="CS20260310999")


def test_presence_is_set_for_agents_on_the_roster(storage: Storage, signed_in: SignedIn) -> None:
    someone = signed_in("agent-1")
    assert someone.presence({"online": False}).body == {"online": False}
    [(at, entry)] = storage.presence.entries("testdesk", NOON, NOON)
    assert (entry.number, entry.presence, entry.at) == ("agent-1", False, at)
    found = storage.roster.get("testdesk", "agent-1")
    assert found is not None
    assert not found.online
    for body in ({}, {"online": "yes"}, {"online": True, "until": "noon"}):
        with pytest.raises(InvalidInput):
            someone.presence(body)
    storage.roster.put(agent("guest", role="admin", team=""))
    someone.username = "guest"
    with pytest.raises(NotFound):
        someone.presence({"online": True})


def test_a_supervisor_may_assign_beyond_an_agent_s_capacity(
    storage: Storage, ticket: Ticket, signed_in: SignedIn
) -> None:
    storage.roster.put(agent("agent-1", capacity=0))
    assert signed_in("supervisor-1").act("assign", agent="agent-1")["handler"] == "agent-1"
