"""The board's pages: what each role sees and does, and what they cost (D16, H4)."""

import gzip
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any, cast

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import Forbidden, InvalidInput, NotFound
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.pages.assets import content
from functions.core.platform.web import HttpResponse
from functions.core.playbook import load
from functions.core.reports.board import BoardEntry, BoardSnapshot, entry_of
from functions.core.reports.jumps import Baseline
from functions.core.services.command_service import change
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.workbench.pages import board
from tests.aws_snapshots import restore_or_make
from tests.core.sample_desk import DESK, NOON, agent, both, file_ticket
from tests.workbench.conftest import Agent, Counting, SignedIn
from tests.workbench.pages import Browser, below, rows, texts

pytestmark = pytest.mark.requirement("D16", "H4")
BROKEN = "空调<b>不制冷</b>"
STEPS = {
    "compensate": {
        "label": both("赔偿"),
        "by": ["agent"],
        "source": ["assigned", "in_progress"],
        "to": "in_progress",
        "fields": {"amount": {"label": both("金额"), "kind": "number"}},
        "approval": {"field": "amount", "over": 100},
    }
}


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """A desk on which a compensation of more than 100 needs approval."""
    leads = {"label": both("主管组"), "role": "supervisor"}
    return load({**DESK, "teams": {**DESK["teams"], "leads": leads}, "steps": STEPS})


@pytest.fixture
def desk(storage: Storage, playbook: Playbook, snapshots: BoardSnapshots) -> Storage:
    """CS1 waits for the technical team, CS2 for no team yet, CS3 is agent-1's and overdue.

    On CS4 agent-1 asks for a compensation; CS5 was rated poor. Today has many inquiries.
    """
    restore_or_make("board", lambda: _put_tickets(storage, playbook, snapshots))
    return storage


def _put_tickets(storage: Storage, playbook: Playbook, snapshots: BoardSnapshots) -> None:
    tickets = [
        _waiting(storage, playbook, "CS1"),
        file_ticket(storage, playbook, "CS2", title="改地址"),
        _held(storage, playbook, "CS3", at=NOON - timedelta(hours=30)),
        _pending(storage, playbook, "CS4"),
        _reviewed(storage, playbook, "CS5"),
    ]
    known = {ticket.number: entry_of(ticket, playbook) for ticket in tickets}
    usual = Baseline(NOON.date(), 8, {"type=inquiry": (1, 1, 1, 1, 1, 1, 1, 1)})
    more = {f"T{n}": _entry(f"T{n}") for n in range(6)}
    snapshots.put("testdesk", BoardSnapshot(NOON, known | more, usual))


def _entry(number: str) -> BoardEntry:
    return BoardEntry(number, 1, "archived", "closed", int(NOON.timestamp()) - 60, "inquiry", "low")


def _do(storage: Storage, playbook: Playbook, number: str, *commands: c.Command) -> Ticket:
    for command in commands:
        after = change(storage, "testdesk", number, command, playbook, NOON, actor="agent-1")
    return after


def _waiting(storage: Storage, playbook: Playbook, number: str, **given: Any) -> Ticket:
    file_ticket(storage, playbook, number, description=BROKEN, **given)
    return _do(storage, playbook, number, c.Enqueue("technical"))


def _held(storage: Storage, playbook: Playbook, number: str, **given: Any) -> Ticket:
    file_ticket(storage, playbook, number, description="打不开", **given)
    return _do(storage, playbook, number, c.Assign("technical", "agent-1", by_person=True))


def _pending(storage: Storage, playbook: Playbook, number: str) -> Ticket:
    _held(storage, playbook, number)
    step = c.TakeStep("compensate", {"amount": "250"}, by="agent-1", team="technical")
    return _do(storage, playbook, number, step)


def _reviewed(storage: Storage, playbook: Playbook, number: str) -> Ticket:
    _held(storage, playbook, number)
    rated = c.AnswerSurvey(score=2, comment="师傅<i>没来</i>")
    return _do(storage, playbook, number, c.Resolve("已修好"), rated)


@pytest.fixture
def supervisor(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("supervisor-1"))


def fields(page: HttpResponse, number: str) -> dict[str, str]:
    """Return what the form of a ticket sends."""
    (item,) = re.findall(rf'<li [^>]*data-row="{number}".*?</li>', page.body, re.DOTALL)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', item))


