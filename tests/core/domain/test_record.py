"""The order of messages in the record of merged tickets, and what the archive holds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from functions.core.domain import events as e
from functions.core.domain.record import TicketRecord, archive_key, message_order, record
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from tests.core.sample_desk import DESK, NOON, committed, received, request

pytestmark = pytest.mark.requirement("G6", "B7", "B10")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load(DESK)


def record_of(playbook: Playbook, number: str, *said: e.Event, at: datetime = NOON) -> TicketRecord:
    """Return a ticket that was opened and to which these events then happened within one second."""
    ticket = received(playbook, at).model_copy(update={"number": number})
    commits = [committed(None, (request(),), at, number)]
    for version, event in enumerate(said, 2):
        before = ticket.model_copy(update={"version": version - 1})
        commits.append(committed(before, (event,), at))
    return TicketRecord(ticket.model_copy(update={"version": len(commits)}), commits)


def wrote(text: str) -> e.CustomerWrote:
    return e.CustomerWrote(text=text, channel="web")


def merged_with(other: str) -> e.MergeReceived:
    return e.MergeReceived(other=other, same_customer=True)


def message_texts(own: TicketRecord, *merged: TicketRecord) -> list[str]:
    found = record(own.ticket, own.history, (), merged=merged)["messages"]
    return [message["text"] for message in found if message["version"] > 1]


def test_within_a_second_events_after_the_merge_come_after_it(playbook: Playbook) -> None:
    """Even if they are on the merged ticket."""
    own = record_of(playbook, "CS1", wrote("合并前"), merged_with("CS2"), wrote("合并后"))
    other = record_of(playbook, "CS2", wrote("另一单"))
    assert message_texts(own, other) == ["合并前", "另一单", "合并后"]


def test_within_a_second_the_merge_precedes_the_order_of_numbers(playbook: Playbook) -> None:
    """A longer number is later."""
    own = record_of(playbook, "CS20260310999", merged_with("CS202603101000"), wrote("合并后"))
    other = record_of(playbook, "CS202603101000", wrote("另一单"))
    assert message_texts(own, other) == ["另一单", "合并后"]


@pytest.mark.requirement("A3", "G6")
@pytest.mark.parametrize(
    ("earlier", "later"), [("CS1", "CS2"), ("CS20260310999", "CS202603101000")]
)
def test_within_a_second_the_later_number_comes_later(
    playbook: Playbook, earlier: str, later: str
) -> None:
    """Past 999 a number has one digit more."""
    first, second = (
        record_of(playbook, earlier, wrote("一")),
        record_of(playbook, later, wrote("二")),
    )
    assert message_texts(first, second) == message_texts(second, first) == ["一", "二"]
    assert (
        message_order(first, NOON, 2)
        < message_order(second, NOON, 2)
        < message_order(first, NOON + _SECOND, 2)
    )


_SECOND = timedelta(seconds=1)


@pytest.mark.requirement("G6", "A15")
def test_the_record_has_the_whole_of_a_truncated_request(playbook: Playbook) -> None:
    """The description has only its beginning."""
    ticket = received(playbook)
    commits = [committed(None, (request(text="无法登录，以及更多"),), NOON, ticket.number)]
    (message,) = record(ticket, commits, ())["messages"]
    assert message["text"] == "无法登录，以及更多"


def test_the_archive_s_year_is_in_the_desk_s_zone(playbook: Playbook) -> None:
    """Reopening a ticket does not change it."""
    midnight = datetime(2027, 1, 1, tzinfo=SHANGHAI)
    for at, year in ((midnight, "2027"), (midnight - _SECOND, "2026")):
        ticket = received(playbook, at.astimezone(UTC))
        assert archive_key(ticket, SHANGHAI) == f"archive/testdesk/{year}/{ticket.number}.json"
