"""The composer's page: drafts, sending, taking back, and what it says where nothing can be sent."""

import json
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from tests.core.draft_desk import ROOT, draft_desk, replies
from tests.core.sample_desk import NOON, file_ticket
from tests.workbench.composing import Window
from tests.workbench.conftest import NUMBER, SignedIn

pytestmark = pytest.mark.requirement("H3")
TEXT = "您好，请打 13800138000"


@pytest.fixture
def window(
    storage: Storage, playbook: Playbook, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> Window:
    """A window of the agent who handles the ticket."""
    monkeypatch.setattr(aws, "root_key", lambda deployment: ROOT)
    monkeypatch.setattr(container, "drafts", lambda deployment: draft_desk(storage))
    file_ticket(storage, playbook, NUMBER)
    signed_in("supervisor-1").act("assign", agent="agent-1")
    return Window(storage, playbook, signed_in)


def version(window: Window, number: str = NUMBER) -> int:
    return window.storage.tickets.load("testdesk", number).version


def command(window: Window, done: c.Command, number: str = NUMBER, actor: str = "lead") -> None:
    change(window.storage, "testdesk", number, done, window.playbook, NOON, actor=actor)


def customer_writes(window: Window, text: str) -> None:
    command(window, c.CustomerMessage(text, "web"), actor="customer")


def test_what_was_typed_is_there_again_and_sealed(window: Window) -> None:
    saved = window.drafts(text=TEXT, other="备忘", frame="reply", draft=0, version=version(window))
    assert (saved["draft"], saved["saved"], saved["outgoing"]) == (1, "12:00", None)
    html = window.composer()
    assert TEXT in html
    assert 'data-other="备忘"' in html
    assert "已保存 12:00" in html
    items = str(window.storage.tickets.items("testdesk", NUMBER))
    assert "13800138000" not in items
    assert "备忘" not in items
    assert json.loads(json.dumps(window.get(f"drafts/{NUMBER}").body))["text"] == TEXT


def test_the_suggestion_stands_in_the_composer_until_somebody_has_answered(window: Window) -> None:
    html = window.composer()
    assert "data-suggested" in html
    assert "点击“忘记密码”" in html
    assert "知识库：密码找回" in html
    window.drafts(text="自己写的", draft=0, version=version(window))
    assert "点击“忘记密码”" not in window.composer()
    window.drafts(text="自己写的", draft=1, version=version(window), send=1, action="reply")
    window.drafts("/commit")
    assert "data-suggested" not in window.composer()


def test_a_text_is_sent_once_and_can_be_taken_back_before(window: Window) -> None:
    sent = window.drafts(text=TEXT, draft=0, version=version(window), send=1, action="reply")
    assert sent["outgoing"]["seconds"] == 10
    assert sent["text"] == ""
    assert "data-outgoing" in window.composer(), "another window can take it back too"
    window.seconds = 4
    back = window.drafts("/undo", id=sent["outgoing"]["id"])
    assert (back["text"], back["outgoing"]) == (TEXT, None)
    sent = window.drafts(
        text=TEXT, draft=back["draft"], version=version(window), send=1, action="request-info"
    )
    window.seconds = 14
    id_ = sent["outgoing"]["id"]
    done = window.drafts("/commit", id=id_)
    assert (done["sent"], done["version"], done["text"]) == (True, version(window), "")
    assert window.drafts("/commit", id=id_)["version"] == 0, "nothing waits any more"
    assert window.drafts("/undo", 409, id=id_)["sent"]
    assert window.storage.tickets.load("testdesk", NUMBER).status == "awaiting_customer"
    assert 'data-draft="' in window.composer()
    assert TEXT not in window.composer()


@pytest.mark.parametrize("was_stored", [False, True])
def test_what_a_closing_page_was_sending_is_sent_at_once(window: Window, was_stored: bool) -> None:
    """The call that the closing of the page ended may have been stored or not."""
    sending: Any = {"text": TEXT, "draft": 0, "version": version(window), "action": "reply"}
    if was_stored:
        assert window.drafts(**sending, send=1)["outgoing"]
    assert window.drafts("/leaving", **sending)["sent"]
    assert len(replies(window.storage, NUMBER)) == 1
    assert window.drafts("/leaving", **sending)["sent"] is not None
    assert len(replies(window.storage, NUMBER)) == 1


def test_what_came_since_is_shown_first(window: Window) -> None:
    seen = version(window)
    customer_writes(window, "<b>又扣了一次</b>")
    moved = window.drafts("", 409, text=TEXT, draft=0, version=seen, send=1, action="reply")
    assert moved["moved"]
    assert "&lt;b&gt;又扣了一次&lt;/b&gt;" in moved["html"]
    assert "仍要发送" in moved["html"]
    assert "客户 · " in moved["html"]
    assert moved["text"] == TEXT
    again: Any = {"text": TEXT, "draft": moved["draft"], "action": "reply", "send": 1}
    assert window.drafts(**again, version=seen, insist=1)["outgoing"]
    customer_writes(window, "还在吗")
    held = window.drafts("/commit", 409)
    assert "还在吗" in held["html"]
    assert held["text"] == TEXT
    assert replies(window.storage, NUMBER) == []
    assert window.drafts(
        text=TEXT, draft=held["draft"], version=held["version"], send=1, action="reply"
    )["outgoing"], "who has seen it sends without being asked again"


def test_a_note_may_stand_whatever_came_since(window: Window) -> None:
    seen = version(window)
    customer_writes(window, "又扣了一次")
    sent = window.drafts(text="已查", frame="note", draft=0, version=seen, send=1, action="note")
    assert sent["outgoing"]["action"] == "note"


def test_the_other_window_is_told(window: Window) -> None:
    window.drafts(text="一", draft=0, version=version(window))
    window.drafts(text="一二", draft=1, version=version(window))
    told = window.drafts("", 409, text="一三", draft=1, version=version(window))
    assert told["conflict"]
    assert "一二" in told["html"]
    assert window.drafts(text="一三", draft=told["draft"], version=version(window))["draft"] == 3


def test_a_refusal_says_why_and_keeps_the_text(window: Window) -> None:
    refused = window.drafts(
        "", 400, text="订单【请填写：order】", draft=0, version=version(window), send=1,
        action="reply",
    )  # fmt: skip
    assert refused["refused"]
    assert "没有发送" in refused["html"]
    assert refused["text"] == "订单【请填写：order】"
    assert window.get(f"drafts/{NUMBER}").body["text"] == "订单【请填写：order】"


@pytest.mark.parametrize("action", ["", "close", "open-contact"])
def test_only_texts_are_sent_from_drafts(window: Window, action: str) -> None:
    window.drafts("", 400, text="一", draft=0, version=version(window), send=1, action=action)
    assert window.storage.tickets.load("testdesk", NUMBER).status == "assigned"


def test_whoever_does_not_handle_the_ticket_reads_why(window: Window) -> None:
    window.drafts(text=TEXT, draft=0, version=version(window))
    window.signed_in("supervisor-1").act("assign", agent="agent-2")
    html = window.composer()
    assert TEXT in html
    assert "只有处理人可以回复" in html
    assert 'value="reply" class' not in html


def test_an_unassigned_ticket_is_offered(window: Window) -> None:
    file_ticket(window.storage, window.playbook, "CS2")
    command(window, c.Enqueue("technical", "waiting"), "CS2")
    html = window.composer("CS2")
    assert "领取之后即可发送" in html
    assert 'name="action" value="take"' in html
    assert 'form="composer-take">领取</button>' in html


def test_a_draft_of_a_merged_ticket_is_found_on_its_target(window: Window) -> None:
    window.drafts(text=TEXT, draft=0, version=version(window))
    file_ticket(window.storage, window.playbook, "CS2")
    window.signed_in("supervisor-1").act("assign", "CS2", agent="agent-1")
    command(window, c.Merge("CS2", "twice"))
    html = window.composer("CS2")
    assert TEXT in html
    assert f'data-merged-from="{NUMBER}"' in html
    assert "在 CS2 上继续" in window.composer()
    window.drafts(
        text=TEXT, draft=0, version=version(window, "CS2"), merged_from=NUMBER, number="CS2"
    )
    html = window.composer("CS2")
    assert TEXT in html
    assert 'data-merged-from=""' in html
    assert TEXT not in window.composer()


def test_both_drafts_of_merged_tickets_are_offered(window: Window) -> None:
    window.drafts(text="第一份", draft=0, version=version(window))
    file_ticket(window.storage, window.playbook, "CS2")
    window.signed_in("supervisor-1").act("assign", "CS2", agent="agent-1")
    window.drafts(text="第二份", draft=0, version=version(window, "CS2"), number="CS2")
    command(window, c.Merge("CS2", "twice"))
    html = window.composer("CS2")
    assert "第二份</textarea>" in html
    assert f"已合并的 {NUMBER} 上有您的草稿" in html
    assert "第一份" in html


def test_a_closed_ticket_keeps_the_draft_and_says_why(window: Window) -> None:
    sent = window.drafts(text=TEXT, draft=0, version=version(window), send=1, action="reply")
    command(window, c.Close("duplicate"))
    window.drafts("/commit", 409, id=sent["outgoing"]["id"])
    html = window.composer()
    assert TEXT in html
    assert "没有发送" in html
    assert "现在不能回复" in html


def test_a_text_message_is_counted_with_what_surrounds_it(window: Window) -> None:
    html = window.composer()
    assert "（短信）" in html
    assert "max_parts" in html


def test_files_wait_with_the_text(window: Window) -> None:
    files = ["AAAAAAAAAAAAAAAAAAAAAA 回执.pdf"]
    saved = window.drafts(text=TEXT, draft=0, version=version(window), files=files)
    assert saved["files"] == files
    assert 'data-file="AAAAAAAAAAAAAAAAAAAAAA 回执.pdf"' in window.composer()
    window.drafts("", 400, text=TEXT, draft=1, version=1, files=["x"] * 50)
