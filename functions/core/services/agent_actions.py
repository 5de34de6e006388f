"""Agents' actions: turn the body of a request into a command and carry it out.

A command declares its action's body, rights and statuses (`functions.core.domain.commands`). Most
bodies become their command field by field: text is masked before it is stored (G4), and a term may
be given by its label. Actions that need storage to build their command have a builder here. A
desk's own steps are actions too; their fields are keys of the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, cast

from functions.core.domain import commands as c, events as e
from functions.core.domain.commands.base import LEADERS, TO_CUSTOMER, Body, BodyWithFiles, TermOf
from functions.core.domain.commands.conversation import OpenContactBody, OpenOriginalBody
from functions.core.domain.commands.customer import CorrectContactBody
from functions.core.domain.commands.routing import AssignBody
from functions.core.domain.commands.steps import StepBody
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    Forbidden,
    InvalidInput,
    KeyReused,
    NotFound,
    Phrase,
)
from functions.core.domain.lifecycle import Decided
from functions.core.domain.matching import find_term
from functions.core.domain.privacy import FREE_TEXT, TERM, declared
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Step, StepField
from functions.core.domain.ticket import Attachment, Ticket
from functions.core.services.command_service import (
    Decision,
    decide_all,
    require_version,
    retry_on_conflict,
)
from functions.core.services.links import base_url
from functions.core.services.rights import (
    Principal,
    is_offline,
    may_correct_contact,
    may_take_over,
    require,
    require_action,
    require_merge_right,
    require_step,
)
from functions.core.services.text_messages import by_text_message, require_short
from functions.core.storage.database import Storage
from functions.core.storage.files import Files
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.json_body import parse_model
from functions.core.text.masking import mask
from functions.core.text.unmasking import MessageMasker, Original

if TYPE_CHECKING:
    from functions.core.services.contacts import ContactCorrector
    from functions.core.text.unmasking import Seal


@dataclass(frozen=True)
class ActionContext:
    """The caller, the desk's playbook, and the dependencies of actions."""

    principal: Principal
    playbook: Playbook
    storage: Storage
    files: Files
    corrector: Callable[[], ContactCorrector]
    public_url: Callable[[], str]
    seal_outgoing: Seal


def act(
    context: ActionContext, number: str, action: str, content: bytes, now: datetime, key: str = ""
) -> Ticket:
    """Carry out an action and return the ticket after it.

    Args:
        content: the action's body, JSON.
        key: repeated, it carries out nothing and returns the ticket as it is (G1).

    Raises:
        KeyReused: the caller used the key before on this ticket with another action or body.
        NotFound: there is no such action or ticket.
        InvalidInput: the body or a file is invalid; the error names every invalid field.
        Forbidden: the caller lacks the right, in general or on this ticket.
        StaleVersion: the caller saw an older version.
        ActionNotAllowed: the ticket's status does not allow it.
        Conflict: others changed the ticket `TRIES` times in a row.
    """
    run = _run(context, action, content, now)
    principal = context.principal
    idempotency = _idempotency(principal, number, action, run.body, key)
    try:
        if idempotency and (stored := context.storage.idempotency.get(idempotency)):
            raise Duplicate(stored)
        ticket = retry_on_conflict(
            context.storage,
            principal.desk,
            number,
            run.decision,
            context.playbook,
            now,
            actor=principal.username,
            idempotency=idempotency,
            original=run.original,
        )
    except Duplicate as duplicate:
        if idempotency and duplicate.record and duplicate.record.body != idempotency.body:
            raise KeyReused(
                "This Idempotency-Key was used before with another body. "
                "Use a new key for a new request."
            ) from duplicate
        return context.storage.tickets.load(principal.desk, number)
    return _update_contact(context, ticket, run.command, now)


def check(
    context: ActionContext, ticket: Ticket, action: str, content: bytes, now: datetime
) -> bool:
    """Check an action as `act` does, and carry out nothing; return whether it changes anything.

    Files of the body would be accepted, so it should name none.

    Raises:
        NotFound, InvalidInput, Forbidden, StaleVersion, ActionNotAllowed: as `act`.
    """
    _, decided = _run(context, action, content, now).decision(ticket)
    return bool(decided)


