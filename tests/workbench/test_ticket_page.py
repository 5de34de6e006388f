"""The page of a ticket: what it shows, what it reads, and the forms of its actions."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from functions.core.domain import commands as c
from functions.core.domain.commands.base import BodyWithFiles
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import Forbidden, NotFound
from functions.core.domain.events import NoteAdded, ReplySent
from functions.core.domain.rules import LOCALES, Locale, Playbook
from functions.core.domain.ticket import Attachment, Ticket
from functions.core.pages.security import form_token
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse
from functions.core.playbook import load
from functions.core.services.rights import caller, principal_of
from functions.core.storage.database import Storage
from functions.core.text.workbench_texts import TEXTS
from functions.workbench import calls
from functions.workbench.pages import routing, ticket_forms
from functions.workbench.pages.page import PURPOSE, WorkbenchPage
from functions.workbench.pages.ticket_reasons import marked
from functions.workbench.pages.ticket_words import Words
from functions.workbench.reading import read_page
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.conftest import NUMBER, Agent, Links, SignedIn

pytestmark = pytest.mark.requirement("H3")

SECRET = b"session"
PLAYBOOKS = sorted(Path("playbooks").glob("*.yaml"))


@dataclass
class TicketBrowser:
    """A browser whose person has signed in."""

    agent: Agent
    storage: Storage
    playbook: Playbook
    script: bool = False
    locale: Locale = "zh-CN"

    def get(self, path: str = f"tickets/{NUMBER}", **query: str) -> str:
        return str(self.answer("GET", path, query).body)

    def post(self, path: str = f"tickets/{NUMBER}", **fields: Any) -> HttpResponse:
        fields.setdefault("form_token", form_token(SECRET, PURPOSE))
        return self.answer("POST", path, {}, urlencode(fields, doseq=True).encode())

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes = b""
    ) -> HttpResponse:
        page = self.page(method, query, body)
        return routing.find(method, path).answer(page)

    def page_of(self, playbook: Playbook, locale: Locale = "zh-CN") -> WorkbenchPage:
        """A page of another desk, for what reads nothing."""
        return replace(self.page(), playbook=playbook, locale=locale)

    def page(
        self, method: str = "GET", query: dict[str, str] | None = None, body: bytes = b""
    ) -> WorkbenchPage:
        request = self.agent.request(method, **(query or {}))
        headers = {"hx-request": "true"} if self.script else {}
        request = replace(request, body=body, headers=headers)
        principal = principal_of(
            self.storage, caller(request.claims), self.playbook.desk, request.now
        )
        return WorkbenchPage(
            request, self.storage, principal, self.playbook, self.locale, SECRET, ""
        )


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    monkeypatch.setattr(aws, "upload_origin", lambda deployment: "https://files.example.com")
    monkeypatch.setattr(aws, "root_key", lambda deployment: bytes(32))
    monkeypatch.setattr(
        calls, "files", lambda request: Links(boto3.client("s3", region_name="us-east-1"), "bucket")
    )


@pytest.fixture
def browse(signed_in: SignedIn, storage: Storage, playbook: Playbook, ticket: Ticket) -> Any:
    return lambda name, **more: TicketBrowser(signed_in(name), storage, playbook, **more)


@pytest.fixture
def browser(browse: Any) -> TicketBrowser:
    """The browser of an agent of the ticket's team."""
    return cast("TicketBrowser", browse("agent-1"))


@contextmanager
def counted(dynamodb: Any) -> Iterator[Counter[str]]:
    """Count the calls to DynamoDB."""
    counts: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        counts[model.name] += 1

    events = dynamodb.meta.events
    events.register("provide-client-params.dynamodb", count)
    try:
        yield counts
    finally:
        events.unregister("provide-client-params.dynamodb", count)


def conversation(page: str) -> str:
    found = re.search(r'<section id="conversation".*?</section>', page, re.DOTALL)
    return found.group() if found else ""


# What it reads


@pytest.mark.slow
def test_a_page_takes_one_query_and_two_reads_of_keys(
    browser: TicketBrowser, dynamodb: Any, long_ticket: Storage
) -> None:
    """The same for 2,000 entries as for few; the second read is that of the composer's drafts.

    The session, the roster, the playbook and the knowledge base are cached.
    """
    browser.get()
    with counted(dynamodb) as counts:
        page = browser.get()
    assert counts == {"Query": 1, "BatchGetItem": 2}
    assert page.count("data-message") == calls.PAGE


