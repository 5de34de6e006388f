"""Save drafts, and send them: once, ten seconds later, and never past what has come since (H3).

What is sent becomes the draft's `outgoing`. The page carries it out after ten seconds or when it is
closed, the sweep what is left; all do it under the same idempotency key. Whatever cannot be
carried out is a draft again, with the reason.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain import events as e
from functions.core.domain.drafts import (
    MAX_DRAFT,
    RETRIED_AFTER,
    TAKE_BACK_WITHIN,
    Draft,
    Frame,
    Outgoing,
    frame_of,
)
from functions.core.domain.errors import (
    Conflict,
    FieldError,
    Forgotten,
    InvalidInput,
    Phrase,
    Refused,
    StaleVersion,
    Unauthorised,
)
from functions.core.services import agent_actions
from functions.core.services.rights import (
    ANY_DESK,
    SEES_TICKETS,
    Caller,
    Principal,
    principal_of,
    require,
)
from functions.core.text.error_texts import translated

if TYPE_CHECKING:
    from functions.core.domain.rules import Locale, Playbook
    from functions.core.domain.ticket import Ticket
    from functions.core.services.contacts import ContactCorrector
    from functions.core.storage.database import Storage
    from functions.core.storage.files import Files
    from functions.core.text.unmasking import Seal

TRIES = 6
"""Writes of a draft that others keep changing before a conflict reaches the caller."""

ACTIONS = frozenset({"reply", "request-info", "note"})
"""The actions whose text is drafted."""

MOST_SHOWN = 20
"""The newest commits in which a sender is shown what has come since."""

NEWS = (
    e.CustomerWrote,
    e.ReplySent,
    e.InformationRequested,
    e.NoteAdded,
    e.StepTaken,
    e.TicketResolved,
    e.TicketReopened,
    e.TicketClosed,
    e.TicketMerged,
    e.ConfirmationGiven,
    e.ContactCorrected,
)
"""The events that may change an answer. Deadlines and tags do not, and whoever does not handle the
ticket any more cannot send."""


class StaleDraft(StaleVersion, title="The draft has changed"):
    """The draft was changed in another window of the agent: `stored` is what is there now."""

    def __init__(self, stored: Draft) -> None:
        super().__init__("This draft was changed in another window.")
        self.stored = stored


class MovedOn(StaleVersion):
    """The ticket has moved on since the agent began to write."""

    def __init__(self, ticket: Ticket, commits: Sequence[e.Commit]) -> None:
        super().__init__(
            "The ticket has changed since this was written. Look at what has come, then send it."
        )
        self.ticket, self.commits = ticket, commits


@dataclass(frozen=True)
class TypedDraft:
    """The content of a browser window: the texts, and the versions that they are based on.

    Attributes:
        seen: the version of the ticket when the agent began to write.
        based_on: the edition of the draft that the window shows.
    """

    frame: Frame
    text: str
    other: str
    files: tuple[str, ...]
    seen: int
    based_on: int


@dataclass(frozen=True)
class Carried:
    """The outcome: the ticket after it, or None and the draft with the reason if it was refused."""

    draft: Draft | None
    ticket: Ticket | None = None
    refused: Refused | None = None


@dataclass(frozen=True)
class DraftDesk:
    """The drafts of a desk's agents, and what is needed to send them.

    Attributes:
        root: returns the deployment's root key.
    """

    storage: Storage
    files: Files
    root: Callable[[], bytes]
    public_url: Callable[[], str]
    seal_outgoing: Seal

    def get(self, principal: Principal, number: str) -> Draft | None:
        """Return the caller's draft on a ticket."""
        return self._get(principal.desk, number, principal.username)

    def save(self, principal: Principal, number: str, written: TypedDraft, now: datetime) -> Draft:
        """Store what the agent has written.

        Raises:
            NotFound, Forbidden: there is no such ticket, or the caller sees none.
            Forgotten: its customer was erased.
            StaleDraft: another window of the agent has stored something else meanwhile.
        """
        require(principal, SEES_TICKETS, Phrase("see tickets"))
        self._load(principal, number)
        return self._save(principal, number, written, now)

    def _save(self, principal: Principal, number: str, written: TypedDraft, now: datetime) -> Draft:
        if max(len(written.text), len(written.other)) > MAX_DRAFT:
            wrong = FieldError(
                "text", Phrase("{max_length} characters at most", max_length=MAX_DRAFT)
            )
            raise InvalidInput("Some fields are invalid.", (wrong,))
        given = {
            "frame": written.frame,
            "text": written.text,
            "other": written.other,
            "files": written.files,
            "seen": written.seen,
        }
        for _ in range(TRIES):
            stored = self.get(principal, number)
            before = stored or Draft(
                desk=principal.desk, number=number, agent=principal.username, saved_at=now
            )
            # What is there already is no contradiction, as when an answer was lost on its way.
            if stored and all(getattr(stored, name) == value for name, value in given.items()):
                return stored
            if before.edition > written.based_on:
                raise StaleDraft(before)
            after = before.changed(**given, saved_at=now, reason={}, edition=before.edition + 1)
            if saved := self._put(after, now):
                return saved
        raise Conflict(f"the draft on {number} is being changed all the time")

    def adopt(self, principal: Principal, merged: str, now: datetime) -> None:
        """End the draft on a merged ticket: its text goes on as that on the merge target."""
        for _ in range(TRIES):
            draft = self.get(principal, merged)
            if draft is None or draft.is_empty:
                return
            ended = draft.changed(text="", other="", files=(), outgoing=None, reason={})
            if self._put(ended, now):
                return

    def send(
        self,
        principal: Principal,
        playbook: Playbook,
        number: str,
        action: str,
        written: TypedDraft,
        now: datetime,
        *,
        insist: bool = False,
    ) -> Draft:
        """Store a text that is carried out in ten seconds unless it is taken back.

        What was sent before is carried out first.

        Args:
            insist: the agent has seen what has come since.

        Raises:
            MovedOn: something has come since the agent began to write.
            StaleDraft: as `save`; also if what was sent before is refused and a draft again.
            Refused: the action is not possible, as `agent_actions.act` says. The text is saved.
        """
        require(principal, SEES_TICKETS, Phrase("see tickets"))
        ticket = self._load(principal, number)
        draft = self._save(principal, number, written, now)
        if draft.outgoing is not None:
            carried = self.commit(principal, playbook, number, now)
            if carried.draft is None or carried.refused is not None:
                raise StaleDraft(carried.draft or draft)
            draft, ticket = carried.draft, self._load(principal, number)
        seen = written.seen or ticket.version
        if not insist and (news := self._news(ticket, seen, action, principal.username)):
            raise MovedOn(ticket, news)
        content = _content(draft.text, ())
        agent_actions.check(self._context(principal, playbook), ticket, action, content, now)
        outgoing = Outgoing(
            id=secrets.token_urlsafe(16),
            action=action,
            text=draft.text,
            files=draft.files,
            seen=ticket.version,
            send_at=now + TAKE_BACK_WITHIN,
        )
        if stored := self._put(draft.sent(outgoing), now):
            return stored
        raise StaleDraft(self.get(principal, number) or draft)

    def take_back(self, principal: Principal, number: str, id_: str, now: datetime) -> Draft | None:
        """Return the draft with the text that was sent; None if it is too late."""
        for _ in range(TRIES):
            draft = self.get(principal, number)
            if draft is None or draft.outgoing is None or draft.outgoing.id != id_:
                return None
            if draft.outgoing.begun:
                return None
            if stored := self._put(draft.taken_back(), now):
                return stored
        raise Conflict(f"the draft on {number} is being changed all the time")

    def commit(
        self,
        principal: Principal,
        playbook: Playbook,
        number: str,
        now: datetime,
        id_: str | None = None,
    ) -> Carried:
        """Carry out what was sent; once, whoever asks for it and however often.

        Args:
            id_: that of the text; None for whichever waits.

        Raises:
            TryAgain: the table is too busy; the sweep does it in a minute.
        """
        draft = self._begun(principal, number, now, id_)
        if draft is None or draft.outgoing is None:
            return Carried(self.get(principal, number))
        outgoing, context = draft.outgoing, self._context(principal, playbook)
        try:
            ticket = self._act(context, number, outgoing, now)
        except Refused as refused:
            if agent_actions.was_done(context, number, outgoing.id):
                ticket = self.storage.tickets.load(principal.desk, number)
            else:
                return Carried(self._return(draft, refused, now), refused=refused)
        return Carried(self._without_outgoing(draft, now), ticket)

    def commit_due(self, desk: str, number: str, username: str, now: datetime) -> bool:
        """Carry out what no page did, as the agent who sent it; return whether it was sent.

        Whoever has left the desk sends nothing: the text is a draft again.
        """
        draft = self._get(desk, number, username)
        if draft is None or draft.outgoing is None or draft.outgoing.send_at > now:
            return False  # the index lags behind
        playbook = self.storage.playbooks.get(desk, now)
        signed_in = Caller(username, frozenset({desk, ANY_DESK}))
        try:
            principal = principal_of(self.storage, signed_in, desk, now)
        except Unauthorised as refused:
            self._return(draft, refused, now)
            return False
        return self.commit(principal, playbook, number, now, draft.outgoing.id).ticket is not None

    def _begun(
        self, principal: Principal, number: str, now: datetime, id_: str | None
    ) -> Draft | None:
        """Begin to carry out: from now on it cannot be taken back; None if nothing waits."""
        for _ in range(TRIES):
            draft = self.get(principal, number)
            outgoing = draft.outgoing if draft else None
            if draft is None or outgoing is None or id_ not in (None, outgoing.id):
                return None
            if outgoing.begun:
                return draft
            begun = outgoing.model_copy(update={"begun": True, "send_at": now + RETRIED_AFTER})
            if stored := self._put(draft.changed(outgoing=begun), now):
                return stored
        raise Conflict(f"the draft on {number} is being changed all the time")

    def _act(
        self, context: agent_actions.ActionContext, number: str, outgoing: Outgoing, now: datetime
    ) -> Ticket:
        """Carry it out, without a version: its repetition must have the same body."""
        if not agent_actions.was_done(context, number, outgoing.id):
            ticket = self._load(context.principal, number)
            by = context.principal.username
            if news := self._news(ticket, outgoing.seen, outgoing.action, by):
                raise MovedOn(ticket, news)
        content = _content(outgoing.text, outgoing.files)
        return agent_actions.act(context, number, outgoing.action, content, now, outgoing.id)

    def _return(self, draft: Draft, refused: Refused, now: datetime) -> Draft | None:
        """Make a draft of what was refused, with the reason."""
        said = [each.message for each in getattr(refused, "errors", ())] or [refused.detail]
        reason: dict[Locale, str] = {
            "zh-CN": "；".join(translated(text, "zh-CN") for text in said),
            "en": "; ".join(translated(text, "en") for text in said),
        }
        return self._replace(draft, lambda newest: newest.taken_back(reason), now)

    def _without_outgoing(self, draft: Draft, now: datetime) -> Draft | None:
        def without(newest: Draft) -> Draft:
            after = newest.changed(outgoing=None)
            if after.text or not after.other:
                return after
            # What is left is in the other frame.
            frame: Frame = "note" if after.frame == "reply" else "reply"
            return after.changed(frame=frame, text=after.other, other="")

        return self._replace(draft, without, now)

    def _replace(
        self, draft: Draft, change: Callable[[Draft], Draft], now: datetime
    ) -> Draft | None:
        """Change the newest version of a draft, as long as it sends what `draft` does."""
        newest: Draft | None = draft
        for _ in range(TRIES):
            sends = newest.outgoing if newest else None
            if newest is None or sends is None or draft.outgoing is None:
                return newest
            if sends.id != draft.outgoing.id:
                return newest
            if stored := self._put(change(newest), now):
                return stored
            newest = self._get(draft.desk, draft.number, draft.agent)
        raise Conflict(f"the draft on {draft.number} is being changed all the time")

    def _put(self, draft: Draft, now: datetime) -> Draft | None:
        try:
            return self.storage.drafts.put(draft, self.root(), now)
        except Conflict:
            return None

    def _get(self, desk: str, number: str, username: str) -> Draft | None:
        return self.storage.drafts.get(desk, number, username, self.root())

    def _load(self, principal: Principal, number: str) -> Ticket:
        ticket = self.storage.tickets.load(principal.desk, number)
        if ticket.erased:
            raise Forgotten
        return ticket

    def _news(self, ticket: Ticket, seen: int, action: str, username: str) -> list[e.Commit]:
        """Return what others did since a version that may change an answer; a note may stand."""
        missed = ticket.version - seen
        if missed <= 0 or frame_of(action) == "note":
            return []
        desk, number, version = ticket.desk, ticket.number, ticket.version
        commits = self.storage.tickets.history_page(desk, number, version, min(missed, MOST_SHOWN))
        return [
            commit
            for commit in commits
            if commit.version > seen
            and commit.actor != username
            and any(isinstance(event, NEWS) for event in commit.events)
        ]

    def _context(self, principal: Principal, playbook: Playbook) -> agent_actions.ActionContext:
        return agent_actions.ActionContext(
            principal,
            playbook,
            self.storage,
            self.files,
            _no_corrector,
            self.public_url,
            self.seal_outgoing,
        )


def _no_corrector() -> ContactCorrector:
    raise AssertionError("no draft corrects a contact")


def _content(text: str, files: tuple[str, ...]) -> bytes:
    ids = [file.partition(" ")[0] for file in files]
    return json.dumps({"text": text, "attachments": ids}).encode()