def _run(context: ActionContext, action: str, content: bytes, now: datetime) -> _Run:
    """Read the body of an action.

    Raises:
        NotFound: there is no such action.
        InvalidInput: the body is invalid.
    """
    declared = c.agent_actions().get(action)
    step = None if declared else context.playbook.steps.get(action)
    if declared is None and step is None:
        known = (*c.agent_actions(), *context.playbook.steps)
        raise NotFound(
            Phrase(
                "There is no action '{action}' on this desk; it has {known}.",
                action=action,
                known=known,
            )
        )
    body = parse_model(declared.body if declared else StepBody, content)
    return _Run(context, action, step, body, now)


def was_done(context: ActionContext, number: str, key: str) -> bool:
    """Return whether the caller's action under a key was carried out (G1)."""
    record = _record(context.principal, number, key)
    return context.storage.idempotency.get(record) is not None


WITHOUT_KEY = frozenset({"open-contact", "open-original", "set-customer-class"})
"""Actions without a key: each look at a secret is recorded, and setting a class can be repeated."""


def _idempotency(
    principal: Principal, number: str, action: str, body: Body, key: str
) -> IdempotencyRecord | None:
    if not key or action in WITHOUT_KEY:
        return None
    digest = sha256(f"{action} {body.model_dump_json()}".encode()).hexdigest()
    return replace(_record(principal, number, key), body=digest)


def _record(principal: Principal, number: str, key: str) -> IdempotencyRecord:
    key = f"{principal.username}:{number}:{key}"
    return IdempotencyRecord(principal.desk, "action", key, number=number)


class _Run:
    """One request to carry out an action; `command` is that of the newest decision."""

    command: c.TicketCommand

    def __init__(
        self, context: ActionContext, action: str, step: Step | None, body: Body, now: datetime
    ) -> None:
        self.context = context
        self.action = action
        self.step = step
        self.body = body
        self.now = now
        hiding = MessageMasker(context.playbook.public_contacts)
        self.original = Original(hiding, context.seal_outgoing, "outgoing")
        self._files: tuple[Attachment, ...] | None = None

    def decision(self, ticket: Ticket) -> Decision:
        """Check rights and version, and decide the action on a ticket.

        Files that the body names are checked last, when nothing else is wrong.
        """
        context, body = self.context, self.body
        if self.step is None:
            ticket_for_rights = _ticket_for_rights(context, self.action, ticket)
            require_action(
                context.principal,
                self.action,
                ticket_for_rights,
                context.playbook,
                handler_is_offline=may_take_over(context.principal, self.action, ticket)
                and is_offline(context.storage, ticket),
            )
        else:
            require_step(context.principal, self.action, self.step, ticket)
        require_version(ticket, body.version)
        hiding = self.original.hiding
        self.command = _command(self.action, self.step, body, ticket, context, hiding)
        if isinstance(self.command, c.Approve) and self.command.approved:
            self.original.sealed_before = _sealed_with_request(context.storage, ticket)
        decided = self._decide(ticket)
        require_merge_right(
            context.principal, self.action, [decision.ticket for decision in decided]
        )
        if isinstance(body, BodyWithFiles) and body.attachments:
            if self._files is None:
                self._files = context.files.accept_uploads(
                    ticket.desk, ticket.number, body.attachments, context.playbook.files
                )
            self.command = replace(cast("Any", self.command), attachments=self._files)
            decided = self._decide(ticket)
        for each in decided if by_text_message(ticket) else ():
            require_short(each, context.playbook, self._links)
        return ticket, decided

    def _links(self) -> str:
        """The beginning of the desk's links."""
        return base_url(self.context.playbook, self.context.public_url())

    def _decide(self, ticket: Ticket) -> tuple[Decided, ...]:
        context = self.context
        return decide_all(context.storage, ticket, self.command, context.playbook, self.now)