def listed(page: HttpResponse) -> list[str]:
    return re.findall(r'<li [^>]*data-row="(CS\d+)"', page.body)


def notice(page: HttpResponse) -> tuple[str, str]:
    ((kind, text),) = re.findall(r'data-notice="(\w+)">([^<]*)<', page.body)
    return kind, unescape(text)


# The board


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_board_says_what_is_now_and_today(
    desk: Storage, signed_in: SignedIn, locale: Any
) -> None:
    page = Browser(signed_in("supervisor-1"), locale).get("board")
    said = texts(page)
    tiles = dict(re.findall(r'data-row="(\w+)"><h2>.*?aria-label="[^"]*: ([^"]*)"', page.body))
    assert tiles == {
        "waiting": "2", "overdue": "1", "received": "10", "resolved": "1", "csat": "0%",
    }  # fmt: skip
    for text in {
        "zh-CN": (
            "等待分配",
            "最久已等 0 分钟",
            "首次响应 1",
            "1 人评价",
            "待审批 1",
            "质检回访 1",
        ),
        "en": ("Waiting", "longest 0 min", "first response 1", "of 1 who rated", "Approvals 1"),
    }[locale]:
        assert text in said
    assert "2 to assign" in said if locale == "en" else "待分配 2 张" in said


@pytest.mark.parametrize("who", ["supervisor-1", "qa-1", "agent-1"])
def test_every_number_opens_its_tickets(desk: Storage, signed_in: SignedIn, who: str) -> None:
    browser = Browser(signed_in(who))
    page = browser.get("board")
    links = re.findall(r'href="([^"]*/board/tickets[^"]*)"[^>]*>([^<]*)<', page.body)
    assert len(links) > 8
    for href, text in links:
        found = browser.get(below(unescape(href)))
        counted = re.findall(r'class="count">(\d+) 张', found.body)
        if text.isdecimal():
            assert counted == [text], href
        known = [number for number in rows(found) if number.startswith("CS")]
        assert known or "jump" in href


def test_a_jump_is_named_and_opens_its_tickets(desk: Storage, supervisor: Browser) -> None:
    page = supervisor.get("board")
    (href,) = re.findall(r'href="([^"]*jump=[^"]*)"', page.body)
    assert "咨询：9件，预期1件" in texts(page)
    assert "9 张" in texts(supervisor.get(below(unescape(href))))
    assert "现在一张也没有" in texts(supervisor.get("board/tickets?jump=type%3Dother"))


