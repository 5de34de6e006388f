"""The pages of search, new tickets and contacts."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.calls import CallPart, CallReport
from functions.core.domain.errors import Forbidden
from functions.core.domain.journal import entry_of
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.services.command_service import change
from functions.core.services.create_ticket import TicketCreator
from functions.core.services.phone_calls import CallDesk
from functions.core.storage.database import Storage
from functions.core.storage.segments import forget_segments
from functions.workbench import unseal_client
from functions.workbench.pages import new
from functions.workbench.pages.search import marked
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.conftest import DEPLOYMENT, SignedIn
from tests.workbench.pages import Browser, rows, texts

pytestmark = pytest.mark.requirement("H3")
AGO = NOON - timedelta(hours=3)


@pytest.fixture
def browser(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("agent-1"))


# Search


@pytest.fixture
def written(
    storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    """Tickets that search finds in the journal."""
    forget_segments()
    aws.client.cache_clear()
    monkeypatch.setattr(aws, "root_key", lambda deployment: bytes(32))
    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    storage.manifests.start("testdesk", AGO)
    for n in range(23):
        at, number = AGO + timedelta(minutes=n), f"CS{n:02}"
        text = "退款没到账" if n else "My refund has NOT arrived"
        file_ticket(storage, playbook, number, at, description=text)
        entry = entry_of(storage.tickets.history("testdesk", number)[-1])
        assert entry is not None
        storage.journal.write("testdesk", entry, at)
    yield storage
    forget_segments()
    aws.client.cache_clear()


@pytest.mark.parametrize("word", ["退", "退款", "没到账"])
def test_a_character_is_enough_and_what_was_found_is_marked(
    written: Storage, browser: Browser, word: str
) -> None:
    page = browser.get(f"search?q={word}")
    assert len(rows(page)) == 20
    assert f"<mark>{word}</mark>" in page.body
    (more,) = re.findall(r'class="more"><a href="/workbench/testdesk/([^"]+)"', page.body)
    rest = browser.get(more.replace("&amp;", "&") + "&part=more")
    assert len(rows(rest)) == 2


def test_filters_narrow_a_search(written: Storage, browser: Browser) -> None:
    assert rows(browser.get("search?q=refund")) == ["CS00"]
    assert "<mark>refund</mark>" in browser.get("search?q=REFUND").body
    assert rows(browser.get("search?q=refund&to=2026-03-09")) == []
    assert len(rows(browser.get("search?status=received"))) == 20


def test_a_search_says_when_there_is_nothing(written: Storage, browser: Browser) -> None:
    page = browser.get("search?q=爆炸&tag=login")
    assert "没有找到“爆炸”。" in texts(page)
    assert 'href="/workbench/testdesk/search?q=%E7%88%86%E7%82%B8"' in page.body
    assert "一个字也能搜" in texts(browser.get("search"))


def test_errors_are_beside_their_fields(written: Storage, browser: Browser) -> None:
    page = browser.get("search?q=？&from=soon")
    assert page.status == 400
    assert 'id="wrong-q"' in page.body
    assert 'value="soon"' in page.body


def test_markup_in_a_text_stays_text(browser: Browser) -> None:
    assert marked("a <b> bold", "<b>") == [("a ", False), ("<b>", True), (" bold", False)]
    assert marked("退款退款款", "退 退款") == [("退款", True), ("退款", True), ("款", False)]
    assert marked(None, "退") == []


# New tickets


@pytest.fixture
def creator(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> TicketCreator:
    service = TicketCreator(
        storage,
        lambda desk, number, contact: b"sealed",
        lambda *_: (),
        bytes(32),
        "https://desk.example.com",
    )
    monkeypatch.setattr(new, "ticket_creator", lambda deployment: service)
    return service


@pytest.mark.usefixtures("creator")
def test_a_new_ticket_leads_to_it_and_is_created_once(browser: Browser) -> None:
    (key,) = re.findall(r'name="key" value="(\w+)"', browser.get("new").body)
    fields: dict[str, Any] = {
        "key": key, "contact": "13800138000", "description": "无法登录", "channel": "counter",
        "order": "A-1", "product.name": "路由器",
    }  # fmt: skip
    first, second = (browser.post("new", **fields) for _ in range(2))
    assert first.status == 303
    assert first.headers["Location"] == second.headers["Location"]
    number = first.headers["Location"].rpartition("/")[2]
    ticket = browser.storage.tickets.load("testdesk", number)
    assert (ticket.channel, ticket.entered_by, ticket.title) == ("counter", "agent-1", "无法登录")
    assert (ticket.order, ticket.product) == ("A-1", "路由器")


@pytest.mark.usefixtures("creator")
def test_errors_of_a_new_ticket_keep_what_was_typed(browser: Browser) -> None:
    fields: dict[str, Any] = {"key": "k", "contact": "13", "description": "长" * 201}
    page = browser.post("new", **fields)
    assert page.status == 400
    assert 'id="wrong-contact"' in page.body
    assert 'id="wrong-description"' in page.body
    assert 'name="contact" aria-invalid="true"' in page.body
    assert 'value="13"' in page.body


@pytest.mark.usefixtures("creator")
def test_a_warning_is_shown_before_the_ticket(browser: Browser) -> None:
    page = browser.post("new", key="k", contact="010-62345678", description="打不通")
    if page.status == 303:
        pytest.skip("the desk sends landlines no text messages without a warning")
    assert "打开工单" in texts(page)


def test_who_enters_no_tickets_has_no_form(signed_in: SignedIn) -> None:
    with pytest.raises(Forbidden):
        Browser(signed_in("qa-1")).get("new")


# Phone calls


def test_a_call_fills_in_a_new_ticket(
    browser: Browser, creator: TicketCreator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unchanged fields reach the ticket too; the recording is a link of its own."""
    storage = browser.storage
    monkeypatch.setattr(container, "ticket_creator", lambda deployment: creator)
    monkeypatch.setattr(aws, "root_key", lambda deployment: creator.root_key)
    link, playbook = "https://calls.example.com/r.wav", storage.playbooks.get("testdesk", NOON)
    words = CallPart(id="1", speaker="customer", text="无法登录")
    report = CallReport(
        call_id="1", event="ended", customer="13800138000", answered=True, started_at=AGO,
        ended_at=NOON, recording=link, parts=(words,),
    )  # fmt: skip
    call = CallDesk(creator, playbook, NOON).receive([report])
    assert call.number is None
    assert f"new?call={call.id}" in browser.get("new").body
    page = browser.get(f"new?call={call.id}")
    assert "客户：无法登录" in page.body
    assert link not in page.body
    assert link in browser.post(f"new/recording/{call.id}").body
    (contact,) = re.findall(r'name="contact" value="([^"]+)"', page.body)
    (described,) = re.findall(r'name="description"[^>]*>([^<]+)<', page.body)
    assert contact.endswith("8000")
    fields: dict[str, str | list[str]] = {
        "key": "k",
        "call": call.id,
        "contact": contact,
        "name": "王样本",
    }
    fields["description"] = described.replace("\n", "\r\n")
    answer = browser.post("new", fields)
    assert answer.status == 303, texts(answer)
    number = answer.headers["Location"].rpartition("/")[2]
    assert storage.tickets.load("testdesk", number).customer.contact == contact
    shown = browser.get(f"tickets/{number}")
    assert "查看来电与录音" in texts(shown)
    assert f"tickets/{number}" in browser.get("new").body