def _sealed_with_request(storage: Storage, ticket: Ticket) -> tuple[bytes, ...]:
    """The sealed fields of the pending step: they were masked when its approval was requested."""
    history = storage.tickets.history(ticket.desk, ticket.number, ticket.version)
    asked = [commit for commit in history if commit.of(e.ApprovalRequested)]
    if not asked or not asked[-1].sealed:
        return ()
    sealed = storage.tickets.original(ticket.desk, ticket.number, asked[-1].version)
    return sealed.pieces if sealed else ()


def _ticket_for_rights(context: ActionContext, action: str, ticket: Ticket) -> Ticket:
    """The ticket to check rights on: for the originals of a merged ticket, its merge target."""
    if action != "open-original" or ticket.merged is None:
        return ticket
    from functions.core.services.merging import merge_target

    return merge_target(context.storage, ticket)


def _update_contact(
    context: ActionContext, ticket: Ticket, command: c.TicketCommand, now: datetime
) -> Ticket:
    """Store changes that apply to the contact's later requests too (A5); return the ticket."""
    if isinstance(command, c.SetCustomerClass):
        from functions.core.services.customers import set_class

        set_class(context.storage, ticket, command.customer_class)
    if isinstance(command, c.CorrectContact) and command.customer is None:
        from functions.core.services.contact_changes import mark_deliverable

        mark_deliverable(context.storage, context.playbook, ticket, context.principal.username, now)
    return ticket


# From body to command


def _command(
    action: str,
    step: Step | None,
    body: Body,
    ticket: Ticket,
    context: ActionContext,
    hiding: MessageMasker,
) -> c.TicketCommand:
    if step is not None:
        return _step(action, step, body, context, hiding)
    build = _BUILDERS.get(action)
    if build is not None:
        return build(body, ticket, context)
    command: Callable[..., c.TicketCommand] = c.ACTIONS[action]
    return command(**_fields(body, context.playbook, hiding))


def _fields(body: Body, playbook: Playbook, hiding: MessageMasker) -> dict[str, Any]:
    """The fields of a command, masked and looked up as the body declares them.

    `version` and `attachments` are not among them. What is masked in a text to the customer is
    kept in `hiding`, since the customer gets it as written (G10).
    """
    fields: dict[str, Any] = {}
    marks = declared(type(body))
    for name, field in type(body).model_fields.items():
        if name in BodyWithFiles.model_fields:
            continue
        value = getattr(body, name)
        if marks.get(name) is FREE_TEXT:
            to_customer = TO_CUSTOMER in field.metadata
            value = hiding.mask(name, value) if to_customer else mask(value)
        for mark in field.metadata:
            if isinstance(mark, TermOf):
                value = _terms(value, getattr(playbook, mark.section))
        fields[name] = value
    return fields


def _terms(names: Any, terms: Mapping[str, Any]) -> Any:
    """The keys of terms given by key or label; the command refuses unknown ones."""
    if isinstance(names, str):
        return find_term(names, terms) or names
    return None if names is None else tuple(_terms(name, terms) for name in names)


def _take(body: Any, ticket: Ticket, context: ActionContext) -> c.TicketCommand:
    if not context.principal.assignable:
        raise Forbidden("You are not on this desk's roster, so you cannot handle tickets.")
    agent = context.principal.agent
    team = _team_for(agent, ticket, context.playbook)
    return c.Take(team, agent.username, handler_name=agent.display_name)


def _assign(body: AssignBody, ticket: Ticket, context: ActionContext) -> c.TicketCommand:
    """Assign to an agent, a team's or the supervisors' queue; in review, the call-back (A7)."""
    recipients = [name for name in ("agent", "team", "queue") if getattr(body, name) is not None]
    if len(recipients) != 1:
        raise InvalidInput(
            "Name the recipient: an agent, a team or a queue.",
            (FieldError("agent", "exactly one of agent, team and queue"),),
        )
    reason = mask(body.reason)
    if body.agent is not None:
        agent = context.storage.roster.get(context.principal.desk, body.agent)
        if agent is None or not agent.assignable:
            raise InvalidInput(
                "Nobody of that name on this desk's roster handles tickets.",
                (FieldError("agent", "the username of an active agent"),),
            )
        if ticket.status == "in_review":
            if body.insist:
                require(context.principal, frozenset(LEADERS), "insist on this reviewer")
            return c.AssignReview(agent.username, insist=body.insist)
        team = _team_for(agent, ticket, context.playbook)
        return c.Assign(
            team, agent.username, reason, by_person=True, handler_name=agent.display_name
        )
    if ticket.status == "in_review":
        raise InvalidInput(
            "A call-back is assigned to a person.", (FieldError("agent", "this field is required"),)
        )
    team = _terms(body.team, context.playbook.teams)
    team = team or context.playbook.team_or_last(ticket.team)
    queue: Literal["waiting", "supervisor"] = (
        "supervisor" if body.queue == "supervisor" else "waiting"
    )
    return c.Enqueue(team, queue, reason=reason)


