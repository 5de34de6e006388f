"""The desk's own steps, and their approval (C9, D8–D11, B2, B6, E5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from pydantic import ConfigDict, StrictBool

from functions.core.domain import events as e, timers
from functions.core.domain.commands.base import (
    LEADERS,
    AgentAction,
    Body,
    BodyWithFiles,
    Remark,
    TicketCommand,
    not_allowed,
    one_of,
    require_known,
)
from functions.core.domain.commands.resolution import Resolve
from functions.core.domain.errors import FieldError, InvalidInput, Phrase, too_long
from functions.core.domain.matching import find_term
from functions.core.domain.privacy import FreeText, StepFields, TermName
from functions.core.domain.rules import Approval, Effect, Playbook, Step, StepField
from functions.core.domain.tasks import asked_team, open_slips
from functions.core.domain.ticket import DONE, OPEN, Attachment, Slip, Ticket

FARTHEST = timedelta(days=366)
"""The farthest that a future time may lie ahead; one beyond it is taken for a slip."""

ANY_VALUE = "*"
"""In `required_with`: whatever the other field holds."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


class StepBody(BodyWithFiles):
    """The step's fields are keys of the body beside `version` and `attachments`."""

    model_config = ConfigDict(extra="allow")


BODY_FIELDS = tuple(StepBody.model_fields)
"""Names that a step's fields cannot have."""


@dataclass(frozen=True)
class TakeStep(
    TicketCommand,
    name="step",
    sources=OPEN | DONE,
    by="by the playbook",
    meaning="one of the desk's own steps",
):
    """Take one of the desk's own steps with its fields; `by` is who asks, a member of `team`."""

    step: TermName
    fields: StepFields
    attachments: tuple[Attachment, ...] = ()
    by: TermName = ""
    team: TermName | None = None

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        require_known("action", self.step, playbook.steps)
        step = playbook.steps[self.step]
        if ticket.status not in step.source or (step.answers and not open_slips(step, ticket)):
            raise not_allowed(self.step, ticket, playbook)
        fields = checked_fields(step, self.fields, playbook, now)
        if step.approval is not None and _needs_approval(step.approval, fields):
            requested = e.ApprovalRequested(
                step=self.step, fields=fields, attachments=self.attachments, by=self.by
            )
            return [requested]
        return replace(self, fields=fields)._taken(step, ticket, playbook, now)

    def _taken(
        self, step: Step, ticket: Ticket, playbook: Playbook, now: datetime
    ) -> Sequence[e.Event]:
        """The step with its consequences: another classification, a resolution (D9)."""
        taken = self._event(step, ticket)
        summary = self.fields.get(step.resolves) if step.resolves else None
        resolved = Resolve(summary).decide(ticket, playbook, now) if summary else ()
        by_step = reclassified(ticket, self.step, step.then, playbook)
        return [taken, *self._calls(step, ticket), *by_step, *resolved]

    def _event(self, step: Step, ticket: Ticket) -> e.StepTaken:
        asks = Slip(step=self.step, team=asked_team(step.asks, self.fields)) if step.asks else None
        answers = open_slips(step, ticket, self.team)
        return e.StepTaken(
            step=self.step,
            to=step.to if not step.answers or _goes_on(answers, ticket) else None,
            fields=self.fields,
            attachments=self.attachments,
            customer_sees=step.customer_sees,
            responds=step.responds,
            asks=asks,
            answers=answers,
        )

    def _calls(self, step: Step, ticket: Ticket) -> Sequence[e.Event]:
        """The call that the step is, if it told what waited for one (B8)."""
        reached = step.calls and not set(step.not_reached) & set(self.fields.values())
        return [e.CallRecorded(calls=ticket.calls)] if reached and ticket.calls else []


def _goes_on(answers: Sequence[Slip], ticket: Ticket) -> bool:
    """Return whether an answer lets the handler go on: it is from the department asked last.

    A late answer leaves a ticket where it waits for somebody else meanwhile (E5).
    """
    if ticket.status != "awaiting_department":
        return ticket.status in {"assigned", "in_progress"}
    return ticket.pending is None and not set(ticket.slips[-1:] or answers).isdisjoint(answers)