@pytest.mark.slow
def test_an_earlier_page_takes_the_ticket_one_query_and_one_read_of_keys(
    browser: TicketBrowser, dynamodb: Any, long_ticket: Storage
) -> None:
    browser.get()
    with counted(dynamodb) as counts:
        page = browser.get(before="1000", part="earlier")
    assert counts == {"Query": 1, "GetItem": 1, "BatchGetItem": 1}
    assert "999 很" in page
    assert "1000 很" not in page


@pytest.mark.slow
def test_a_long_ticket_has_the_size_of_a_short_one(
    browser: TicketBrowser, storage: Storage, ticket: Ticket, signed_in: SignedIn
) -> None:
    agent = signed_in("supervisor-1")
    for number in range(25):
        agent.act("note", text=f"第{number}条备注，网关流水已核对，订单服务超时，可以走补单流程。")
    short = len(gzip.compress(browser.get().encode()))
    for number in range(25, 100):
        agent.act("note", text=f"第{number}条备注，网关流水已核对，订单服务超时，可以走补单流程。")
    long = len(gzip.compress(browser.get().encode()))
    assert abs(long - short) < 200
    assert long < 25 * 1024


def test_the_page_reads_what_the_view_of_the_api_has(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    agent = signed_in("supervisor-1")
    for _ in range(30):
        agent.act("note", text="备注")
    for before in (None, 12, 2):
        read = read_page(storage, playbook, NUMBER, before)
        shown = agent.show(**({} if before is None else {"before": str(before)}))
        versions = [commit.version for commit in read.record.history]
        assert versions == list(dict.fromkeys(line["version"] for line in shown["timeline"]))
        assert [commit.version for commit in read.opening] == [1, 2, 3]


def test_deliveries_are_found_by_their_keys(
    browser: TicketBrowser, storage: Storage, playbook: Playbook, ticket: Ticket
) -> None:
    """Those too that an earlier version of the playbook asked for: the lead names them."""
    lead = _delivery(message="gone", lead=True, covers=("000001#also-gone#customer",))
    storage.deliveries.claim(lead)
    storage.deliveries.claim(
        _delivery(
            message="also-gone", state="dead_lettered", cause="not a mobile number", text="二"
        )
    )
    page = conversation(browser.get())
    assert page.count("data-automatic") == 2
    assert 'data-delivery="sent"' in page
    assert 'data-delivery="dead_lettered"' in page
    assert "not a mobile number" in page


def _delivery(**changes: Any) -> Delivery:
    known: dict[str, Any] = {
        "desk": "testdesk", "number": NUMBER, "version": 1, "event": "TicketReceived",
        "recipient": "customer", "channel": "sms", "to": "****8000", "text": "已收到",
        "state": "sent", "claimed_at": NOON, "at": NOON,
    }  # fmt: skip
    return Delivery(**known | changes)


def test_what_only_a_script_asks_for_is_read_then(
    browse: Any, storage: Storage, playbook: Playbook
) -> None:
    file_ticket(storage, playbook, "CS20260310002")
    browser = browse("agent-1", script=True)
    page = browser.get()
    assert "CS20260310002" not in page
    assert "part=customer" in page
    part = browser.get(part="customer")
    assert "CS20260310002" in part
    assert "<article" not in part
    assert "CS20260310002" in browse("agent-1").get(others="1")


# What it shows


def test_everything_that_somebody_wrote_is_escaped(
    browse: Any, storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">&amp;'
    number = "CS20260310009"
    file_ticket(
        storage, playbook, number, description=f"无法登录{evil}", subject=evil, order=evil,
        proof_of_purchase=evil, since=evil, environment=evil, attempted=evil,
    )  # fmt: skip
    agent = signed_in("supervisor-1")
    agent.act("take", number)
    agent.act("note", number, text=evil)
    agent.act("reply", number, text=evil)
    agent.act("priority", number, priority="high", reason=evil)
    browser = browse("supervisor-1")
    for tab in ("conversation", "timeline", "files", "records"):
        page = browser.get(f"tickets/{number}", tab=tab)
        assert "<script>alert" not in page
        assert "<img" not in page
    assert html.escape("<script>alert(1)</script>") in browser.get(f"tickets/{number}")
    page = browser.get(f"tickets/{number}/actions/resolve", summary=evil)
    assert "<script>alert" not in page
    assert '<h1 id="form-title">' in page


def test_messages_notes_and_events_are_told_apart(
    browser: TicketBrowser, signed_in: SignedIn
) -> None:
    agent = signed_in("agent-1")
    agent.act("take")
    agent.act("note", text="内部的话")
    agent.act("reply", text="Please restart the app.")
    page = conversation(browser.get())
    received, note, sent = (page.index(text) for text in ("无法登录", "内部的话", "Please restart"))
    assert received < note < sent
    assert re.search(r'data-message data-direction="in"', page)
    answer = page[page.rindex("<li", 0, sent) : sent]
    assert 'data-direction="out"' in answer
    assert 'lang="en"' in answer
    assert 'data-delivery="pending"' in answer
    written = page[page.rindex("<li", 0, note) : note]
    assert "data-note" in written
    assert "内部备注" in written
    assert "sticky-note" in written
    assert "data-message" not in written
    assert "已分配处理人员" in page


def test_the_words_that_decided_are_marked_and_named(browser: TicketBrowser) -> None:
    page = browser.get()
    assert "<mark>无法登录</mark>" in conversation(page)
    why = page[page.index('id="why"') :]
    assert "“无法登录”" in why
    assert f"/tickets/{NUMBER}/actions/confirm-type" in why


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("页面提示支付失败了", ("支付失败",), ["页面提示", "*支付失败", "了"]),
        ("my App crashes, happy", ("app",), ["my ", "*App", " crashes, happy"]),
        ("ＡＰＰ　崩溃", ("app 崩溃",), ["*ＡＰＰ　崩溃"]),
        ("支付失败与支付异常", ("支付失败", "异常"), ["*支付失败", "与支付", "*异常"]),
        ("nothing", ("x",), ["nothing"]),
        ("", ("x",), []),
        ("a", (), ["a"]),
    ],
)
def test_marks_are_where_the_words_are(
    text: str, words: tuple[str, ...], expected: list[str]
) -> None:
    pieces = marked(text, words)
    assert [f"*{piece}" if hit else piece for piece, hit in pieces] == expected
    assert "".join(piece for piece, _ in pieces) == text


