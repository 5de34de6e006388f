"""What agents do to tickets: one body a kind of action, and the command that it becomes.

A desk's own steps are actions too; what is written down with one stands flat in the body.
Free text is masked before it is stored, and replies before they are sent (G4): a number that an
agent repeats to the customer would otherwise stand in the record for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from functions.core.domain import commands as c
from functions.core.domain.errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    StaleVersion,
)
from functions.core.domain.events import Attachment
from functions.core.domain.matching import find_term
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Step, StepField, Term
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import Request
from functions.core.services.command_service import TRIES, decide_all, write_all
from functions.core.storage.files import MOST, Files
from functions.core.storage.store import Store
from functions.core.text.masking import mask, mask_but
from functions.workbench.rights import Principal, require_action, require_both, require_step

if TYPE_CHECKING:
    from functions.core.services.contacts import ContactCorrector

Text = Annotated[str, Field(min_length=1, max_length=4000)]
Reason = Annotated[str, Field(min_length=1, max_length=1000)]
Remark = Annotated[str, Field(max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """What every action may carry: the version that the agent saw."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    version: int | None = Field(default=None, ge=1)


class ConfirmTypeBody(Body):
    type: Name
    tags: tuple[Name, ...] | None = Field(default=None, max_length=20)
    priority: Name | None = None


class AssignBody(Body):
    agent: Name | None = None
    team: Name | None = None
    queue: Literal["team", "supervisor"] | None = None
    reason: Remark = ""


class PriorityBody(Body):
    priority: Name
    reason: Remark = ""


class TextBody(Body):
    text: Text


class Carrying(Body):
    """What files may come with: the ids of uploads, as `attachments` gave them out."""

    attachments: tuple[Name, ...] = Field(default=(), max_length=MOST)


class WrittenBody(Carrying):
    text: Text


class StepBody(Carrying):
    """A step's fields stand beside `version` and `attachments`."""

    model_config = ConfigDict(extra="allow")


class ApproveBody(Body):
    approved: StrictBool
    reason: Remark = ""


class ResolveBody(Body):
    summary: Text


class ReopenBody(Body):
    reason: Remark = ""


class CallbackBody(Body):
    cause: Reason
    note: Text | Literal[""] = ""


class CloseBody(Body):
    reason: Reason


class MergeBody(Body):
    into: Name
    reason: Remark = ""


class UnmergeBody(Body):
    reason: Remark = ""


class OpenOriginalBody(Body):
    message: int = Field(ge=1)
    reason: Reason


class ClassCustomerBody(Body):
    customer_class: Name | None


class CorrectContactBody(Body):
    """Another contact; without one the old one works again."""

    contact: Annotated[str, Field(min_length=1, max_length=320)] | None = None


@dataclass(frozen=True)
class ActionContext:
    """Where an action takes place: the caller's seat, the desk's rules, its table; `corrector`
    seals contacts."""

    at: Principal
    playbook: Playbook
    store: Store
    files: Files
    corrector: Callable[[], ContactCorrector]


Make = Callable[[Any, Ticket, ActionContext], c.Command]


def act(desk: ActionContext, number: str, action: str, request: Request, now: datetime) -> Ticket:
    """The ticket after `action`, decided on the very version that the rights were checked on.

    Files that the body names are looked at last, when nothing else speaks against the action.

    Raises:
        NotFound: there is no such action or ticket.
        InvalidInput: the body or a file does not fit; every wrong field is named.
        Forbidden: the caller may not do this, or not on this ticket.
        StaleVersion: the caller saw an older version.
        ActionNotAllowed: the ticket's status does not allow it.
        Conflict: others changed the ticket again and again.
    """
    step = None if action in ACTIONS else desk.playbook.steps.get(action)
    if action not in ACTIONS and step is None:
        known = ", ".join((*ACTIONS, *desk.playbook.steps))
        raise NotFound(f"There is no action {action!r} on this desk. There is {known}.")
    model, make = ACTIONS[action] if step is None else (StepBody, _step(action, step))
    body = request.read(model)
    kept: tuple[Attachment, ...] | None = None
    for _ in range(TRIES):
        ticket = desk.store.load(desk.at.desk, number)
        if step is None:
            require_action(desk.at, action, _judged(desk, action, ticket))
        else:
            require_step(desk.at, action, step, ticket)
        if body.version is not None and body.version != ticket.version:
            raise StaleVersion(
                f"You acted on version {body.version}; the ticket is at version "
                f"{ticket.version}. Look at it again."
            )
        command = make(body, ticket, desk)
        decided = decide_all(desk.store, ticket, command, desk.playbook, now)
        require_both(desk.at, action, [each.ticket for each in decided])
        if isinstance(body, Carrying) and body.attachments:
            if kept is None:
                rules = desk.playbook.files
                kept = desk.files.accept(desk.at.desk, number, body.attachments, rules)
            if isinstance(command, c.Reply | c.Note | c.TakeStep):
                command = replace(command, attachments=kept)
            decided = decide_all(desk.store, ticket, command, desk.playbook, now)
        if not decided:
            return _remembered(desk, ticket, command, now)
        try:
            after = write_all(desk.store, decided, desk.playbook, now, desk.at.username)
        except Conflict:
            continue
        return _remembered(desk, after, command, now)
    raise Conflict(f"{number} has changed again and again")


