"""A playbook's texts with their variables filled in (E4): plain text, in a sandbox.

The texts come from people who run a desk, hence the sandbox. Nothing is escaped: what is filled in
is escaped where it becomes HTML (`functions.notify.mail`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.domain.rules import Locale, Playbook, StepField
from functions.core.domain.ticket import Ticket
from functions.core.domain.timers import moment_in
from functions.core.text.words import LIST_SEPARATOR, label

if TYPE_CHECKING:
    from jinja2 import Template


def fill(source: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in; one that is not among `values` stays empty.

    Raises:
        jinja2.TemplateError, TypeError, ValueError, ArithmeticError: it cannot be filled in.
    """
    return _template(source).render(values)


@lru_cache(maxsize=256)
def _template(source: str) -> Template:
    """Compiled once a container."""
    template: Template = _environment().from_string(source)
    return template


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(autoescape=False)


def moment(at: datetime | None, playbook: Playbook) -> str:
    """A moment in the desk's zone, to the second; empty where there is none."""
    return f"{at.astimezone(playbook.zone):%Y-%m-%d %H:%M:%S}" if at else ""


def of_ticket(ticket: Ticket, playbook: Playbook, locale: Locale) -> dict[str, str]:
    """The variables that a ticket has by itself, in one language; what it has not is empty."""
    tags = [label(playbook.tags, tag, locale) for tag in ticket.tags]
    priority = playbook.priorities.get(ticket.priority)
    return {
        "number": ticket.number,
        "desk": playbook.name[locale],
        "name": ticket.customer.name,
        "status": label(playbook.statuses, ticket.status, locale),
        "type": label(playbook.types, ticket.type, locale),
        "tags": LIST_SEPARATOR[locale].join(tags),
        "tag": tags[0] if tags else "",
        "priority": label(playbook.priorities, ticket.priority, locale),
        "team": label(playbook.teams, ticket.team, locale),
        "handler": ticket.handler or "",
        "promise": priority.promise[locale] if priority and priority.promise else "",
        "expected_response_by": moment(ticket.expected_response_by, playbook),
        "expected_resolution_by": moment(ticket.expected_resolution_by, playbook),
        "summary": ticket.summary or "",
        "score": "" if ticket.score is None else str(ticket.score),
        "order": ticket.order or "",
    }


def with_fields(
    common: Mapping[str, str], facts: Mapping[str, str], playbook: Playbook, step: str = ""
) -> dict[str, str]:
    """The common variables and what was written down with the desk's own steps (D11, E4).

    A field stands under its own name, as `step` means it or else the first that has it. Where a
    common variable has that name too, it is the field's only if the common one has nothing to say.
    """
    fields: dict[str, str] = {}
    for _, its in sorted(playbook.steps.items(), key=lambda known: known[0] != step):
        for name, field in its.fields.items():
            if name not in fields:
                fields[name] = _shown(facts.get(name, ""), field, playbook)
    return {**fields, **{name: said for name, said in common.items() if said or name not in fields}}


def _shown(value: str, field: StepField, playbook: Playbook) -> str:
    """A field's value as people read it: a moment to the minute, in the desk's zone."""
    at = moment_in(value) if field.kind == "time" else None
    return f"{at.astimezone(playbook.zone):%Y-%m-%d %H:%M}" if at else value