def test_a_change_of_type_and_priority_says_who_made_it(
    browser: TicketBrowser, signed_in: SignedIn
) -> None:
    agent = signed_in("supervisor-1")
    agent.act("confirm-type", type="inquiry", tags=[])
    agent.act("priority", priority="high")
    why = browser.get()
    why = why[why.index('id="why"') :]
    assert why.count("supervisor-1 更改") == 2


def test_deadlines_say_their_reason(browser: TicketBrowser, signed_in: SignedIn) -> None:
    page = browser.get()
    assert 'data-timer="first_response" data-state="far"' in page
    assert "中 1 天" in page
    agent = signed_in("agent-1")
    agent.act("take")
    agent.act("request-info", text="请提供订单号")
    page = browser.get()
    assert 'data-timer="resolution" data-state="paused"' in page
    assert "已暂停，剩" in page
    assert 'data-timer="first_response"' not in page
    assert "请提供订单号</q>" in page


def test_one_action_is_the_natural_next_step(browse: Any, signed_in: SignedIn) -> None:
    def primary(name: str) -> str | None:
        found = re.search(r'value="([a-z-]+)" class="primary"', browse(name).get())
        return found.group(1) if found else None

    assert primary("agent-1") == "take"
    assert primary("supervisor-1") == "assign"
    agent = signed_in("agent-1")
    agent.act("take")
    assert primary("agent-1") == "resolve"
    assert primary("agent-3") is None
    agent.act("resolve", summary="已处理")
    assert primary("agent-1") == "reopen"


def test_actions_have_their_keys(browse: Any, signed_in: SignedIn) -> None:
    signed_in("agent-1").act("take")
    page = browse("supervisor-1").get()
    found = dict(re.findall(r'value="([a-z-]+)" class="\w+" data-key="(\w)"', page))
    assert found == {"resolve": "e", "assign": "a", "confirm-type": "t", "merge": "m"}
    assert 'data-key="s"' in page