def test_many_tickets_are_shown_in_parts(
    desk: Storage, supervisor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size, parts in ((1, [["CS1"], ["CS2"]]), (2, [["CS1", "CS2"]])):
        monkeypatch.setattr(board, "MOST", size)
        page = supervisor.get("board/tickets?of=waiting")
        found = [rows(page)]
        while more := re.findall(r'class="more"><a href="([^"]*)" hx-get="([^"]*)"', page.body):
            assert "part" not in more[0][0], "a page without script"
            page = supervisor.get(below(unescape(more[0][1])), script=True)
            assert "<html" not in page.body
            found.append(rows(page))
        assert found == parts


def test_a_tile_says_what_it_is_made_of(
    storage: Storage, playbook: Playbook, snapshots: BoardSnapshots, supervisor: Browser
) -> None:
    """The longest wait, and the deadlines that have passed, the most frequent first."""
    tickets = [_waiting(storage, playbook, "CS1"), _waiting(storage, playbook, "CS2")]
    known = {each.number: entry_of(each, playbook) for each in tickets}
    for number, hours in (("CS1", 5), ("CS2", 1)):
        known[number] = replace(
            known[number], received_at=int((NOON - timedelta(hours=hours)).timestamp())
        )
    snapshots.put("testdesk", BoardSnapshot(NOON, known))
    assert "最久已等 5 小时" in texts(supervisor.get("board"))
    view: Any = supervisor.get("board/tickets?of=waiting")
    assert rows(view)[0] == "CS1"


def test_who_has_left_with_tickets_in_hand_is_marked(
    desk: Storage, supervisor: Browser, storage: Storage
) -> None:
    storage.roster.set_active("testdesk", "agent-1", False)
    (row,) = re.findall(r'<tr data-row="agent-1".*?</tr>', supervisor.get("board").body, re.DOTALL)
    assert 'data-state="gone"' in row


def test_call_backs_go_to_who_may_make_them(desk: Storage, supervisor: Browser) -> None:
    page = supervisor.get("board/reviews")
    assert listed(page) == ["CS5"]
    assert set(re.findall(r'value="agent:([^"]+)"', page.body)) == {"qa-1", "supervisor-1"}


def test_an_address_of_no_number_is_refused(desk: Storage, supervisor: Browser) -> None:
    with pytest.raises(NotFound):
        supervisor.get("board/tickets?of=everything")
    for query in ("of=overdue&team=nobody", "of=in_hand&agent=nobody", "of=waiting&after=x"):
        assert supervisor.get(f"board/tickets?{query}").status == 200


def test_a_breach_is_on_the_board_at_its_deadline(
    desk: Storage, playbook: Playbook, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be written first, so whoever asks every 60 s sees it within 75 s."""
    due = desk.tickets.load("testdesk", "CS1").timers["first_response"].due_at
    assert due is not None
    member = signed_in("qa-1")
    asked = member.request("GET")
    shown = {}
    for seconds in (-1, 0):
        at = due + timedelta(seconds=seconds)
        monkeypatch.setattr(
            Agent, "request", lambda _, method, at=at: replace(asked, method=method, now=at)
        )
        part = Browser(member).get("board", script=True)
        assert "<html" not in part.body
        shown[seconds] = int(re.findall(r'data-row="overdue">.*?: (\d+)"', part.body)[0])
    assert shown[0] > shown[-1]


def test_a_new_desk_has_an_empty_board(
    storage: Storage, playbook: Playbook, snapshots: BoardSnapshots, supervisor: Browser
) -> None:
    said = texts(supervisor.get("board"))
    for text in ("没有人在等", "全部按时", "今天还没有", "今天没有异常增多", "没有待分配的工单"):
        assert text in said
    assert "没有等待审批的步骤" in texts(supervisor.get("board/approvals"))
    assert "没有待回访的工单" in texts(supervisor.get("board/reviews"))


def test_what_customers_wrote_is_escaped(desk: Storage, supervisor: Browser) -> None:
    for address in ("board", "board/tickets?of=waiting", "board/approvals", "board/reviews"):
        body = supervisor.get(address).body
        assert "<b>不制冷" not in body
        assert "<i>没来" not in body
    assert "空调&lt;b&gt;" in supervisor.get("board").body
    assert "师傅&lt;i&gt;" in supervisor.get("board/reviews").body


# Who may do what


MATRIX = {
    "supervisor-1": {"board/assign", "board/approvals", "board/reviews"},
    "qa-1": {"board/reviews"},
    "agent-1": set(),
}


@pytest.mark.parametrize("who", list(MATRIX))
def test_buttons_are_those_that_the_role_may_use(
    desk: Storage, signed_in: SignedIn, who: str
) -> None:
    browser = Browser(signed_in(who))
    board = browser.get("board")
    tabs = set(re.findall(r'href="/workbench/testdesk/(board/[a-z]+)"', board.body))
    assert tabs & {"board/approvals", "board/reviews"} == MATRIX[who] - {"board/assign"}
    found = set()
    for address in ("board", *sorted(tabs & {"board/approvals", "board/reviews"})):
        found |= set(
            re.findall(r'action="/workbench/testdesk/(board/\w+)"', browser.get(address).body)
        )
    assert found == MATRIX[who]
    assert ("data-agent=" in board.body) == (who == "supervisor-1")
    for address in {"board/assign", "board/approvals", "board/reviews"} - MATRIX[who]:
        with (
            pytest.raises(Forbidden)
            if address != "board/approvals"
            else pytest.raises((Forbidden, InvalidInput))
        ):
            browser.post(address, ticket="CS1", recipient="agent:agent-2", approved="no")
    assert desk.tickets.load("testdesk", "CS1").handler is None


def test_the_board_is_not_for_finance(desk: Storage, signed_in: SignedIn) -> None:
    for address in ("board", "board/tickets?of=overdue", "board/approvals", "board/reviews"):
        with pytest.raises(Forbidden):
            Browser(signed_in("finance-1")).get(address)


# Assigning


def test_a_ticket_is_assigned_without_script_and_leaves_the_list(
    desk: Storage, supervisor: Browser
) -> None:
    page = supervisor.get("board?team=technical")
    assert listed(page) == ["CS1", "CS2"]
    assert "agent-1" in page.body
    assert 'data-agent="agent:agent-3"' not in page.body, "of another team"
    sent = fields(page, "CS1") | {"recipient": "agent:agent-2"}
    for _ in range(2):
        answer = supervisor.post("board/assign", sent)
        assert (answer.status, below(answer.headers["Location"])) == (
            303, "board?team=technical&done=CS1&said=yes",
        )  # fmt: skip
    ticket = desk.tickets.load("testdesk", "CS1")
    assert (ticket.handler, ticket.version) == ("agent-2", 3), "once, though sent twice"
    after = supervisor.get(below(answer.headers["Location"]))
    assert listed(after) == ["CS2"], "before any journal tells of it"
    assert notice(after) == ("good", "CS1 已处理。")
    assert 'aria-label="等待分配: 1"' in after.body


def test_a_script_gets_the_board_and_what_came_of_it(desk: Storage, supervisor: Browser) -> None:
    sent = fields(supervisor.get("board"), "CS2") | {"recipient": "agent:agent-3"}
    part = supervisor.post("board/assign", sent, script=True)
    assert (part.status, notice(part)) == (200, ("good", "CS2 已分配。"))
    assert listed(part) == ["CS1"]
    assert "1/2" in re.findall(r'data-row="agent-3".*?</tr>', part.body, re.DOTALL)[0]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"recipient": ""}, "此项必填"),
        ({"recipient": "agent:nobody"}, "在职坐席的用户名"),
        ({"recipient": "agent:finance-1"}, "在职坐席的用户名"),
        ({"recipient": "insist:x"}, "agent"),
        ({"ticket": "CS99", "recipient": "agent:agent-2"}, "没有这张工单"),
        ({"ticket": "CS3", "version": "1", "recipient": "agent:agent-2"}, "版本"),
    ],
)
@pytest.mark.parametrize("script", [True, False])
def test_a_refusal_says_why_beside_the_list(
    desk: Storage, supervisor: Browser, changed: dict[str, str], why: str, script: bool
) -> None:
    sent = fields(supervisor.get("board"), "CS1")
    page = supervisor.post("board/assign", sent | changed, script=script)
    assert page.status == (200 if script else 409)
    kind, text = notice(page)
    assert kind == "bad"
    assert why in text or changed["recipient"].startswith("insist")
    assert listed(page) == ["CS1", "CS2"]


def test_capacity_is_shown_and_may_be_exceeded(
    desk: Storage, supervisor: Browser, storage: Storage
) -> None:
    storage.roster.put(agent("agent-1", skills=("空调",)))
    page = supervisor.get("board")
    (row,) = re.findall(r'<tr data-row="agent-1".*?</tr>', page.body, re.DOTALL)
    assert 'data-state="full"' in row
    assert "空调" in row
    assert "2/2" in row
    sent = fields(page, "CS1") | {"recipient": "agent:agent-1"}
    assert notice(supervisor.post("board/assign", sent, script=True))[0] == "good"


# Approvals


def test_an_approval_says_what_is_asked(desk: Storage, supervisor: Browser) -> None:
    said = texts(supervisor.get("board/approvals"))
    assert listed(supervisor.get("board/approvals")) == ["CS4"]
    for text in ("赔偿", "金额 250", "agent-1 于 12:00 申请，已等 0 分钟"):
        assert text in said


def test_a_step_is_approved_once(desk: Storage, supervisor: Browser) -> None:
    sent = fields(supervisor.get("board/approvals"), "CS4") | {"approved": "yes"}
    for _ in range(2):
        answer = supervisor.post("board/approvals", sent)
        assert answer.status == 303
    after = supervisor.get(below(answer.headers["Location"]))
    assert (listed(after), notice(after)) == ([], ("good", "CS4 已处理。"))
    ticket = desk.tickets.load("testdesk", "CS4")
    assert (ticket.pending, ticket.facts["amount"]) == (None, "250")


def test_a_refusal_needs_its_reason_and_keeps_the_ticket(
    desk: Storage, supervisor: Browser
) -> None:
    sent = fields(supervisor.get("board/approvals"), "CS4") | {"approved": "no"}
    page = supervisor.post("board/approvals", sent, reason=" ")
    assert page.status == 409
    assert 'aria-invalid="true"' in page.body
    assert "请写明不批准的理由" in notice(page)[1]
    stale = supervisor.post("board/approvals", sent | {"version": "1", "reason": "超出<标准>"})
    assert "超出&lt;标准&gt;</textarea>" in stale.body, "what was written is kept"
    answer = supervisor.post("board/approvals", sent, reason="超出标准")
    assert below(answer.headers["Location"]) == "board/approvals?done=CS4&said=no"
    assert "未批准" in notice(supervisor.get("board/approvals?done=CS4&said=no"))[1]
    ticket = desk.tickets.load("testdesk", "CS4")
    assert (ticket.pending, ticket.facts) == (None, {})


def test_a_form_that_cannot_be_read_is_refused(desk: Storage, supervisor: Browser) -> None:
    sent = fields(supervisor.get("board/approvals"), "CS4") | {"batch": "../", "approved": "yes"}
    with pytest.raises(InvalidInput):
        supervisor.post("board/approvals", sent)


# Call-backs


@pytest.mark.parametrize("who", ["qa-1", "supervisor-1"])
def test_a_call_back_says_score_and_reason_and_leads_on(
    desk: Storage, signed_in: SignedIn, who: str
) -> None:
    page = Browser(signed_in(who)).get("board/reviews")
    said = texts(page)
    for text in ("2 分", "师傅<i>没来</i>", "尚未指定", "周四 12:00"):
        assert text in said
    assert "/tickets/CS5/actions/callback" in page.body
    assert "/contacts/CS5" in page.body
    assert "***8000" in said


def test_a_reviewer_is_assigned_and_nobody_about_their_own_work(
    desk: Storage, signed_in: SignedIn, storage: Storage
) -> None:
    storage.roster.put(agent("agent-1", further_roles=("qa",)))
    browser = Browser(signed_in("qa-1"))
    page = browser.get("board/reviews")
    sent = fields(page, "CS5")
    refused = browser.post("board/reviews", sent, recipient="agent:agent-1", script=True)
    assert notice(refused)[0] == "bad"
    assert "agent-1" in notice(refused)[1]
    done = browser.post("board/reviews", sent, recipient="agent:qa-1", script=True)
    assert notice(done) == ("good", "CS5 已指定回访人员。")
    assert "回访人员: qa-1" in texts(done)
    assert desk.tickets.load("testdesk", "CS5").reviewer == "qa-1"


def test_a_cursor_of_another_list_is_refused(desk: Storage, supervisor: Browser) -> None:
    for name in ("approvals", "reviews"):
        with pytest.raises(InvalidInput):
            supervisor.get(f"board/{name}?cursor=nothing")


# What it costs


def test_a_full_board_is_small_and_takes_seven_reads(
    dynamodb: Any, playbook: Playbook, snapshots: BoardSnapshots
) -> None:
    """With 15 agents and 50 waiting tickets; sign-in and saved things are kept by the container."""
    client = Counting(dynamodb)
    storage = Storage.on(cast("Any", client), "deskbell-test")
    for n in range(9):
        name = f"客服-{n}"
        storage.roster.put(agent(f"more-{n}", display_name=name, skills=("空调", "冰箱")))
    found = [_waiting(storage, playbook, f"CS20260310{n:03}", product=None) for n in range(50)]
    entries = {ticket.number: entry_of(ticket, playbook) for ticket in found}
    snapshots.put("testdesk", BoardSnapshot(NOON - timedelta(hours=4, minutes=5), entries))
    browser = Browser(Agent(storage, "supervisor-1", "testdesk:supervisor"))
    browser.get("board")
    storage.roster.desks.clear()
    client.calls.clear()
    page = browser.get("board")
    assert len(listed_rows(page)) == 50
    reads = [call for call in client.calls if call in {"query", "batch_get_item", "get_item"}]
    assert len(reads) <= 7, client.calls
    assert len(gzip.compress(page.body.encode())) <= 25 * 1024


def listed_rows(page: HttpResponse) -> list[str]:
    return re.findall(r'<li class="row assign[^>]*data-row="([^"]+)"', page.body)


@pytest.mark.parametrize("name", ["board.css", "board.js"])
def test_the_board_s_own_files_are_small(name: str) -> None:
    assert len(gzip.compress(content(name).encode())) <= 2048