def _team_for(agent: Agent, ticket: Ticket, playbook: Playbook) -> str:
    """The team of a ticket that this agent is about to handle.

    A ticket that a supervisor takes over stays with its team; otherwise it moves to the agent's.
    """
    team = playbook.teams.get(agent.team)
    if ticket.team in playbook.teams and (team is None or team.role != "agent"):
        return playbook.team_or_last(ticket.team)
    return agent.team


def _correct_contact(
    body: CorrectContactBody, ticket: Ticket, context: ActionContext
) -> c.TicketCommand:
    if body.contact is None:
        return c.CorrectContact()
    if not may_correct_contact(context.principal, ticket):
        raise Forbidden(
            "Messages to this contact arrive, so only a supervisor may name another one."
        )
    from functions.core.services.contact_changes import correct_contact

    return correct_contact(context.corrector(), context.playbook, ticket, body.contact)


def _open_original(
    body: OpenOriginalBody, ticket: Ticket, context: ActionContext
) -> c.TicketCommand:
    sealed = context.storage.tickets.original(context.principal.desk, ticket.number, body.message)
    if sealed is None or not sealed.pieces:
        raise InvalidInput(
            "There is no such message, or it has no sealed original.",
            (FieldError("message", "the version of a message whose `sealed` is true"),),
        )
    return c.OpenOriginal(body.message, mask(body.reason))


def _open_contact(body: OpenContactBody, ticket: Ticket, context: ActionContext) -> c.TicketCommand:
    if ticket.customer.kind == "message" or ticket.erased:
        raise ActionNotAllowed("There is no number or address of this customer to open.")
    return c.OpenContact(mask(body.reason))


_BUILDERS: Mapping[str, Callable[[Any, Ticket, ActionContext], c.TicketCommand]] = {
    "take": _take,
    "assign": _assign,
    "correct-contact": _correct_contact,
    "open-contact": _open_contact,
    "open-original": _open_original,
}
"""Action → builder of its command, where the body alone is not enough."""


def _step(
    name: str, step: Step, body: Body, context: ActionContext, hiding: MessageMasker
) -> c.TicketCommand:
    """The command of one of the desk's own steps, its fields masked (G4) and sealed (G10)."""
    if isinstance(body, BodyWithFiles) and body.attachments and not step.attachments:
        raise InvalidInput(
            "This step takes no files.", (FieldError("attachments", "this step takes none"),)
        )
    fields: dict[str, str] = {}
    errors: list[FieldError] = []
    for key, value in (body.model_extra or {}).items():
        text = _text(value)
        if text is None:
            errors.append(FieldError(key, "a text, a number or a list of texts"))
        else:
            fields[key] = _masked(key, text, step.fields.get(key), hiding)
            if key == step.resolves:
                hiding.mask("summary", text)
    if errors:
        raise InvalidInput("Some fields are invalid.", tuple(errors))
    principal = context.principal
    return c.TakeStep(name, fields, by=principal.username, team=principal.team)


def _text(value: object) -> str | None:
    """Convert a JSON value to the text of a step's field; None if it has no such form."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return "、".join(entry.strip() for entry in value if entry.strip())
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else None


def _masked(key: str, text: str, field: StepField | None, hiding: MessageMasker) -> str:
    is_term = field is not None and field.holds is TERM
    return text if is_term else hiding.mask(f"fields.{key}", text)
