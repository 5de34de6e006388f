"""Pages of a search: each ticket once, the newest words first, whatever is in segments yet."""

from collections.abc import Callable
from datetime import timedelta

import boto3
import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Forbidden, InvalidInput
from functions.core.domain.journal import JournalEntry, entry_of
from functions.core.domain.rules import Playbook
from functions.core.platform import aws
from functions.core.services.command_service import change
from functions.core.services.indexing import SearchIndex
from functions.core.storage.database import Storage
from functions.core.storage.manifests import Manifest
from functions.core.storage.segments import Segments, forget_segments
from functions.core.text.search import Segment, TicketText
from functions.workbench import search
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.conftest import DEPLOYMENT, SignedIn

pytestmark = pytest.mark.requirement("H3")
DESK, AGO = "testdesk", NOON - timedelta(hours=3)
Step = Callable[[int, str], None]


@pytest.fixture
def index(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> SearchIndex:
    forget_segments()
    aws.client.cache_clear()
    monkeypatch.setattr(aws, "root_key", lambda deployment: bytes(32))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    storage.manifests.start(DESK, AGO)
    return SearchIndex(storage, Segments(s3, DEPLOYMENT.mail_bucket), lambda: bytes(32))


@pytest.fixture
def say(storage: Storage, playbook: Playbook) -> Step:
    """File a ticket, or add a note to it, so many minutes after the first."""

    def step(minute: int, number: str) -> None:
        at = AGO + timedelta(minutes=minute)
        if storage.tickets.find(DESK, number) is None:
            file_ticket(storage, playbook, number, at, description="退款没到")
        else:
            change(storage, DESK, number, c.Note("再问退款"), playbook, at, actor="agent-1")
        entry = entry_of(storage.tickets.history(DESK, number)[-1])
        assert entry is not None
        storage.journal.write(DESK, entry, at)

    return step


def pages(signed_in: SignedIn, **query: str) -> list[list[str]]:
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = signed_in("agent-3").tickets(**query, **cursor)
        found.append([ticket["number"] for ticket in answer["tickets"]])
        if answer["cursor"] is None:
            return found
        cursor = {"cursor": answer["cursor"]}


def test_pages_have_each_ticket_once(index: SearchIndex, say: Step, signed_in: SignedIn) -> None:
    for n in range(45):
        say(n, f"CS{n:02}")
        if n % 9 == 8:
            index.add_new(DESK, AGO + timedelta(minutes=n + 2, seconds=30))
    for n in (50, 51):  # the last words of an old ticket: one in a segment, one in the journal
        say(n, "CS03")
        index.add_new(DESK, AGO + timedelta(minutes=53))
    expected = ["CS03", *(f"CS{n:02}" for n in reversed(range(45)) if n != 3)]
    manifest = index.storage.manifests.get(DESK)
    assert manifest is not None
    assert len(manifest.segments) > 1
    assert pages(signed_in, q="退款") == [expected[:20], expected[20:40], expected[40:]]
    assert pages(signed_in, q="再问") == [["CS03"]]
    assert pages(signed_in, q="cs03 没到 再问") == [["CS03"]]


def test_a_rare_status_takes_several_short_pages(
    index: SearchIndex,
    say: Step,
    signed_in: SignedIn,
    storage: Storage,
    playbook: Playbook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "_CHUNKS", 1)
    for n in range(30):
        say(n, f"CS{n:02}")
    for number in ("CS02", "CS29"):
        change(storage, DESK, number, c.Close("重复"), playbook, NOON, actor="system")
    assert pages(signed_in, q="退款", status="closed") == [["CS29"], ["CS02"]]
    assert pages(signed_in, tag="none such") == [[], []]


def test_a_day_is_one_of_the_desk_s_zone(
    index: SearchIndex, say: Step, signed_in: SignedIn
) -> None:
    """`AGO` is nine in the morning in Shanghai; fifteen hours later the next day begins."""
    say(0, "CS1")
    say(15 * 60, "CS2")
    day = f"{AGO:%Y-%m-%d}"
    for now in (NOON, NOON + timedelta(days=1)):
        assert pages(signed_in, to=day) == [["CS1"]]
        assert pages(signed_in, **{"from": day, "to": day}) == [["CS1"]]
        index.add_new(DESK, now)


def test_a_search_is_for_those_who_see_the_desk_s_tickets(
    index: SearchIndex, say: Step, signed_in: SignedIn, storage: Storage
) -> None:
    """Whatever another desk's journal and segments have, nobody here finds it."""
    say(0, "CS1")
    theirs = JournalEntry(number="CS1", version=1, at=AGO, texts=("秘密",))
    storage.journal.write("otherdesk", theirs, NOON)
    ref = index.segments.put("otherdesk", Segment([TicketText("CS1", 1, 1, "秘密")]), AGO)
    storage.manifests.put(Manifest("otherdesk", AGO, (ref,)))
    assert pages(signed_in, q="秘密") == [[]]
    assert pages(signed_in, q="退款") == [["CS1"]]
    with pytest.raises(Forbidden):
        signed_in("finance-1").tickets(q="退款")


@pytest.mark.parametrize(
    "query",
    [
        {"q": "!"}, {"q": "x" * 101}, {"q": "a", "queue": "mine"}, {"from": "monday"},
        {"q": "a", "cursor": "x"}, {"q": "a", "cursor": "W10="}, {"q": "a", "status": "odd"},
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused(
    index: SearchIndex, signed_in: SignedIn, query: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        signed_in("agent-1").tickets(**query)


def test_an_erased_ticket_is_admitted_by_no_query(
    storage: Storage, playbook: Playbook, say: Step
) -> None:
    """Whatever a segment that was read a moment ago still has of it."""
    say(0, "CS1")
    ticket = storage.tickets.load(DESK, "CS1")
    query = search.TicketQuery.of({"q": "退"}, playbook, lambda digits: digits)
    assert query.admits(ticket)
    assert not query.admits(ticket.model_copy(update={"erased": True}))
