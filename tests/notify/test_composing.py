"""Selecting notifications and rendering their messages, with plain values."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from functions.core.domain import events as e
from functions.core.domain.errors import DeadLetter
from functions.core.domain.rules import Message, NotificationRule, Playbook
from functions.core.domain.ticket import Customer, Ticket
from functions.core.services.composing import (
    Notification,
    RenderedMessage,
    compose,
    notifications_for,
    recipient_team,
    ticket_at_event,
    uses_description,
)
from tests.inprocess.conftest import ROOT, shipped
from tests.notify.deployment import NOON
from tests.notify.sample_events import EVENTS, LINK, commit, received, ticket, timer


def render(
    notification: Notification, about: Ticket, playbook: Playbook, *more: e.Event, **options: Any
) -> RenderedMessage:
    events = commit(notification.event, *more)
    return compose(notification, events, about, playbook, status_url=LINK, **options)


def render_for(
    recipient: Any, event: str, message: str, playbook: Playbook, **changes: Any
) -> RenderedMessage:
    """Render the message about a sample event."""
    return render(Notification(EVENTS[event], recipient, message), ticket(**changes), playbook)


def selected(playbook: Playbook, *events: e.Event, **changes: Any) -> list[tuple[str, str]]:
    """The recipient and message of each notification of a commit."""
    found = notifications_for(commit(*events), ticket(**changes), playbook)
    return [(n.recipient, n.message) for n in found]


def with_message(playbook: Playbook, text: str, subject: str = "s") -> Playbook:
    """The playbook with a message `probe`."""
    both: Any = {"zh-CN": text, "en": text}
    probe = Message(subject={"zh-CN": subject, "en": subject}, text=both)
    return playbook.model_copy(update={"messages": {**playbook.messages, "probe": probe}})


def probe(playbook: Playbook, text: str, event: e.Event | None = None, **changes: Any) -> str:
    """Return a text as rendered for the customer."""
    notification = Notification(event or EVENTS["ReplySent"], "customer", "probe")
    return render(notification, ticket(**changes), with_message(playbook, text)).text.strip()


@pytest.mark.requirement("A8")
def test_an_assignment_notifies_customer_and_handler(playbook: Playbook) -> None:
    found = selected(playbook, EVENTS["TicketAssigned"])
    assert found == [("customer", "assigned"), ("handler", "handler_assigned")]


@pytest.mark.requirement("A8")
def test_the_assignment_message_names_team_and_handling_time(playbook: Playbook) -> None:
    """It says 已分配至专业团队, the team and the expected handling time in the desk's zone."""
    rendered = render_for("customer", "TicketAssigned", "assigned", playbook)
    assert "已分配至专业团队：技术支持组" in rendered.text
    assert "3月10日（周二）17:00" in rendered.text


@pytest.mark.requirement("A12")
def test_the_resolution_message_contains_summary_and_survey(playbook: Playbook) -> None:
    """It says 问题已处理完成, with the summary and the link to the survey."""
    rendered = render_for("customer", "TicketResolved", "resolved", playbook)
    assert "问题已处理完成" in rendered.text
    assert "重置登录密码" in rendered.text
    assert LINK in rendered.text
    assert LINK in rendered.sms


@pytest.mark.requirement("A11")
def test_an_information_request_is_followed_by_reminder_and_follow_up(playbook: Playbook) -> None:
    due_at = NOON + timedelta(hours=24)
    asked = selected(playbook, EVENTS["InformationRequested"])
    assert asked == [("customer", "information_requested")]
    warned = e.TimerWarned(kind="customer_info", share=0.5, due_at=due_at)
    reminded = notifications_for(commit(warned), ticket(), playbook)
    assert [(n.recipient, n.message) for n in reminded] == [("customer", "information_reminder")]
    assert "3月11日（周三）12:00" in render(reminded[0], ticket(), playbook).text
    breached = e.TimerBreached(kind="customer_info", due_at=due_at)
    assert selected(playbook, breached) == [("handler", "follow_up")]


