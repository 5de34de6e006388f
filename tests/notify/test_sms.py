"""Text messages to numbers that anybody can name: which are sent, how many, what tickets say."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.playbook_limits import Sms
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.text.sms_numbers import SMS_WITHHELD
from functions.core.text.words import DELIVERY_REASONS, Refusal, delivery_reason
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import ASSIGN, NOON, PHONE, Harness, Providers

pytestmark = pytest.mark.requirement("G9")
COSTLY = {
    "foreign mobile": "+447912345678",
    "foreign landline": "+442079460000",
    "premium": "+19005551234",
    "caribbean": "+18765551234",
    "iridium": "+881612345678",
    "inmarsat": "+870773111632",
    "china satcom": "+8613490001111",
    "tiantong": "+8617400012345",
    "landline": "+862161234567",
    "service": "+864008208820",
}


def acknowledged(harness: Harness, dispatcher: Dispatcher, contact: str) -> Delivery:
    """The acknowledgement of a new ticket."""
    ticket = harness.file(contact)
    dispatcher.process(harness.event_record(ticket, 1))
    (delivery,) = harness.deliveries(ticket)
    return delivery


@pytest.mark.parametrize("number", COSTLY.values(), ids=COSTLY)
def test_a_costly_number_is_filed_and_gets_no_text_message(
    harness: Harness, dispatcher: Dispatcher, providers: Providers, number: str
) -> None:
    """The ticket says why; nobody has to look into it, so there is no dead letter."""
    delivery = acknowledged(harness, dispatcher, number)
    assert delivery.state == "dead_lettered"
    assert delivery.cause in SMS_WITHHELD.values()
    assert (providers.sent, providers.dead_letters) == ([], [])


def test_a_desk_sends_to_the_countries_that_it_names(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """And then not to its own, unless it names that too."""
    harness.use_playbook(harness.playbook.model_copy(update={"sms": Sms(countries=("GB",))}))
    assert acknowledged(harness, dispatcher, "+447912345678").state == "sent"
    assert acknowledged(harness, dispatcher, PHONE).cause == SMS_WITHHELD["country"]
    assert providers.addresses == ["+447912345678"]


def test_an_agents_reply_to_a_landline_waits_for_a_call(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    ticket = harness.change(harness.file("+862161234567"), ASSIGN, c.Reply("您好"))
    dispatcher.process(harness.event_record(ticket))
    (delivery,) = [d for d in harness.deliveries(ticket) if d.event == "ReplySent"]
    assert (delivery.channel, delivery.state) == ("phone", "waiting")
    assert providers.addresses == ["tech@standard.local"]  # whoever has to call


def test_a_landline_is_named_as_one_over_the_limit_too(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    found = [acknowledged(harness, dispatcher, "+862161234567") for _ in range(5)]
    assert {delivery.cause for delivery in found} == {SMS_WITHHELD["not_mobile"]}
    assert (providers.sent, providers.dead_letters) == ([], [])


def test_a_number_gets_three_automatic_messages_an_hour_over_all_its_tickets(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    found = [acknowledged(harness, dispatcher, PHONE) for _ in range(5)]
    assert [d.state for d in found] == ["sent"] * 3 + ["dead_lettered"] * 2
    assert found[-1].cause == "capped: 3 automatic text messages within 1h to this number"
    assert providers.addresses == [PHONE] * 3
    other = "+8613800138001"
    assert acknowledged(harness, dispatcher, other).state == "sent"


def test_the_messages_of_one_ticket_count_together(
    harness: Harness, dispatcher: Dispatcher
) -> None:
    """A machine that makes a ticket send again and again is stopped, an agent's reply is not."""
    ticket = harness.file(PHONE)
    dispatcher.process(harness.event_record(ticket, 1))
    ticket = harness.change(ticket, ASSIGN, c.Resolve("已解决"))
    states = []
    for _ in range(4):
        ticket = harness.change(ticket, c.Reopen("还没好"), actor="customer")
        dispatcher.process(harness.event_record(ticket))
        states += [
            d.state
            for d in harness.deliveries(ticket)
            if d.version == ticket.version and d.recipient == "customer"
        ]
        ticket = harness.change(ticket, ASSIGN, c.Resolve("已解决"))
    assert states == ["sent", "sent", "dead_lettered", "dead_lettered"]
    ticket = harness.change(ticket, c.Reopen("还没好"), actor="customer")
    ticket = harness.change(ticket, ASSIGN, c.Reply("请再试一次"))
    dispatcher.process(harness.event_record(ticket))
    (reply,) = [d for d in harness.deliveries(ticket) if d.event == "ReplySent"]
    assert reply.state == "sent"