def test_live_updates_never_touch_what_is_being_written(browse: Any) -> None:
    part = browse("agent-1", script=True).get(part="conversation")
    assert re.findall(r'id="([\w-]+)"[^>]* hx-swap-oob', part) == [
        "ticket-head", "conversation", "context",
    ]  # fmt: skip
    assert "composer" not in part
    assert "<textarea" not in part


def test_a_script_gets_the_middle_and_the_right_column(browse: Any) -> None:
    part = browse("agent-1", script=True).get()
    assert part.lstrip().startswith("<article")
    assert 'id="composer"' in part
    assert '<aside id="context" hx-swap-oob' in part
    assert "<html" not in part


@pytest.mark.slow
def test_a_live_update_shows_again_what_was_loaded(
    browser: TicketBrowser, long_ticket: Storage
) -> None:
    assert browser.get(part="conversation", entries="60").count("data-message") == 60
    assert browser.get(part="conversation", entries="9999").count("data-message") == 200
    assert browser.get(part="conversation", entries="x").count("data-message") == calls.PAGE


def test_tabs_are_links(browser: TicketBrowser, signed_in: SignedIn) -> None:
    signed_in("agent-1").act("take")
    timeline = browser.get(tab="timeline")
    assert "已分配处理人员" in timeline
    assert 'aria-current="page">时间线' in timeline
    assert f"{NUMBER}-001" in browser.get(tab="records")
    assert "还没有附件" in browser.get(tab="files")


def test_both_languages_say_everything(browse: Any) -> None:
    page = browse("agent-1", locale="en").get()
    assert "Why it is here" in page
    assert "为什么" not in page


def test_who_may_not_see_tickets_sees_none(browse: Any) -> None:
    with pytest.raises(Forbidden):
        browse("finance-1").get()
    with pytest.raises(NotFound):
        browse("agent-1").get("tickets/CS0")
    with pytest.raises(NotFound):
        browse("agent-1").get(f"tickets/{'9' * 3000}")


# Forms of actions


def test_every_field_of_every_action_has_a_label_in_both_languages() -> None:
    for action, declared in c.agent_actions().items():
        for name in declared.body.model_fields:
            if name in BodyWithFiles.model_fields:
                continue
            label = TEXTS.get(f"field.{action}.{name}") or TEXTS.get(f"field.{name}")
            assert label, f"{action}: {name}"
            assert label.keys() == set(LOCALES)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_action_has_a_form(browse: Any, locale: Locale) -> None:
    browser = browse("supervisor-1", locale=locale)
    for action, declared in c.agent_actions().items():
        page = browser.get(f"tickets/{NUMBER}/actions/{action}")
        assert f'<button name="action" value="{action}">' in page
        for name, field in declared.body.model_fields.items():
            if name not in (*BodyWithFiles.model_fields, "agent", "team", "queue", "insist"):
                assert f'name="{name}"' in page, f"{action}: {name}"
                assert field is not None
        if issubclass(declared.body, BodyWithFiles):
            assert "data-upload=" in page


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_step_of_every_desk_has_a_form(browser: TicketBrowser, path: Path) -> None:
    playbook = load(path)
    shown = {"steps": (), "status": "assigned"}
    for locale in LOCALES:
        words = Words(browser.page_of(playbook, locale))
        for name, step in playbook.steps.items():
            form = ticket_forms.form_of(name, shown, words)
            assert [field.name for field in form.fields] == list(step.fields)
            for field in form.fields:
                declared = step.fields[field.name]
                assert field.label == declared.label[locale]
                assert field.required is declared.required
                assert len(field.choices) == len(declared.choices)
                assert bool(field.hints) >= bool(declared.required_with)
            assert form.files is step.attachments
            assert bool(form.notes) is bool(step.approval or step.customer_sees)


def test_the_form_of_an_action_carries_it_out(browser: TicketBrowser, storage: Storage) -> None:
    assert browser.post(action="take", version="1").status == 303
    page = browser.get(f"tickets/{NUMBER}/actions/confirm-type")
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    answer = browser.post(
        action="confirm-type", version=version[1], type="inquiry", tags=["", "login"],
        priority="high",
    )  # fmt: skip
    assert answer.status == 303
    assert answer.headers["Location"] == f"/workbench/testdesk/tickets/{NUMBER}"
    ticket = storage.tickets.load("testdesk", NUMBER)
    assert (ticket.type, ticket.tags, ticket.priority) == ("inquiry", ("login",), "high")
    browser.post(action="confirm-type", type="inquiry", tags="", priority="high")
    assert storage.tickets.load("testdesk", NUMBER).tags == ()