# Contacts


@pytest.fixture
def review(storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """CS1, about which agent-2 has to call its customer back."""
    file_ticket(storage, playbook, "CS1")
    for command in (
        c.Assign("technical", "agent-1", by_person=True),
        c.Resolve("好了"),
        c.AnswerSurvey(score=1, comment="差"),
        c.AssignReview("agent-2"),
    ):
        change(storage, "testdesk", "CS1", command, playbook, NOON, actor="supervisor-1")
    monkeypatch.setattr(unseal_client, "unseal", lambda *_: {"contact": "13800138000"})
    return storage


@pytest.mark.requirement("G4")
@pytest.mark.parametrize("script", [False, True])
def test_a_contact_is_shown_for_a_minute_against_a_recorded_act(
    review: Storage, signed_in: SignedIn, script: bool
) -> None:
    browser = Browser(signed_in("agent-2"))
    asked = browser.get("contacts/CS1", script=script)
    assert "13800138000" not in asked.body
    assert "每次查看都会记录" in texts(asked)
    shown = browser.post("contacts/CS1", script=script, reason="回访")
    assert "13800138000" in shown.body
    assert 'data-seconds="60"' in shown.body
    assert ('http-equiv="refresh" content="60;' in shown.body) is not script
    acts = [
        a
        for commit in review.tickets.history("testdesk", "CS1")
        for a in commit.of(e.ContactOpened)
    ]
    assert [act.reason for act in acts] == ["回访"]


@pytest.mark.requirement("G4")
def test_a_contact_needs_a_reason_and_a_right(review: Storage, signed_in: SignedIn) -> None:
    asked = Browser(signed_in("agent-2")).post("contacts/CS1", reason=" ")
    assert "此项必填" in texts(asked) or 'id="contact-error"' in asked.body
    with pytest.raises(Forbidden):
        Browser(signed_in("agent-3")).post("contacts/CS1", reason="好奇")
    opened = [c for c in review.tickets.history("testdesk", "CS1") if c.of(e.ContactOpened)]
    assert opened == []