@pytest.mark.requirement("A7")
def test_only_an_urgent_queued_ticket_notifies_the_supervisor(playbook: Playbook) -> None:
    queued = EVENTS["TicketQueued"]
    [urgent] = notifications_for(commit(queued), ticket(priority="高"), playbook)
    assert urgent.recipient == "supervisor"
    assert recipient_team(urgent, ticket(), playbook) == "主管组"
    assert notifications_for(commit(queued), ticket(priority="低"), playbook) == ()


def test_the_first_matching_rule_for_a_recipient_counts(playbook: Playbook) -> None:
    rule = partial(NotificationRule, on="ReplySent")
    rules = (
        rule(to="customer", message="resolved", when={"priority": "低"}),
        rule(to="customer", message="reply"),
        rule(to="customer", message="assigned"),
        rule(to="team", message="follow_up"),
    )
    changed = playbook.model_copy(update={"notifications": rules})
    found = selected(changed, EVENTS["ReplySent"])
    assert found == [("customer", "reply"), ("team", "follow_up")]


@pytest.mark.requirement("A6", "F3")
def test_two_timers_in_one_commit_are_two_messages(playbook: Playbook) -> None:
    kinds = ("first_response", "resolution")
    both = (e.TimerWarned(kind=kind, share=0.75, due_at=NOON) for kind in kinds)
    found = notifications_for(commit(*both), ticket(), playbook)
    assert [(n.message, n.timer_or_step) for n in found] == [("deadline_near", k) for k in kinds]


def test_the_same_notification_twice_is_one_message(playbook: Playbook) -> None:
    twice = commit(EVENTS["ReplySent"], EVENTS["ReplySent"])
    assert len(notifications_for(twice, ticket(), playbook)) == 1


def test_a_timer_that_the_playbook_dropped_notifies_nobody(playbook: Playbook) -> None:
    gone = e.TimerBreached(kind="callback", due_at=NOON)
    assert notifications_for(commit(gone), ticket(), playbook) == ()


def test_the_events_values_override_the_newer_tickets(playbook: Playbook) -> None:
    later = ticket(team="售后组", summary="later", priority="低")
    now = ticket_at_event(EVENTS["TicketResolved"], later, commit(EVENTS["TicketResolved"]))
    assert now.summary == "重置登录密码，客户已能登录"
    assert ticket_at_event(EVENTS["TicketAssigned"], later, commit()).team == "技术支持组"


@pytest.mark.requirement("A4")
def test_the_acknowledgement_states_the_deadline_of_its_own_commit(playbook: Playbook) -> None:
    set_then = e.TimersSet(timers={"first_response": timer(NOON + timedelta(hours=2))})
    later = ticket(expected_response_by=NOON + timedelta(days=9))
    rendered = render(Notification(received(), "customer", "received"), later, playbook, set_then)
    assert "3月10日（周二）14:00" in rendered.text


@pytest.mark.requirement("B12", "G4")
def test_a_message_for_agents_only_needs_a_ticket_that_an_agent_entered(
    playbook: Playbook,
) -> None:
    """Otherwise the next rule applies, as if the message did not exist."""
    kept = playbook.messages["received"].model_copy(update={"agents_only": True})
    first = NotificationRule(on="TicketReceived", to="customer", message="kept")
    changed = playbook.model_copy(
        update={
            "messages": {**playbook.messages, "kept": kept},
            "notifications": (first, *playbook.notifications),
        }
    )
    assert selected(changed, received()) == [("customer", "received")]
    assert selected(changed, received(), entered_by="li-1") == [("customer", "kept")]


@pytest.mark.requirement("G4")
def test_a_former_contact_is_told_only_if_it_was_replaced_and_reached(playbook: Playbook) -> None:
    old = Customer(contact="****8.com", kind="email", hash="h1")
    new = Customer(contact="****9.com", kind="email", hash="h2")
    bounced = old.model_copy(update={"undeliverable": "bounce 5.1.1"})
    told = [("customer", "contact_corrected"), ("former_contact", "former_contact_replaced")]
    corrected = e.ContactCorrected
    assert selected(playbook, corrected(customer=new, former=old)) == told
    assert selected(playbook, corrected(customer=new, former=bounced)) == told[:1]
    assert selected(playbook, corrected(customer=old, former=old)) == told[:1]
    assert selected(playbook, corrected()) == []