def _judged(desk: ActionContext, action: str, ticket: Ticket) -> Ticket:
    """The ticket by which a right is judged: who works on a merged one has its survivor in hand."""
    if action != "open-original" or ticket.merged is None:
        return ticket
    from functions.core.services.merging import merge_target

    return merge_target(desk.store, ticket)


def _remembered(desk: ActionContext, ticket: Ticket, command: c.Command, now: datetime) -> Ticket:
    """A5: a customer's class holds for the next requests too, and that a contact works again."""
    if isinstance(command, c.ClassCustomer):
        desk.store.class_contact(ticket.desk, ticket.customer.hash, command.customer_class)
    if isinstance(command, c.CorrectContact) and command.customer is None:
        from functions.workbench.contacts import works_again

        works_again(desk.store, desk.playbook, ticket, desk.at.username, now)
    return ticket


def _take(body: Body, ticket: Ticket, desk: ActionContext) -> c.Command:
    me = desk.at.agent
    if me is None:
        raise Forbidden("You are not on this desk's roster, so no ticket can be in your hands.")
    return c.Assign(team=_team_for(me, ticket, desk), handler=me.username, by_hand=True)


def _named(given: str, terms: Mapping[str, Term]) -> str:
    """The name of the term, where its label was written; what is neither is refused later."""
    return find_term(given, terms) or given


def _confirm_type(body: ConfirmTypeBody, ticket: Ticket, desk: ActionContext) -> c.Command:
    rules = desk.playbook
    return c.ConfirmType(
        _named(body.type, rules.types),
        None if body.tags is None else tuple(_named(tag, rules.tags) for tag in body.tags),
        _named(body.priority, rules.priorities) if body.priority else None,
    )


def _priority(body: PriorityBody, ticket: Ticket, desk: ActionContext) -> c.Command:
    return c.SetPriority(_named(body.priority, desk.playbook.priorities), mask(body.reason))


def _assign(body: AssignBody, ticket: Ticket, desk: ActionContext) -> c.Command:
    """A7: to an agent, to a team's queue, or to the supervisors; in review, the call-back."""
    given = [name for name in ("agent", "team", "queue") if getattr(body, name) is not None]
    if len(given) != 1:
        raise InvalidInput(
            "Say to whom: an agent, a team or a queue.",
            (FieldError("agent", "exactly one of agent, team and queue"),),
        )
    if body.agent is not None:
        found = desk.store.agent(desk.at.desk, body.agent)
        if found is None:
            raise InvalidInput(
                "Nobody of that name is on this desk's roster.",
                (FieldError("agent", "a username of the roster"),),
            )
        if ticket.status == "in_review":
            return c.AssignReview(reviewer=found.username)
        team = _team_for(found, ticket, desk)
        return c.Assign(team, found.username, reason=mask(body.reason), by_hand=True)
    if ticket.status == "in_review":
        raise InvalidInput(
            "A call-back is given to a person.", (FieldError("agent", "this field is required"),)
        )
    asked = _named(body.team, desk.playbook.teams) if body.team else None
    team = asked or ticket.team or desk.playbook.routing[-1].team
    queue: Literal["waiting", "supervisor"] = (
        "supervisor" if body.queue == "supervisor" else "waiting"
    )
    return c.Enqueue(team, queue, reason=mask(body.reason))


