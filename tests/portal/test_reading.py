"""Customers' texts on each shipped desk: their language, their words, nothing internal."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.rules import LOCALES, Locale, Playbook, StepField
from functions.core.domain.ticket import Attachment, Ticket
from functions.core.platform.web import Request
from functions.core.playbook import load
from functions.core.services.composing import Notification, compose, notifications_for
from functions.core.services.suggesting import suggest
from functions.portal.context import PortalContext
from functions.portal.page import CustomerPage
from functions.portal.status import status_view
from functions.portal.status_page import Shown, status_page
from tests.core.sample_desk import NOON
from tests.portal.conftest import DEPLOYMENT, ROOT, CarryOut, Customer
from tests.portal.test_portal import PAGE

pytestmark = pytest.mark.requirement("A14", "B13", "D11", "E9")
DESKS = ("standard", "omnichannel", "rapid", "aftersales", "assisted")
HAN = re.compile(r"[\u4e00-\u9fff]+")
LOGIN = "zhang-secret-login"
HIDDEN = "先拖一下"
FILE = Attachment(name="a.pdf", content_type="application/pdf", size=1, key="files/x/a")


@pytest.fixture(scope="module", params=DESKS)
def desk(request: pytest.FixtureRequest) -> Playbook:
    return load(Path(__file__).parents[2] / "playbooks" / f"{request.param}.yaml")


def filled(field: StepField) -> str:
    values: dict[str, str] = {"time": "2026-03-10T06:00:00+00:00", "number": "1", "list": "a、b"}
    if field.kind == "choice":
        return next(reversed(field.choices))
    return values.get(field.kind, "shown text" if field.customer_sees else HIDDEN)


def life(desk: Playbook, tag: str, status: Any) -> tuple[Ticket, list[e.Commit]]:
    """A ticket with this tag in this status, after a conversation and every step of the desk."""
    from tests.notify.sample_events import received, ticket

    steps = [
        e.StepTaken(
            step=name,
            fields={key: filled(field) for key, field in step.fields.items()},
            customer_sees=step.customer_sees,
        )
        for name, step in desk.steps.items()
    ]
    team = next(iter(desk.teams))
    events: list[e.Event] = [
        received(description="it broke"),
        e.TicketAssigned(team=team, handler=LOGIN, handler_name="Agent Zhang"),
        e.NoteAdded(text=HIDDEN),
        e.ReplySent(text="please restart it", attachments=(FILE,)),
        e.CustomerWrote(text="that did not help", channel="web"),
        *steps,
    ]
    history = [
        e.Commit(
            desk=desk.desk, number="N1", version=version, at=NOON + timedelta(minutes=version),
            actor="customer" if event.direction == "in" else LOGIN, events=(event,),
        )
        for version, event in enumerate(events, start=1)
    ]  # fmt: skip
    facts = {name: value for step in steps for name, value in step.fields.items()}
    kind = desk.tags[tag].type or desk.default_type
    after = ticket(
        number="N1", desk=desk.desk, status=status, type=kind, tags=(tag,), team=team, facts=facts,
        priority=next(iter(desk.priorities)), handler=LOGIN, handler_name="Agent Zhang", score=None,
    )  # fmt: skip
    return after, history


def internal(desk: Playbook, ticket: Ticket, locale: Locale) -> set[str]:
    """Return what a customer must not read of a ticket."""
    terms = [desk.statuses[ticket.status], desk.priorities[ticket.priority]]
    terms += [desk.tags[tag] for tag in ticket.tags]
    codes = {term.label[locale] for term in terms[1:] if re.search(r"[-0-9]", term.label[locale])}
    status = {term.label[locale] for term in terms[:1] if term.customer_label}
    return {LOGIN, HIDDEN, *codes, *status}


def read(desk: Playbook, ticket: Ticket, history: list[e.Commit], locale: Locale) -> str:
    """The page of a ticket as its customer reads it."""
    view = status_view(ticket, history, desk, locale, lambda file: "https://f.example")
    view["before"] = None
    calls = ("messages", "confirmation", "survey")
    request = Request("GET", DEPLOYMENT, NOON)
    context = PortalContext(Mock(), ROOT, Mock(), Mock(), Mock())
    page = CustomerPage(request, context, desk, locale, {"key": "k"})
    html = status_page(page, Shown(ticket, view, {"key": "k"}, calls)).body
    assert f'data-status="{ticket.status}"' in html
    text = re.sub(r"<[^>]*>", " ", html)
    return text.replace(desk.name[locale], "").replace("中文", "")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_is_in_the_customer_s_language_and_words(desk: Playbook, locale: Locale) -> None:
    for tag in desk.tags:
        ticket, history = life(desk, tag, "in_progress")
        text = read(desk, ticket, history, locale)
        if locale == "en":
            assert not HAN.findall(text)
        assert [word for word in internal(desk, ticket, locale) if word in text] == []
        assert "Agent Zhang" in text
    for status in desk.statuses:
        ticket, history = life(desk, next(iter(desk.tags)), status)
        text = read(desk, ticket, history, locale)
        assert [word for word in internal(desk, ticket, locale) if word in text] == []


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_messages_and_drafts_are_in_the_customer_s_language_and_words(
    desk: Playbook, locale: Locale
) -> None:
    """Whatever the tag, status and step."""
    for tag in desk.tags:
        ticket, history = life(desk, tag, "in_progress")
        ticket = ticket.model_copy(update={"locale": locale})
        texts = [suggest(ticket, desk, "", locale, NOON).text]
        for commit in history:
            notifications = notifications_for(commit, ticket, desk)
            told = {n.message: n for n in notifications if n.recipient == "customer"}
            for name in {*told, *(m for m in desk.messages if commit.version == 2)}:
                if name in told:
                    notification = told[name]
                else:
                    notification = Notification(commit.events[0], "customer", name)
                if notification.message in told or _to_customer(desk, name):
                    texts.append(compose(notification, commit, ticket, desk, status_url="u").text)
        for text in texts:
            found = text.replace(desk.name[locale], "")
            assert [word for word in internal(desk, ticket, locale) if word in found] == [], text
            if locale == "en":
                assert not HAN.findall(found), text


def _to_customer(desk: Playbook, message: str) -> bool:
    from functions.core.playbook.told import told_to_customers

    return message in told_to_customers(desk)


def test_every_desk_has_words_for_its_customers_tags(desk: Playbook) -> None:
    """All but those of the desk's own calls."""
    without = {name for name, tag in desk.tags.items() if tag.customer_label is None}
    assert without <= {"D-客户回访", "D-客户关怀"}