def test_a_ticket_is_assigned_to_an_agent_a_team_or_the_supervisors(
    browse: Any, storage: Storage
) -> None:
    browser = browse("supervisor-1")
    page = browser.get(f"tickets/{NUMBER}/actions/assign")
    assert '<option value="agent:agent-2">' in page
    assert '<option value="team:general">' in page
    assert "0/" in page
    for chosen, expected in (
        ("agent:agent-2", ("agent-2", "agent")),
        ("team:general", (None, "waiting")),
        ("queue:supervisor", (None, "supervisor")),
    ):
        browser.post(action="assign", recipient=chosen)
        ticket = storage.tickets.load("testdesk", NUMBER)
        assert (ticket.handler, ticket.queue) == expected
    answer = browser.post(action="assign", recipient="", reason="请接手")
    assert answer.status == 400
    assert "请接手" in answer.body


def test_ticks_are_true_only_if_they_are_ticked(browse: Any, storage: Storage) -> None:
    browse("supervisor-1").post(action="close", reason="垃圾信息", silent=["no", "yes"])
    commit = storage.tickets.history("testdesk", NUMBER)[-1]
    assert commit.events[0].model_dump()["silent"] is True


def test_wrong_fields_are_named_beside_them_and_kept(
    browser: TicketBrowser, storage: Storage
) -> None:
    browser.post(action="take")
    answer = browser.post(action="resolve", summary="很" * 101, version="2", key="k1")
    assert answer.status == 400
    page = answer.body
    assert 'id="e-summary"' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="e-summary"' in page or 'e-summary"' in page
    assert "很" * 101 in page
    assert 'name="key" value="k1"' in page
    assert storage.tickets.load("testdesk", NUMBER).status == "assigned"


def test_a_conflict_is_shown_as_a_difference_and_drops_nothing(
    browse: Any, browser: TicketBrowser, storage: Storage, signed_in: SignedIn
) -> None:
    browser.post(action="take")
    signed_in("supervisor-1").act("note", text="先别关，等仓库")
    answer = browser.post(action="resolve", summary="已重置密码", version="2", key="k1")
    assert answer.status == 409
    page = answer.body
    assert "先别关，等仓库" in page
    assert "无法登录" not in page[page.index('class="form-alert conflict"') : page.index("</form>")]
    assert "已重置密码" in page
    assert "仍然执行" in page
    assert 'name="version" value="3"' in page
    assert storage.tickets.load("testdesk", NUMBER).status == "assigned"
    again = browser.post(action="resolve", summary="已重置密码", version="3", key="k1")
    assert again.status == 303
    assert storage.tickets.load("testdesk", NUMBER).status == "resolved"


def test_what_the_status_forbids_names_what_it_allows(browser: TicketBrowser) -> None:
    answer = browser.post(action="resolve", summary="已处理")
    assert answer.status in (403, 409)
    browser.post(action="take")
    browser.post(action="resolve", summary="已处理")
    answer = browser.post(action="resolve", summary="再处理一次")
    assert answer.status == 409
    assert "现在可以：" in answer.body
    assert f'href="/workbench/testdesk/tickets/{NUMBER}/actions/reopen"' in answer.body
    assert "再处理一次" in answer.body


def test_a_form_that_is_sent_twice_is_carried_out_once(
    browser: TicketBrowser, storage: Storage
) -> None:
    page = browser.get(f"tickets/{NUMBER}/actions/note")
    key = re.search(r'name="key" value="([\w-]+)"', page)
    assert key
    for _ in range(2):
        assert browser.post(action="note", text="一次", key=key[1]).status == 303
    history = storage.tickets.history("testdesk", NUMBER)
    assert sum(len(commit.of(NoteAdded)) for commit in history) == 1


def test_the_composers_form_is_an_action_too(browser: TicketBrowser, storage: Storage) -> None:
    browser.post(action="take")
    answer = browser.post(action="reply", text="您好", version="2", kind="reply", files="")
    assert answer.status == 303
    assert storage.tickets.history("testdesk", NUMBER)[-1].of(ReplySent)