def _team_for(agent: Agent, ticket: Ticket, desk: ActionContext) -> str:
    """The team that a ticket belongs to in this agent's hands.

    A supervisor who steps in does not take it out of its team; an agent of another team does.
    """
    team = desk.playbook.teams.get(agent.team)
    if ticket.team is not None and (team is None or team.role != "agent"):
        return ticket.team
    return agent.team


def _step(name: str, step: Step) -> Make:
    """The command for a step of the desk's own, what was written down masked (G4)."""

    def make(body: StepBody, ticket: Ticket, desk: ActionContext) -> c.Command:
        if body.attachments and not step.attachments:
            raise InvalidInput(
                "No files come with this step.",
                (FieldError("attachments", "this step takes none"),),
            )
        written: dict[str, str] = {}
        wrong: list[FieldError] = []
        for key, value in (body.model_extra or {}).items():
            text = _text(value)
            if text is None:
                wrong.append(FieldError(key, "a text, a number or a list of texts"))
            else:
                written[key] = _masked(text, step.fields.get(key))
        if wrong:
            raise InvalidInput("Some fields do not fit; see errors.", tuple(wrong))
        return c.TakeStep(name, written, by=desk.at.username)

    return make


def _text(value: object) -> str | None:
    """A field of a JSON body as it is written down, None where it is nothing that can be."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return "、".join(entry.strip() for entry in value if entry.strip())
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else None


def _masked(text: str, field: StepField | None) -> str:
    """A moment or one of the desk's own choices hides nobody; checked as such, it is left alone."""
    known = field is not None and field.kind in {"time", "choice"}
    return text if known else mask(text)


def _told(text: str, desk: ActionContext) -> str:
    """What the customer will read: masked, but for the numbers at which the desk is reached."""
    return mask_but(text, desk.playbook.public_contacts)


def _correct_contact(body: CorrectContactBody, ticket: Ticket, desk: ActionContext) -> c.Command:
    if body.contact is None:
        return c.CorrectContact()
    from functions.workbench.contacts import correct_contact

    return correct_contact(desk.corrector(), desk.playbook, ticket, body.contact)


def _open_original(body: OpenOriginalBody, ticket: Ticket, desk: ActionContext) -> c.Command:
    if desk.store.original(desk.at.desk, ticket.number, body.message) is None:
        raise InvalidInput(
            "There is no such message, or nothing of it was hidden.",
            (FieldError("message", "the version of a message whose `sealed` is true"),),
        )
    return c.OpenOriginal(body.message, mask(body.reason))


ACTIONS: Mapping[str, tuple[type[Body], Make]] = {
    "confirm-type": (ConfirmTypeBody, _confirm_type),
    "take": (Body, _take),
    "assign": (AssignBody, _assign),
    "priority": (PriorityBody, _priority),
    "reply": (WrittenBody, lambda b, t, d: c.Reply(_told(b.text, d))),
    "request-info": (TextBody, lambda b, t, d: c.RequestInformation(_told(b.text, d))),
    "note": (WrittenBody, lambda b, t, d: c.Note(mask(b.text))),
    "resolve": (ResolveBody, lambda b, t, d: c.Resolve(_told(b.summary, d))),
    "reopen": (ReopenBody, lambda b, t, d: c.Reopen(mask(b.reason))),
    "callback": (CallbackBody, lambda b, t, d: c.RecordCallback(mask(b.cause), mask(b.note))),
    "approve": (ApproveBody, lambda b, t, d: c.Approve(b.approved, mask(b.reason))),
    "close": (CloseBody, lambda b, t, d: c.Close(mask(b.reason))),
    "merge": (MergeBody, lambda b, t, d: c.Merge(b.into, mask(b.reason))),
    "unmerge": (UnmergeBody, lambda b, t, d: c.Unmerge(mask(b.reason))),
    "open-original": (OpenOriginalBody, _open_original),
    "class-customer": (ClassCustomerBody, lambda b, t, d: c.ClassCustomer(b.customer_class)),
    "correct-contact": (CorrectContactBody, _correct_contact),
}
"""Action → its body and its command. The contract's, and what every desk has beside them: `approve`
(C9), `merge` and `unmerge` (A14), `open-original` (G4), `class-customer` (A5), and
`correct-contact` for an address that mail came back from."""