@pytest.mark.requirement("A14", "G9")
def test_the_conversation_names_people_as_customers_know_them(
    customer: Customer, carry_out: CarryOut
) -> None:
    """Both directions, files included; the end of a contact does not open it."""
    carry_out(
        c.Assign(team="technical", handler="agent-1", handler_name="客服-张"),
        c.Note("客户很急"),
        c.Reply("请看附件", (FILE,)),
    )
    customer.send("messages", {"text": "谢谢，我的电话 13800138000"})
    messages = customer.get(key=customer.key).body["messages"]
    assert [(m["direction"], m["by"], m["text"]) for m in messages] == [
        ("in", "您", "无法登录"),
        ("out", "客服-张", "请看附件"),
        ("in", "您", "谢谢，我的电话 138****8000"),
    ]
    assert [file["name"] for file in messages[1]["attachments"]] == ["a.pdf"]
    assert messages[1]["attachments"][0]["url"]
    shown = customer.get(PAGE, key=customer.key).body
    assert re.findall(r'data-message data-direction="(\w+)"', shown) == ["in", "out", "in"]
    assert "agent-1" not in shown
    assert customer.get(contact="8000").body["messages"] == []
    assert "请看附件" not in customer.get(PAGE, contact="8000").body


@pytest.mark.parametrize("locale", LOCALES)
def test_the_timeline_has_words_for_customers(desk: Playbook, locale: Locale) -> None:
    """Every step that they see has a label of its own; type and team are labels, too."""
    ticket, history = life(desk, next(iter(desk.tags)), "in_progress")
    view = status_view(ticket, history, desk, locale)
    seen = {name: step.customer_label for name, step in desk.steps.items() if step.customer_sees}
    shown = {entry["step"]: entry["label"] for entry in view["timeline"] if "step" in entry}
    assert shown == {name: label[locale] if label else None for name, label in seen.items()}
    labels = (desk.types[ticket.type].label[locale], desk.teams[ticket.team or ""].label[locale])
    assert (view["type_label"], view["team_label"]) == labels
    assert (view["type"], view["team"]) == (ticket.type, ticket.team)


@pytest.mark.requirement("D10")
def test_the_guide_s_nodes_keep_their_names() -> None:
    steps = load(Path(__file__).parents[2] / "playbooks" / "aftersales.yaml").steps
    labels = [(step.customer_label or {}).get("zh-CN") for step in steps.values()]
    assert {"已上门检测", "配件已申领", "等待到货", "维修完成"} <= set(labels)


def test_what_an_agent_entered_is_the_desk_s(desk: Playbook) -> None:
    """It may be the desk's own initiative (B12); the customer's messages stay the customer's."""
    ticket, history = life(desk, next(iter(desk.tags)), "in_progress")
    received = history[0].events[0].model_copy(update={"entered_by": LOGIN})
    history[0] = history[0].model_copy(update={"events": (received,), "actor": "another"})
    view = status_view(ticket, history, desk, "zh-CN", lambda file: "https://f.example")
    by = [message["by"] for message in view["messages"] if message["direction"] == "in"]
    assert by == [desk.name["zh-CN"], "您"]
