"""The limits of automatic mail: what they count and what they read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.delivery import Delivery
from functions.core.domain.playbook_limits import AutomaticLimits
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.storage.database import Storage
from functions.notify.limits import blocked_by_limit, blocked_by_returned_mail, limit_reached
from tests.notify import sample_events
from tests.notify.deployment import NOON

NOW = NOON
LIMITS = {"10m": 2, "1h": 3}


class Table:
    """The deliveries of an address's tickets, newest first, as the limits read them."""

    def __init__(self, tickets: dict[str, list[Delivery]] | None = None) -> None:
        self.tickets = tickets or {}
        self.asked: list[str] = []
        self.contacts = self.deliveries = self

    def opened_since(
        self, desk: str, contact_hash: str, since: datetime, limit: int
    ) -> dict[str, datetime]:
        self.asked.append("index")
        return dict.fromkeys(list(self.tickets)[:limit], NOW)

    def newest_first(self, desk: str, number: str) -> Iterator[Delivery]:
        self.asked.append(number)
        yield from self.tickets.get(number, [])


def mail(version: int = 9, minutes: float = 0, **changes: Any) -> Delivery:
    at = NOW - timedelta(minutes=minutes)
    given: dict[str, Any] = {
        "desk": "standard",
        "number": sample_events.NUMBER,
        "version": version,
        "event": "TicketReopened",
        "message": "reopened",
        "recipient": "customer",
        "channel": "email",
        "to": "****e.com",
        "state": "sent",
        "claimed_at": at,
        "at": at,
        **changes,
    }
    return Delivery(**given)


@pytest.fixture
def desk(playbook: Playbook) -> Playbook:
    limits = AutomaticLimits(ticket={"10m": 5, "1h": 6}, address={"10m": 10, "1h": 12})
    return playbook.model_copy(
        update={"mail": playbook.mail.model_copy(update={"automatic_limits": limits})}
    )


def ask(delivery: Delivery, desk: Playbook, table: Table) -> str | None:
    return blocked_by_limit(delivery, sample_events.ticket(), desk, cast("Storage", table), NOW)


@pytest.mark.parametrize(
    ("minutes", "full"),
    [
        ([], None),
        ([1], None),
        ([1, 2], "2 automatic mails within 10m"),
        ([10, 11], None),
        ([9.9, 11, 12], "3 automatic mails within 1h"),
        ([60, 61, 62], None),
    ],
)
def test_a_limit_counts_the_mails_within_its_window(minutes: list[float], full: str | None) -> None:
    assert limit_reached(LIMITS, [NOW - timedelta(minutes=m) for m in minutes], NOW) == full


@given(st.lists(st.integers(0, 4000), max_size=60).map(sorted))
def test_no_sequence_of_mails_exceeds_a_limit(seconds: list[int]) -> None:
    sent: list[datetime] = []
    for second in seconds:
        at = NOW + timedelta(seconds=second)
        if limit_reached(LIMITS, sent, at) is None:
            sent.append(at)
    for moment in sent:
        for window, most in ((timedelta(minutes=10), 2), (timedelta(hours=1), 3)):
            assert sum(moment - window < other <= moment for other in sent) <= most


def test_a_tickets_limit_blocks_automatic_mail(desk: Playbook) -> None:
    """Blocked mail counts too, so a continuing loop stays blocked."""
    sent = [
        mail(version, state=state) for version, state in zip(range(8, 3, -1), STATES, strict=True)
    ]
    assert ask(mail(), desk, Table({sample_events.NUMBER: sent[:4]})) is None
    found = ask(mail(), desk, Table({sample_events.NUMBER: sent}))
    assert found == "capped: 5 automatic mails within 10m about this ticket"


def test_earlier_deliveries_of_the_commit_count_once(desk: Playbook) -> None:
    """Stored or not."""
    first = mail(message="assigned")
    sent = [mail(version) for version in range(8, 4, -1)]
    for stored in (sent, [first, *sent]):
        table = cast("Storage", Table({sample_events.NUMBER: stored}))
        found = blocked_by_limit(mail(), sample_events.ticket(), desk, table, NOW, [first])
        assert found == "capped: 5 automatic mails within 10m about this ticket"
        table = cast("Storage", Table({sample_events.NUMBER: stored[:-1]}))
        assert blocked_by_limit(mail(), sample_events.ticket(), desk, table, NOW, [first]) is None


STATES = ("sent", "dead_lettered", "retrying", "due", "claimed")


@pytest.mark.parametrize(
    "other",
    [
        {"by_hand": True},
        {"event": "ReplySent"},
        {"recipient": "handler"},
        {"channel": "sms"},
        {"minutes": 61},
    ],
    ids=str,
)
def test_only_automatic_mail_to_the_customer_counts(desk: Playbook, other: dict[str, Any]) -> None:
    sent = [mail(version, **other) for version in range(8, 2, -1)]
    assert ask(mail(), desk, Table({sample_events.NUMBER: sent})) is None


@pytest.mark.parametrize(
    "own",
    [{"by_hand": True}, {"event": "ReplySent"}, {"recipient": "handler"}, {"channel": "phone"}],
)
def test_mail_without_a_limit_costs_no_read(desk: Playbook, own: dict[str, Any]) -> None:
    table = Table({sample_events.NUMBER: [mail(v) for v in range(8, 0, -1)]})
    assert ask(mail(**own), desk, table) is None
    assert table.asked == []


@pytest.mark.requirement("G7")
def test_the_first_versions_cost_one_read(desk: Playbook) -> None:
    """Later ones read the ticket's own deliveries too."""
    for version, asked in ((1, ["index"]), (2, ["index"]), (3, [sample_events.NUMBER, "index"])):
        table = Table()
        assert ask(mail(version), desk, table) is None
        assert table.asked == asked


def test_an_addresss_limit_counts_all_of_its_tickets(desk: Playbook) -> None:
    """Only tickets that together could exceed the limit are read one by one."""
    few = {f"CS{n}": [mail(1, number=f"CS{n}")] * 4 for n in range(1)}
    assert ask(mail(1), desk, (table := Table(few))) is None
    assert table.asked == ["index"]
    some = {f"CS{n}": [mail(1, number=f"CS{n}")] * 4 for n in range(2)}
    assert ask(mail(1), desk, Table(some)) is None
    many = {f"CS{n}": [mail(1, number=f"CS{n}")] * 5 for n in range(2)}
    found = ask(mail(1), desk, Table(many))
    assert found == "capped: 10 automatic mails within 10m to this address"


def test_the_acknowledgements_of_many_tickets_reach_the_limit_alone(desk: Playbook) -> None:
    table = Table({f"CS{n}": [] for n in range(10)})
    assert ask(mail(1), desk, table) == "capped: 10 automatic mails within 10m to this address"
    assert table.asked == ["index"]


def test_returned_mail_blocks_further_mail() -> None:
    """A bounce blocks everything, a complaint all but an agent's own text."""

    def held(cause: str | None, **changes: Any) -> bool:
        customer = Customer(contact="****", kind="email", hash="h", undeliverable=cause)
        return (
            blocked_by_returned_mail(mail(**changes), sample_events.ticket(customer=customer))
            is not None
        )

    assert not held(None)
    assert held("bounce 5.1.1")
    assert held("bounce 5.1.1", event="ReplySent")
    assert held("complaint abuse")
    assert not held("complaint abuse", event="ReplySent")
    assert not held("bounce 5.1.1", recipient="handler")
    assert not held("bounce 5.1.1", channel="sms")
