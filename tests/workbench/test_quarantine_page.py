"""The pages of what was not processed."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from functions.core.domain.errors import Forbidden, NotFound
from functions.core.domain.rules import Locale
from functions.core.storage.database import Storage
from tests.administration.quarantined import (
    INFECTED,
    VIRUS,
    hold_mail,
    make_quarantine,
    put_dead_letter,
    queued,
    record_of,
)
from tests.workbench.administering import administer_here
from tests.workbench.conftest import SignedIn
from tests.workbench.pages import Browser, below, texts

pytestmark = pytest.mark.requirement("H4")


@pytest.fixture
def browser(storage: Storage, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch) -> Browser:
    make_quarantine()
    administer_here(monkeypatch, storage)
    return Browser(signed_in("supervisor-1"))


def entry(entry_id: str) -> str:
    return f"quarantine/entry?id={quote(entry_id, safe='')}"


@pytest.mark.parametrize(
    ("locale", "cause", "fault"),
    [
        ("zh-CN", "疑似垃圾邮件", "分派 · 工单 CS1 处理时出错"),
        ("en", "taken for spam", "Routing · Ticket CS1 an error while it was processed"),
    ],
)
def test_the_list_says_what_waits_masked(
    browser: Browser, locale: Locale, cause: str, fault: str
) -> None:
    browser.locale = locale
    hold_mail("one")
    put_dead_letter("router", record_of("testdesk"))
    shown = browser.get("quarantine")
    said = texts(shown)
    assert f"138****8000 w***@e***.com {cause}" in said
    assert fault in said
    assert "13800138000" not in shown.body
    assert "wang@" not in shown.body


@pytest.mark.parametrize(
    ("address", "said"),
    [("quarantine", "没有需要处理的内容"), ("quarantine?discarded=1", "还没有丢弃过")],
)
def test_an_empty_list_says_so(browser: Browser, address: str, said: str) -> None:
    assert said in texts(browser.get(address))


def test_the_whole_text_is_shown_by_a_recorded_act_alone(browser: Browser) -> None:
    """As text: no markup of a mail has an effect, and no control character is hidden."""
    one = hold_mail(
        "one", subject="<b>13800138000", text="<script>alert(1)</script> \u202eexe.txt 昨天"
    )
    masked = browser.get(entry(one))
    assert "昨天" not in masked.body
    assert "&lt;b&gt;138****8000" in masked.body
    whole = browser.post(entry(one), action="show", id=one)
    assert whole.status == 200
    assert "<script>alert" not in whole.body
    assert "&lt;script&gt;alert(1)" in whole.body
    assert "\\u202eexe.txt 昨天" in whole.body
    assert "wang@example.com" in whole.body


def test_a_mail_is_released_once(browser: Browser) -> None:
    one = hold_mail("one")
    for done in ("replayed", "gone"):
        answer = browser.post(entry(one), action="replay", id=one)
        assert answer.status == 303
        assert below(answer.headers["Location"]) == f"quarantine?done={done}"
    assert len(queued()) == 1
    assert "已重新处理" in texts(browser.get("quarantine?done=replayed"))


def test_a_virus_needs_a_confirmation(browser: Browser) -> None:
    one = hold_mail("one", cause=VIRUS, receipt=INFECTED)
    assert "required> 邮件中有病毒" in browser.get(entry(one)).body
    refused = browser.post(entry(one), action="replay", id=one)
    assert refused.status == 409
    assert "请先核查，再确认放行" in texts(refused)
    assert queued() == []
    assert browser.post(entry(one), action="replay", id=one, even_infected="1").status == 303
    assert [message["even_infected"] for message in queued()] == [True]


def test_discarding_needs_a_reason_and_can_be_undone(browser: Browser) -> None:
    one = hold_mail("one")
    refused = browser.post(entry(one), action="discard", id=one, reason=" ")
    assert refused.status == 400
    assert 'href="#reason"' in refused.body
    assert 'aria-invalid="true"' in refused.body
    assert browser.post(entry(one), action="discard", id=one, reason="广告").status == 303
    assert "没有需要处理的内容" in texts(browser.get("quarantine"))
    listed = browser.get("quarantine?discarded=1")
    assert "supervisor-1: 广告" in texts(listed)
    again = "discarded/testdesk/one"
    assert 'value="discard"' not in browser.get(entry(again)).body
    assert browser.post(entry(again), action="replay", id=again).status == 303
    assert len(queued()) == 1


def test_a_failed_replay_says_why(browser: Browser) -> None:
    letter = put_dead_letter("router", record_of("testdesk"))
    refused = browser.post(entry(letter), action="replay", id=letter)
    assert refused.status == 409
    assert "死信中没有原始记录" in texts(refused)


def test_many_entries_have_pages(browser: Browser) -> None:
    for n in range(26):
        hold_mail(f"m{n:02}")
    first = browser.get("quarantine")
    assert first.body.count("<tr>") == 26
    assert 'rel="next"' in first.body
    following = first.body.partition("quarantine?after=")[2].partition('"')[0]
    last = browser.get(f"quarantine?after={following}")
    assert last.body.count("<tr>") == 2
    assert "第一页" in texts(last)


def test_the_next_page_of_what_was_discarded_has_the_same(browser: Browser) -> None:
    for n in range(26):
        one = hold_mail(f"m{n:02}")
        browser.post(entry(one), action="discard", id=one, reason="广告")
    first = browser.get("quarantine?discarded=1")
    address = re.findall(r'href="/workbench/testdesk/([^"]*after=[^"]*)"', first.body)[0]
    last = browser.get(unescape(address))
    assert last.body.count("supervisor-1: 广告") == 1


def test_others_may_not_open_it_and_unknown_entries_are_not_found(
    browser: Browser, signed_in: SignedIn
) -> None:
    with pytest.raises(NotFound):
        browser.get(entry("quarantine/other/one"))
    with pytest.raises(Forbidden):
        Browser(signed_in("agent-1")).get("quarantine")