def test_customers_read_their_language_and_staff_the_desks(playbook: Playbook) -> None:
    for recipient, message, locale in (
        ("customer", "assigned", "en"),
        ("handler", "handler_assigned", "zh-CN"),
    ):
        rendered = render_for(recipient, "TicketAssigned", message, playbook, locale="en")
        assert rendered.locale == locale


@pytest.mark.requirement("G4")
def test_staff_never_get_the_customers_secret_link(playbook: Playbook) -> None:
    """Anybody with the link can reply as the customer."""
    changed = with_message(playbook, "{{ status_url }}")
    rendered = render_for("handler", "TicketAssigned", "probe", changed)
    assert rendered.text.strip() == ""


@pytest.mark.requirement("A15")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ number }}|{{ desk }}|{{ name }}", "CS20260310001|客户支持中心|*先生/女士"),
        ("{{ type }}|{{ tag }}|{{ tags }}", "报障|无法登录|无法登录"),
        ("{{ priority }}|{{ promise }}", "|2小时内响应"),
        ("{{ expected_response_by }}", "3月10日（周二）14:00"),
        ("{{ score }}{{ reason }}{{ question }}{{ due_at }}{{ timer }}{{ nothing }}", ""),
        ("{{ text }}", "您好，请先更新到最新版本。\n\n如仍无法登录，请告诉我们 <错误代码>。"),
    ],
)
def test_template_variables_are_filled_in(playbook: Playbook, text: str, shown: str) -> None:
    """Times are in the desk's zone, in the reader's words; unknown and missing values are empty."""
    assert probe(playbook, text, tags=("无法登录", "no-such-tag")) == shown


def test_a_timer_event_fills_in_name_and_deadline(playbook: Playbook) -> None:
    event = e.TimerBreached(kind="first_response", due_at=NOON)
    assert probe(playbook, "{{ timer }}|{{ due_at }}", event) == "首次响应|"  # it has passed


@pytest.mark.requirement("A8")
def test_a_customer_is_told_no_time_that_has_passed_and_staff_is(playbook: Playbook) -> None:
    """Nor one at which the desk is closed: then they hear when it opens."""
    text = "{{ expected_response_by }}|{{ response_opens_at }}"
    past, night = NOON - timedelta(hours=1), NOON + timedelta(hours=12)
    assert probe(playbook, text, expected_response_by=past) == "|"
    assert probe(playbook, text, expected_response_by=night) == "|3月11日（周三）09:00"
    notification = Notification(EVENTS["ReplySent"], "supervisor", "probe")
    late = ticket(expected_response_by=past)
    shown = render(notification, late, with_message(playbook, text)).text.strip()
    assert shown == "3月10日（周二）11:00|"


@pytest.mark.requirement("A11")
def test_an_information_request_states_the_deadline_of_the_timer_it_starts(
    playbook: Playbook,
) -> None:
    event = EVENTS["InformationRequested"]
    assert probe(playbook, "{{ due_at }}", event) == "3月11日（周三）12:00"


def test_a_later_message_can_repeat_the_description(playbook: Playbook) -> None:
    assert uses_description(playbook, "handler_assigned")
    assert not uses_description(playbook, "received")
    assert not uses_description(playbook, "no-such-message")
    notification = Notification(EVENTS["TicketAssigned"], "handler", "handler_assigned")
    rendered = render(notification, ticket(), playbook, description="App 无法登录")
    assert "App 无法登录" in rendered.text


def test_subject_is_one_line_and_carries_the_number(playbook: Playbook) -> None:
    """A line break in a person's text must not become a header."""
    changed = with_message(playbook, "x", subject="about {{ text }}")
    event = e.ReplySent(text="one\r\nBcc: somebody@example.com")
    rendered = render(Notification(event, "customer", "probe"), ticket(), changed)
    assert rendered.subject == "[CS20260310001] about one Bcc: somebody@example.com"