def test_a_days_limit_holds_when_an_hour_has_passed(
    harness: Harness, dispatcher: Dispatcher
) -> None:
    limits = {"1h": 3, "1d": 4}
    harness.use_playbook(harness.playbook.model_copy(update={"sms": Sms(unproven=limits)}))
    states = []
    for hours in range(6):
        later = replace(dispatcher, now=NOON + timedelta(hours=2 * hours))
        ticket = _file_at(harness, hours * 2)
        later.process(harness.event_record(ticket, 1))
        states.append(harness.deliveries(ticket)[0].state)
    assert states == ["sent"] * 4 + ["dead_lettered"] * 2


def _file_at(harness: Harness, hours: int) -> Ticket:
    from tests.notify import deployment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment, "NOON", NOON + timedelta(hours=hours))
        return harness.file(PHONE)


def test_the_days_limit_of_a_desk_counts_all_messages(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """Agents' messages too; the next local day starts anew."""
    harness.use_playbook(harness.playbook.model_copy(update={"sms": Sms(daily=2)}))
    ticket = harness.change(
        harness.file(PHONE), ASSIGN, c.Reply("一"), c.Reply("二"), c.Reply("三")
    )
    versions = range(ticket.version - 2, ticket.version + 1)
    for version in versions:
        dispatcher.process(harness.event_record(ticket, version))
    found = {d.version: d for d in harness.deliveries(ticket) if d.event == "ReplySent"}
    assert [found[version].state for version in versions] == ["sent", "sent", "dead_lettered"]
    cause = found[ticket.version].cause
    assert cause == "capped: 2 text messages of this desk today"
    assert [why for _, why in providers.dead_letters] == [cause]
    later = replace(dispatcher, now=NOON + timedelta(hours=12, minutes=1))  # after midnight
    later.process(harness.make_due(found[ticket.version]))
    assert len(providers.sent) == 3


@pytest.mark.parametrize(
    "cause",
    [
        *SMS_WITHHELD.values(),
        "capped: 3 automatic text messages within 1h to this number",
        "capped: 2 text messages of this desk today",
        "capped: 5 automatic mails within 10m about this ticket",
        "capped: 25 automatic mails within 10m to this address",
        "blocked: bounce 5.1.1; correct the contact first",
        "reported: UNDELIV",
        *(f"refused ({kind}): Aliyun isv.X" for kind in get_args(Refusal)),
    ],
)
def test_a_reason_is_told_in_both_languages(cause: str) -> None:
    chinese, english = delivery_reason(cause, "zh-CN"), delivery_reason(cause, "en")
    assert len({cause, chinese, english}) == 3
    assert "{" not in chinese + english
    assert any("\u4e00" <= char <= "\u9fff" for char in chinese)


def test_a_providers_own_words_are_shown_as_they_are() -> None:
    assert delivery_reason("SNS OptedOut: no", "zh-CN") == "SNS OptedOut: no"
    assert len(DELIVERY_REASONS) == 13


@pytest.mark.parametrize(
    ("calendar", "countries"),
    [
        ({"timezone": "Asia/Shanghai"}, ("CN",)),
        ({"timezone": "Asia/Shanghai", "holidays": {"country": "HK"}}, ("HK", "CN")),
        ({"timezone": "Europe/Berlin", "holidays": ["2026-10-01"]}, ("DE", "CN")),
        ({"timezone": "UTC"}, ("CN",)),
        ({}, ("CN",)),
    ],
)
def test_the_desks_own_country_follows_from_its_calendar(
    playbook: Playbook, calendar: dict[str, object], countries: tuple[str, ...]
) -> None:
    desk = playbook.model_copy(update={"calendar": calendar})
    assert desk.sms_countries == countries
    named = desk.model_copy(update={"sms": Sms(countries=("GB", "US"))})
    assert named.sms_countries == ("GB", "US")


def test_a_playbooks_maximum_price_survives_storing(playbook: Playbook) -> None:
    desk = playbook.model_copy(update={"sms": Sms(max_price=Decimal("0.05"))})
    stored = Playbook.stored(desk.model_dump_json(exclude_defaults=True))
    assert stored.sms.max_price == Decimal("0.05")
