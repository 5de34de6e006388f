"""A desk whose agents write drafts: helpers of the tests of drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from functions.core.domain import commands as c
from functions.core.domain.drafts import Frame
from functions.core.domain.events import ReplySent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.drafts import DraftDesk, TypedDraft
from functions.core.services.rights import Principal
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON, agent, file_ticket

if TYPE_CHECKING:
    from functions.core.storage.files import Files

ROOT = bytes(range(32))


def draft_desk(storage: Storage) -> DraftDesk:
    """Return the service on a table, with a seal that keeps what it gets."""
    return DraftDesk(
        storage,
        cast("Files", None),
        lambda: ROOT,
        lambda: "https://desk.example.com",
        lambda desk, number, document: (b"sealed:" + document,),
    )


def principal(storage: Storage, username: str = "agent-1") -> Principal:
    """Return somebody of the roster, who is put there first."""
    found = storage.roster.get("testdesk", username)
    if found is None:
        found = agent(username, display_name=f"客服-{username}")
        storage.roster.put(found)
    return Principal(username, "testdesk", found)


def handled(storage: Storage, playbook: Playbook, number: str = "CS1") -> Ticket:
    """Return a ticket that `agent-1` handles."""
    principal(storage)
    file_ticket(storage, playbook, number)
    return assigned(storage, playbook, number, "agent-1")


def assigned(storage: Storage, playbook: Playbook, number: str, to: str) -> Ticket:
    command = c.Assign("technical", to, by_person=True)
    return change(storage, "testdesk", number, command, playbook, NOON, actor="lead")


def written(
    text: str, seen: int, based_on: int = 0, frame: Frame = "reply", other: str = ""
) -> TypedDraft:
    return TypedDraft(frame, text, other, (), seen, based_on)


def replies(storage: Storage, number: str = "CS1") -> list[tuple[str, str]]:
    """Return who answered what on a ticket."""
    return [
        (commit.actor, event.text)
        for commit in storage.tickets.history("testdesk", number)
        for event in commit.of(ReplySent)
    ]