def test_the_subject_contains_the_number_once(playbook: Playbook) -> None:
    rendered = render_for("customer", "ReplySent", "reply", playbook)
    assert rendered.subject.count("CS20260310001") == 1


@pytest.mark.requirement("G3")
@pytest.mark.parametrize(
    "text", ["{{ ''.__class__.__mro__ }}", "{{ text.no.such }}", "{{ 1 / 0 }}", "{% if %}"]
)
def test_a_text_that_cannot_be_filled_in_is_a_dead_letter(playbook: Playbook, text: str) -> None:
    """The sandbox holds."""
    with pytest.raises(DeadLetter, match="cannot be filled in"):
        probe(playbook, text)


def test_a_message_that_the_playbook_dropped_is_a_dead_letter(playbook: Playbook) -> None:
    with pytest.raises(DeadLetter, match="no message 'gone'"):
        render_for("customer", "ReplySent", "gone", playbook)


@pytest.mark.requirement("A13")
def test_a_notification_for_staff_goes_to_their_team(playbook: Playbook) -> None:
    """The QA team by its role, the handler by the ticket's team."""
    recipients: dict[str, tuple[Any, str]] = {
        "ReviewAssigned": ("qa", "质检组"),
        "ReplySent": ("handler", "技术支持组"),
        "ConfirmationRequested": ("team", "通用咨询组"),
    }
    for event, (recipient, team) in recipients.items():
        notification = Notification(EVENTS[event], recipient, "m")
        assert recipient_team(notification, ticket(), playbook) == team


@pytest.mark.requirement("F2")
def test_notify_reads_every_event_that_the_standard_desk_names(playbook: Playbook) -> None:
    named = {rule.on for rule in playbook.notifications}
    named |= {"TimerWarned", "TimerBreached"}
    assert all(e.EVENTS[name].webhook is not None for name in named)


@pytest.mark.requirement("F3")
def test_a_breach_notifies_a_person_once(playbook: Playbook) -> None:
    """Its consequences, such as the supervisors' queue of an urgent ticket, are part of it."""
    breached = e.TimerBreached(kind="first_response", due_at=NOON)
    queued = e.TicketQueued(team="技术支持组", queue="supervisor", reason="timer:first_response")
    assert selected(playbook, queued, priority="高") == [("supervisor", "supervisor_urgent")]
    both = selected(playbook, breached, queued, priority="高")
    assert both == [("supervisor", "response_overdue")]


SHORT = "https://help.example/t/abcdefghijk"


@pytest.mark.requirement("A4", "B12")
def test_a_text_message_is_signed_once_and_has_the_short_link(playbook: Playbook) -> None:
    notification = Notification(EVENTS["TicketResolved"], "customer", "resolved")
    rendered = render(notification, ticket(), playbook, short_url=SHORT)
    assert rendered.sms == f"【客户支持】{rendered.brief}".replace(LINK, SHORT)
    assert LINK in rendered.brief
    english = render(notification, ticket(locale="en"), playbook, short_url=SHORT).sms
    assert english.startswith("Customer Support: Request")
    signed = Notification(e.ReplySent(text="好"), "customer", "probe")
    desk = with_message(playbook, "【客户支持】{{ text }}")
    assert render(signed, ticket(), desk).sms == "【客户支持】好"


@pytest.mark.requirement("B12")
def test_only_a_ticket_of_the_desks_own_initiative_tells_how_to_opt_out() -> None:
    desk = shipped(ROOT / "playbooks/omnichannel.yaml")
    notification = Notification(EVENTS["ReplySent"], "customer", "reply")
    for kind, by, ends in (("D", "agent-1", True), ("D", None, False), ("Z", "agent-1", False)):
        rendered = render(notification, ticket(type=kind, entered_by=by), desk)
        assert rendered.sms.endswith("拒收请回复R") is ends
        assert "拒收" not in rendered.brief + rendered.text


def test_a_signature_may_be_one_text_for_both_languages(playbook: Playbook) -> None:
    signed = playbook.model_dump(mode="json", exclude_defaults=True) | {"sms_signature": "【店】"}
    assert Playbook.model_validate(signed).sms_signature == {"zh-CN": "【店】", "en": "【店】"}
