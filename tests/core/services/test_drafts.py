"""Drafts: never lost, never sent twice, never past what has come since."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.drafts import TAKE_BACK_WITHIN, Draft
from functions.core.domain.errors import (
    FieldError,
    Forbidden,
    Forgotten,
    InvalidInput,
    NotFound,
    Phrase,
)
from functions.core.domain.events import NoteAdded
from functions.core.domain.rules import Playbook
from functions.core.services import agent_actions
from functions.core.services.command_service import change
from functions.core.services.drafts import DraftDesk, MovedOn, StaleDraft
from functions.core.storage.database import Storage
from tests.core.draft_desk import assigned, draft_desk, handled, principal, replies, written
from tests.core.sample_desk import NOON, file_ticket

pytestmark = pytest.mark.requirement("H3")
LATER = NOON + TAKE_BACK_WITHIN


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> DraftDesk:
    storage.playbooks.put(playbook, NOON)
    return draft_desk(storage)


def customer_writes(storage: Storage, playbook: Playbook, number: str = "CS1") -> None:
    command = c.CustomerMessage("还是不行", "web")
    change(storage, "testdesk", number, command, playbook, NOON, actor="customer")


def test_a_draft_is_what_was_saved_last(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen = handled(storage, playbook).version
    me = principal(storage)
    assert desk.get(me, "CS1") is None
    first = desk.save(me, "CS1", written("您好", seen), NOON)
    second = desk.save(me, "CS1", written("您好，请", seen, first.edition, other="备忘"), LATER)
    assert desk.get(me, "CS1") == second
    assert (second.text, second.other, second.edition) == ("您好，请", "备忘", 2)
    assert desk.get(principal(storage, "agent-2"), "CS1") is None, "each agent has an own one"
    assert desk.save(me, "CS1", written("您好，请", seen, 1, other="备忘"), LATER) == second, (
        "an answer that was lost on its way is given again"
    )


def test_of_two_windows_the_later_does_not_overwrite_the_earlier(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    first = desk.save(me, "CS1", written("A", seen), NOON)
    desk.save(me, "CS1", written("A B", seen, first.edition), NOON)
    with pytest.raises(StaleDraft) as stale:
        desk.save(me, "CS1", written("A C", seen, first.edition), NOON)
    assert stale.value.stored.text == "A B"
    kept = desk.save(me, "CS1", written("A C", seen, stale.value.stored.edition), NOON)
    assert kept.text == "A C"


def test_nobody_saves_what_nobody_could_send(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    with pytest.raises(NotFound):
        desk.save(me, "CS9", written("A", 1), NOON)
    with pytest.raises(InvalidInput):
        desk.save(me, "CS1", written("A" * 20_001, seen), NOON)
    change(storage, "testdesk", "CS1", c.ErasePerson("asked"), playbook, NOON, actor="admin")
    with pytest.raises(Forgotten):
        desk.save(me, "CS1", written("A", seen), NOON)


def test_what_is_sent_goes_out_once_whoever_carries_it_out(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    """The page, the page that is closed and the sweep, one after another and overtaking."""
    seen, me = handled(storage, playbook).version, principal(storage)
    draft = desk.send(me, playbook, "CS1", "reply", written("已为您处理", seen), NOON)
    assert draft.outgoing is not None
    assert (draft.text, replies(storage)) == ("", [])
    begun = desk._begun(me, "CS1", LATER, None)
    assert begun is not None, "a page began, and was closed before it had an answer"
    for _ in range(2):
        desk.commit(me, playbook, "CS1", LATER, draft.outgoing.id)
        desk.commit_due("testdesk", "CS1", "agent-1", LATER + timedelta(minutes=2))
    assert replies(storage) == [("agent-1", "已为您处理")]
    after = desk.get(me, "CS1")
    assert after is not None
    assert after.is_empty


def test_one_who_overtakes_the_other_sends_nothing_twice(
    desk: DraftDesk, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep decides while the page has just sent: the customer has answered in between."""
    seen, me = handled(storage, playbook).version, principal(storage)
    draft = desk.send(me, playbook, "CS1", "reply", written("已为您处理", seen), NOON)
    real = agent_actions.act

    def slow(*arguments: Any) -> Any:
        monkeypatch.setattr(agent_actions, "act", real)
        desk.commit(me, playbook, "CS1", LATER)
        customer_writes(storage, playbook)
        return real(*arguments)

    monkeypatch.setattr(agent_actions, "act", slow)
    assert draft.outgoing is not None
    carried = desk.commit(me, playbook, "CS1", LATER)
    assert carried.ticket is not None
    assert replies(storage) == [("agent-1", "已为您处理")]
    assert desk.commit(me, playbook, "CS1", LATER, draft.outgoing.id).refused is None


