"""The sweep sends what agents sent and no page carried out."""

from datetime import timedelta

import pytest

from functions.core.domain.drafts import TAKE_BACK_WITHIN
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.sla_timer.sweep import SweepResult, sweep
from tests.core.draft_desk import draft_desk, handled, principal, replies, written
from tests.core.sample_desk import NOON

AFTER = NOON + timedelta(days=1)
pytestmark = pytest.mark.requirement("H3")


def swept(storage: Storage, seconds: float) -> SweepResult:
    at = NOON + timedelta(seconds=seconds)
    desk = draft_desk(storage)
    return sweep(storage, at, lambda: timedelta(minutes=1), draft_desk=lambda: desk)


def test_what_no_page_carried_out_is_sent_once(storage: Storage, playbook: Playbook) -> None:
    storage.playbooks.put(playbook, NOON)
    seen, desk = handled(storage, playbook).version, draft_desk(storage)
    desk.send(principal(storage), playbook, "CS1", "reply", written("已恢复", seen), NOON)
    assert swept(storage, TAKE_BACK_WITHIN.total_seconds() - 1).done == 0
    assert replies(storage) == []
    for seconds in (60, 120, 180):
        assert swept(storage, seconds).failed == 0
        assert replies(storage) == [("agent-1", "已恢复")]
    listed = [each.sk for shard in range(4) for each in storage.tickets.due(shard, AFTER)]
    assert [sk for sk in listed if sk.startswith("DRAFT#")] == []


def test_what_a_page_began_is_carried_on_a_minute_later(
    storage: Storage, playbook: Playbook
) -> None:
    storage.playbooks.put(playbook, NOON)
    seen, desk = handled(storage, playbook).version, draft_desk(storage)
    me = principal(storage)
    desk.send(me, playbook, "CS1", "reply", written("已恢复", seen), NOON)
    desk._begun(me, "CS1", NOON + timedelta(seconds=55), None)
    swept(storage, 60)
    assert replies(storage) == []
    assert swept(storage, 120).failed == 0
    assert replies(storage) == [("agent-1", "已恢复")]


def test_a_sweep_without_drafts_reads_none(storage: Storage, playbook: Playbook) -> None:
    """A saved draft costs nothing while it waits for its agent."""
    storage.playbooks.put(playbook, NOON)
    seen, desk = handled(storage, playbook).version, draft_desk(storage)
    desk.save(principal(storage), "CS1", written("以后再说", seen), NOON)

    def asked() -> object:
        raise AssertionError("nobody asked for drafts")

    at = NOON + timedelta(minutes=5)
    result = sweep(storage, at, lambda: timedelta(minutes=1), draft_desk=asked)  # type: ignore[arg-type]
    assert result.failed == 0


def test_a_draft_whose_ticket_is_gone_fails_alone(storage: Storage, playbook: Playbook) -> None:
    """A fault in one draft delays no other; it stays due."""
    storage.playbooks.put(playbook, NOON)
    desk = draft_desk(storage)
    for number in ("CS1", "CS2"):
        seen = handled(storage, playbook, number).version
        desk.send(principal(storage), playbook, number, "reply", written(number, seen), NOON)
    sealed = {"S": "not sealed by us"}
    storage.table.client.update_item(
        TableName=storage.table.name,
        Key={"pk": {"S": "TICKET#testdesk#CS1"}, "sk": {"S": "DRAFT#agent-1"}},
        UpdateExpression="SET sealed = :sealed",
        ExpressionAttributeValues={":sealed": sealed},
    )
    result = swept(storage, 60)
    assert result.failed == 1
    assert replies(storage, "CS2") == [("agent-1", "CS2")]