def test_a_script_learns_that_an_action_was_carried_out(browse: Any) -> None:
    answer = browse("agent-1", script=True).post(action="take", version="1")
    assert answer.headers["X-Done"] == "1"
    assert "领取" in answer.body


def test_a_form_without_its_token_is_refused(browser: TicketBrowser) -> None:
    with pytest.raises(Forbidden):
        browser.post(action="take", form_token="x")


def test_a_merge_offers_the_customers_other_tickets(
    browse: Any, storage: Storage, playbook: Playbook
) -> None:
    file_ticket(storage, playbook, "CS20260310002")
    page = browse("agent-1").get(f"tickets/{NUMBER}/actions/merge")
    assert '<option value="CS20260310002">' in page
    browse("supervisor-1").post(action="merge", into="CS20260310002")
    page = browse("supervisor-1").get()
    assert "已并入 CS20260310002" in page


def test_a_step_time_has_the_desks_offset(browser: TicketBrowser) -> None:
    playbook = load(Path("playbooks/aftersales.yaml"))
    words = Words(browser.page_of(playbook))
    given = {
        "arrival": ["2026-03-12T14:00"],
        "visit_note": ["带梯子"],
        "form_token": ["x"],
        "version": ["3"],
    }
    assert ticket_forms.body_of("visit", given, words) == {
        "arrival": "2026-03-12T14:00+08:00",
        "visit_note": "带梯子",
        "version": 3,
    }
    wrong = ticket_forms.body_of("visit", {"arrival": ["tomorrow"]}, words)
    assert wrong == {"arrival": "tomorrow"}


# Originals and files


def test_an_original_is_opened_against_a_reason(
    browse: Any, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.workbench import unseal_client

    browser = browse("supervisor-1")
    page = browser.get(f"tickets/{NUMBER}/actions/open-original", message="1")
    assert '<input type="hidden" name="message" value="1">' in page
    assert "查看会被记录" in page
    monkeypatch.setattr(
        "functions.core.storage.tickets.Tickets.original",
        lambda *_: type("Sealed", (), {"pieces": (b"x",)})(),
    )
    monkeypatch.setattr(
        unseal_client, "unseal", lambda *_: {"description": "<b>13900000000</b> 无法登录"}
    )
    answer = browser.post(action="open-original", message="1", reason="核对电话")
    assert answer.status == 200
    assert "&lt;b&gt;13900000000" in answer.body
    commit = storage.tickets.history("testdesk", NUMBER)[-1]
    assert commit.events[0].event == "OriginalOpened"


def test_files_have_links_that_stay_valid(
    browse: Any, storage: Storage, playbook: Playbook
) -> None:
    number = "CS20260310003"
    file = Attachment(name="图<b>.png", content_type="image/png", size=2048, key="files/x/1")
    file_ticket(storage, playbook, number, attachments=(file,))
    browser = browse("agent-1")
    page = browser.get(f"tickets/{number}")
    assert f'href="/workbench/testdesk/tickets/{number}/files/1/0"' in page
    assert "图&lt;b&gt;.png" in page
    answer = browser.answer("GET", f"tickets/{number}/files/1/0", {})
    assert answer.headers["Location"] == "https://files.example.com/files/x/1"
    for path in ("1/1", "9/0", "x/0", "1/x"):
        with pytest.raises(NotFound):
            browser.answer("GET", f"tickets/{number}/files/{path}", {})
    assert file.name in html.unescape(browser.get(f"tickets/{number}", tab="files"))


def test_an_upload_is_offered_to_the_script(browse: Any) -> None:
    browser = browse("agent-1", script=True)
    answer = browser.post(f"tickets/{NUMBER}/uploads", name="图.png", size="70")
    assert answer.status == 201
    assert json.loads(json.dumps(answer.body))["upload"]["method"] == "PUT"
    policy = browser.answer("GET", f"tickets/{NUMBER}", {}).headers["Content-Security-Policy"]
    assert "connect-src 'self' https://files.example.com;" in policy


def test_a_page_without_script_says_so_about_files(browser: TicketBrowser) -> None:
    page = browser.get(f"tickets/{NUMBER}/actions/note")
    assert "<noscript>" in page
    assert "添加附件需要浏览器启用脚本" in page