def test_a_text_can_be_taken_back_until_it_is_carried_out(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    draft = desk.send(me, playbook, "CS1", "reply", written("一", seen), NOON)
    assert draft.outgoing is not None
    desk.save(me, "CS1", written("二", seen, draft.edition), NOON)
    back = desk.take_back(me, "CS1", draft.outgoing.id, NOON)
    assert back is not None
    assert (back.text, back.outgoing) == ("一\n\n二", None)
    desk.commit(me, playbook, "CS1", LATER)
    assert replies(storage) == []

    again = desk.send(me, playbook, "CS1", "reply", written("三", seen, back.edition), NOON)
    assert again.outgoing is not None
    desk.commit(me, playbook, "CS1", LATER)
    assert desk.take_back(me, "CS1", again.outgoing.id, LATER) is None, "too late"
    assert replies(storage) == [("agent-1", "三")]


def test_a_note_is_no_answer(desk: DraftDesk, storage: Storage, playbook: Playbook) -> None:
    """The texts of the two frames stay apart, whatever is sent or taken back."""
    seen, me = handled(storage, playbook).version, principal(storage)
    both = written("内部：已查流水", seen, frame="note", other="您好")
    draft = desk.send(me, playbook, "CS1", "note", both, NOON)
    assert draft.outgoing is not None
    back = desk.take_back(me, "CS1", draft.outgoing.id, NOON)
    assert back is not None
    assert (back.frame, back.text, back.other) == ("note", "内部：已查流水", "您好")
    both = written("内部：已查流水", seen, back.edition, frame="note", other="您好")
    desk.send(me, playbook, "CS1", "note", both, NOON)
    left = desk.commit(me, playbook, "CS1", LATER).draft
    assert left is not None
    assert (left.frame, left.text, left.other) == ("reply", "您好", "")
    assert replies(storage) == []
    notes = [
        n for commit in storage.tickets.history("testdesk", "CS1") for n in commit.of(NoteAdded)
    ]
    assert [note.text for note in notes] == ["内部：已查流水"]


def test_a_second_message_waits_for_nothing(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    first = desk.send(me, playbook, "CS1", "reply", written("一", seen), NOON)
    second = desk.send(me, playbook, "CS1", "reply", written("二", seen, first.edition), NOON)
    assert replies(storage) == [("agent-1", "一")]
    assert second.outgoing is not None
    desk.commit(me, playbook, "CS1", LATER)
    assert replies(storage) == [("agent-1", "一"), ("agent-1", "二")]


def test_sending_shows_what_has_come_since_and_drops_nothing(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    customer_writes(storage, playbook)
    with pytest.raises(MovedOn) as moved:
        desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    assert [commit.actor for commit in moved.value.commits] == ["customer"]
    kept = desk.get(me, "CS1")
    assert kept is not None
    assert (kept.text, kept.outgoing) == ("已恢复", None)
    sent = desk.send(
        me, playbook, "CS1", "reply", written("已恢复", seen, kept.edition), NOON, insist=True
    )
    assert sent.outgoing is not None
    desk.commit(me, playbook, "CS1", LATER)
    assert replies(storage) == [("agent-1", "已恢复")]


def test_what_comes_within_the_ten_seconds_holds_it_back(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    customer_writes(storage, playbook)
    assert not desk.commit_due("testdesk", "CS1", "agent-1", LATER)
    kept = desk.get(me, "CS1")
    assert kept is not None
    assert (kept.text, kept.outgoing, replies(storage)) == ("已恢复", None, [])
    assert "又有变化" in kept.reason["zh-CN"]


def test_a_draft_survives_reassignment_and_says_why_it_is_not_sent(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    draft = desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    principal(storage, "agent-2")
    assigned(storage, playbook, "CS1", "agent-2")
    carried = desk.commit(me, playbook, "CS1", LATER)
    assert carried.refused is not None
    assert carried.draft is not None
    assert (carried.draft.text, replies(storage)) == ("已恢复", [])
    seen = storage.tickets.load("testdesk", "CS1").version
    with pytest.raises(Forbidden):
        desk.send(
            me, playbook, "CS1", "reply", written("已恢复", seen, carried.draft.edition), NOON
        )
    kept = desk.get(me, "CS1")
    assert kept is not None
    assert kept.text == "已恢复"
    assert kept.edition > draft.edition


def test_a_draft_of_a_closed_ticket_is_kept(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    change(storage, "testdesk", "CS1", c.Close("duplicate"), playbook, NOON, actor="lead")
    refused = desk.commit(me, playbook, "CS1", LATER)
    assert refused.draft is not None
    assert refused.draft.text == "已恢复"
    assert refused.draft.reason


def test_the_reason_of_a_refusal_says_what_is_wrong(
    desk: DraftDesk, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that there are errors elsewhere, which nobody can see in a draft."""
    seen, me = handled(storage, playbook).version, principal(storage)
    desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)

    def refuse(*_: object) -> None:
        wrong = FieldError("text", Phrase("{max_length} characters at most", max_length=2))
        raise InvalidInput("Some fields are invalid.", (wrong,))

    monkeypatch.setattr(agent_actions, "act", refuse)
    kept = desk.commit(me, playbook, "CS1", LATER).draft
    assert kept is not None
    assert kept.reason == {"zh-CN": "最多 2 个字", "en": "2 characters at most"}


def test_a_draft_of_a_merged_ticket_goes_on_on_its_target(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    file_ticket(storage, playbook, "CS2")
    assigned(storage, playbook, "CS2", "agent-1")
    change(storage, "testdesk", "CS1", c.Merge("CS2", "twice"), playbook, NOON, actor="agent-1")
    refused = desk.commit(me, playbook, "CS1", LATER)
    assert refused.refused is not None
    found = storage.drafts.of("testdesk", ("CS2", "CS1"), "agent-1", desk.root())
    assert {number: draft.text for number, draft in found.items()} == {"CS1": "已恢复"}
    seen = storage.tickets.load("testdesk", "CS2").version
    desk.save(me, "CS2", written("已恢复", seen), LATER)
    desk.adopt(me, "CS1", LATER)
    left = desk.get(me, "CS1")
    assert left is not None
    assert left.is_empty


def test_whoever_has_left_the_desk_sends_nothing(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    storage.roster.set_active("testdesk", "agent-1", active=False)
    storage.roster.cache.clear()
    assert not desk.commit_due("testdesk", "CS1", "agent-1", LATER)
    kept = desk.get(me, "CS1")
    assert kept is not None
    assert (kept.text, kept.outgoing, replies(storage)) == ("已恢复", None, [])


def test_an_open_gap_is_refused_while_the_agent_is_there(
    desk: DraftDesk, storage: Storage, playbook: Playbook
) -> None:
    seen, me = handled(storage, playbook).version, principal(storage)
    with pytest.raises(InvalidInput):
        desk.send(me, playbook, "CS1", "reply", written("订单【请填写：order】", seen), NOON)
    kept = desk.get(me, "CS1")
    assert kept is not None
    assert (kept.text, kept.outgoing) == ("订单【请填写：order】", None)


def test_a_draft_that_waits_for_nothing_is_not_taken_back() -> None:
    draft = Draft(desk="d", number="1", agent="a", text="A", saved_at=NOON)
    assert draft.taken_back() == draft
