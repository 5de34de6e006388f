"""The command service: retries after conflicts, refusals of stale versions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import (
    ActionNotAllowed,
    AgentAtCapacity,
    Conflict,
    NotFound,
    StaleVersion,
)
from functions.core.domain.events import NoteAdded
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from functions.core.services.command_service import TRIES, change
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from tests.core.sample_desk import DESK, NOON, agent, file_ticket


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """A desk with a new ticket, CS1."""
    storage.roster.put(agent())
    file_ticket(storage, playbook, "CS1")
    return storage


def carry_out(storage: Storage, playbook: Playbook, command: c.Command, **options: Any) -> Ticket:
    return change(storage, "testdesk", "CS1", command, playbook, NOON, actor="agent-1", **options)


@pytest.fixture
def overtake(
    desk: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> Callable[[c.Command], None]:
    """Carry a command out between the next change's reading and its commit."""

    def overtake(command: c.Command) -> None:
        load = desk.tickets.load

        def load_while_another_writes(name: str, number: str) -> Ticket:
            found = load(name, number)
            monkeypatch.setattr(desk.tickets, "load", load)
            carry_out(desk, playbook, command)
            return found

        monkeypatch.setattr(desk.tickets, "load", load_while_another_writes)

    return overtake


class TestConflicts:
    @pytest.mark.requirement("A14")
    def test_a_conflicting_command_is_decided_again_on_the_new_version(
        self, desk: Storage, playbook: Playbook, overtake: Callable[[c.Command], None]
    ) -> None:
        """The history has both changes in order."""
        overtake(c.SetPriority("high"))
        after = carry_out(desk, playbook, c.Note("看过"))
        assert (after.version, after.priority) == (3, "high")

    @pytest.mark.requirement("E11")
    def test_concurrent_commands_all_succeed(self, desk: Storage, playbook: Playbook) -> None:
        """None is lost or doubled."""

        def note(index: int) -> int:
            for _ in range(10):
                try:
                    return carry_out(desk, playbook, c.Note(f"{index}")).version
                except Conflict:
                    continue
            raise AssertionError("never got through")

        with ThreadPoolExecutor(4) as pool:
            versions = sorted(pool.map(note, range(12)))
        assert versions == list(range(2, 14))
        texts = [
            event.text for commit in desk.tickets.history("testdesk", "CS1")
            for event in commit.of(NoteAdded)
        ]  # fmt: skip
        assert sorted(texts) == sorted(str(index) for index in range(12))

    def test_a_command_that_is_no_longer_allowed_is_refused(
        self, desk: Storage, playbook: Playbook, overtake: Callable[[c.Command], None]
    ) -> None:
        overtake(c.Close("spam"))
        with pytest.raises(ActionNotAllowed):
            carry_out(desk, playbook, c.SetPriority("high"))

    def test_repeated_conflicts_end_in_an_error(
        self, desk: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried = []

        def lose(*arguments: Any, **options: Any) -> None:
            tried.append(1)
            raise Conflict("others were faster")

        monkeypatch.setattr(desk.tickets, "commit_all", lose)
        with pytest.raises(Conflict):
            carry_out(desk, playbook, c.Note("x"))
        assert len(tried) == TRIES


class TestVersions:
    def test_a_stale_version_is_refused(self, desk: Storage, playbook: Playbook) -> None:
        """A body may carry `version`; a stale one is 409."""
        carry_out(desk, playbook, c.Note("x"), expected=1)
        with pytest.raises(StaleVersion, match="version 1; the ticket is at version 2") as refused:
            carry_out(desk, playbook, c.Note("y"), expected=1)
        assert refused.value.status == 409

    def test_a_command_that_changes_nothing_writes_nothing(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        assert carry_out(desk, playbook, c.SetPriority("medium")).version == 1
        assert len(desk.tickets.history("testdesk", "CS1")) == 1

    def test_an_unknown_ticket_is_not_found(self, desk: Storage, playbook: Playbook) -> None:
        with pytest.raises(NotFound):
            change(desk, "testdesk", "CS9", c.Tick(), playbook, NOON, actor="system")


class TestMarkers:
    @pytest.mark.requirement("G1")
    def test_a_repeated_mail_joins_its_ticket_once(self, desk: Storage, playbook: Playbook) -> None:
        idempotency = IdempotencyRecord("testdesk", "mail", "<1@example.com>")
        message = c.CustomerMessage("还有", "mail")
        carry_out(desk, playbook, message, idempotency=idempotency)
        with pytest.raises(Duplicate) as again:
            carry_out(desk, playbook, message, idempotency=idempotency)
        assert again.value.record is not None
        assert again.value.record.number == "CS1"
        assert desk.tickets.load("testdesk", "CS1").version == 2


@pytest.mark.requirement("A7")
class TestByHand:
    """A person may assign beyond an agent's capacity; the router may not."""

    @pytest.mark.parametrize("together", [False, True])
    def test_an_assignment_by_a_person_among_several_commands_is_recognised(
        self, desk: Storage, playbook: Playbook, together: bool
    ) -> None:
        desk.roster.put(agent("busy", capacity=1))
        desk.roster.set_presence("testdesk", "busy", online=False)

        def give(by_hand: bool) -> c.Command:
            assign = c.Assign("technical", "busy", by_person=by_hand)
            return c.CommandGroup((c.SetPriority("high"), assign)) if together else assign

        with pytest.raises(AgentAtCapacity):
            carry_out(desk, playbook, give(by_hand=False))
        assert carry_out(desk, playbook, give(by_hand=True)).handler == "busy"


class TestMasking:
    @pytest.mark.requirement("G4")
    def test_free_text_is_masked_even_if_the_caller_has_not(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        """The event's declaration is enough; a new caller cannot forget it."""
        ticket = carry_out(desk, playbook, c.Note("call 13800138000"))
        stored = desk.tickets.commit_at("testdesk", "CS1", ticket.version)
        assert stored is not None
        assert [note.text for note in stored.of(NoteAdded)] == ["call 138****8000"]

    def test_the_desk_s_own_contacts_stay_in_a_text(self, desk: Storage) -> None:
        own = load({**DESK, "fields": {"public_contacts": ["400-820-8820"]}})
        ticket = carry_out(desk, own, c.Note("400-820-8820, 13800138000"))
        stored = desk.tickets.commit_at("testdesk", "CS1", ticket.version)
        assert stored is not None
        assert [note.text for note in stored.of(NoteAdded)] == ["400-820-8820, 138****8000"]