def reclassified(ticket: Ticket, step: str, then: Effect, playbook: Playbook) -> Sequence[e.Event]:
    """The event that changes the classification after a step; none if it stays the same (E6)."""
    priority = ticket.priority
    if then.priority and playbook.ranks[then.priority] < playbook.ranks.get(priority, 99):
        priority = then.priority
    if then.raise_by != then.lower_by:
        priority = playbook.shifted(priority, then.raise_by - then.lower_by)
    after = e.TicketClassified(
        type=then.type or ticket.type,
        tags=tuple(dict.fromkeys((*ticket.tags, *then.add_tags))),
        priority=priority,
        mood=then.mood or ticket.mood,
        rules=(f"step:{step}",),
        product=then.product or ticket.product,
    )
    before = (ticket.type, ticket.tags, ticket.priority, ticket.mood, ticket.product)
    changed = before != (after.type, after.tags, after.priority, after.mood, after.product)
    return [after] if changed else []


def _needs_approval(approval: Approval, fields: dict[str, str]) -> bool:
    """Return whether a step exceeds an agent's authority."""
    if approval.field is None:
        return True
    return Decimal(fields.get(approval.field) or "0") > approval.over


def checked_fields(
    step: Step, values: Mapping[str, str], playbook: Playbook, now: datetime
) -> dict[str, str]:
    """The fields of a step, stripped and checked against their kinds.

    A choice may be given by its key or by its label in any language.

    Raises:
        InvalidInput: missing, unknown or malformed fields; every one is named.
    """
    errors = [
        FieldError(name, "there is no such field") for name in values if name not in step.fields
    ]
    fields: dict[str, str] = {}
    for name, field in step.fields.items():
        value = values.get(name, "").strip()
        if not value:
            if field.required or required_with_others(field, values):
                errors.append(FieldError(name, "this field is required"))
            continue
        problem = _problem(field, value, now.astimezone(playbook.zone))
        if problem:
            errors.append(FieldError(name, problem))
        if field.kind == "choice":
            choices = playbook.choices(field)
            value = find_term(value, choices) or ""
            if not value:
                errors.append(one_of(name, choices))
        fields[name] = value
    if errors:
        raise InvalidInput("Some fields are invalid.", tuple(errors))
    return fields


def required_with_others(field: StepField, values: Mapping[str, str]) -> bool:
    """Return whether another field's value requires this one too; `*` is any value."""
    given = {name: value.strip() for name, value in values.items()}
    return any(
        bool(given.get(other)) if value == ANY_VALUE else given.get(other) == value
        for other, value in field.required_with.items()
    )


def _problem(field: StepField, value: str, now: datetime) -> Phrase | None:
    if len(value) > field.max:
        return too_long(field.max, len(value))
    if field.kind == "time" and timers.parse_field_time(value) is None:
        return Phrase("a moment with its offset, such as 2026-03-10T14:00:00+08:00")
    at = timers.parse_field_time(value) if field.future else None
    if at is not None and not now < at <= now + FARTHEST:
        return Phrase("a moment that is still ahead, within a year")
    if field.kind == "date":
        return date_problem(value, now.date())
    if field.kind == "number" and not _NUMBER.fullmatch(value):
        return Phrase("a number, such as 120 or 99.50")
    return None


def date_problem(value: str, today: date) -> Phrase | None:
    try:
        at = date.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.isoformat() != value:
        return Phrase("a date, such as 2026-03-10")
    return Phrase("a date that is not in the future") if at > today else None


class ApproveBody(Body):
    approved: StrictBool
    reason: Remark = ""


@dataclass(frozen=True)
class Approve(
    TicketCommand,
    name="approve",
    sources=OPEN,
    by="supervisor",
    meaning="the pending step is approved or refused",
    agents=AgentAction(label=("审批", "Approve"), rights=LEADERS, body=ApproveBody, listed=False),
):
    """Approve or refuse the pending step (C9)."""

    approved: bool
    reason: FreeText = ""

    def decide(self, ticket: Ticket, playbook: Playbook, now: datetime) -> Sequence[e.Event]:
        pending = ticket.pending
        if pending is None:
            raise not_allowed("approve", ticket, playbook)
        decision = e.ApprovalGiven(step=pending.step, approved=self.approved, reason=self.reason)
        step = playbook.steps.get(pending.step)
        if not self.approved or step is None:
            return [decision]
        command = TakeStep(pending.step, pending.fields, pending.attachments)
        if e.status_after_approval(ticket) not in step.source:
            # The ticket has moved on: the step is recorded and changes no status.
            return [decision, command._event(step, ticket).model_copy(update={"to": None})]
        return [decision, *command._taken(step, ticket, playbook, now)]
