"""Filling in the variables of a playbook's texts (E4): plain text, in a sandbox.

The sandbox is needed because desk managers write the texts. Nothing is escaped here:
`functions.notify.mail` escapes the result when it becomes HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.domain.rules import Locale, Playbook, StepField
from functions.core.domain.ticket import Ticket
from functions.core.domain.timers import parse_field_time
from functions.core.text.words import LIST_SEPARATOR, label

if TYPE_CHECKING:
    from jinja2 import Template


def fill(source: str, values: Mapping[str, str]) -> str:
    """Fill in the variables of a text; a variable without a value becomes empty.

    Raises:
        jinja2.TemplateError, TypeError, ValueError, ArithmeticError: the text is not a valid
            template or fails with these values.
    """
    return _template(source).render(values)


@lru_cache(maxsize=256)
def _template(source: str) -> Template:
    template: Template = _environment().from_string(source)
    return template


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(autoescape=False)


def format_time(at: datetime | None, playbook: Playbook) -> str:
    """Format a time in the desk's zone, to the second; "" for None."""
    return f"{at.astimezone(playbook.zone):%Y-%m-%d %H:%M:%S}" if at else ""


def ticket_variables(ticket: Ticket, playbook: Playbook, locale: Locale) -> dict[str, str]:
    """Return the variables of a ticket in one language; unknown values are empty."""
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
        "expected_response_by": format_time(ticket.expected_response_by, playbook),
        "expected_resolution_by": format_time(ticket.expected_resolution_by, playbook),
        "summary": ticket.summary or "",
        "score": "" if ticket.score is None else str(ticket.score),
        "order": ticket.order or "",
    }


def with_fields(
    common: Mapping[str, str], facts: Mapping[str, str], playbook: Playbook, step: str = ""
) -> dict[str, str]:
    """Add the fields of the desk's steps to the common variables (D11, E4).

    If several steps have a field of the same name, the definition in `step` wins, then the first.
    A common variable of the same name wins unless it is empty.
    """
    fields: dict[str, str] = {}
    for _, definition in sorted(playbook.steps.items(), key=lambda entry: entry[0] != step):
        for name, field in definition.fields.items():
            if name not in fields:
                fields[name] = _shown(facts.get(name, ""), field, playbook)
    return {
        **fields,
        **{name: value for name, value in common.items() if value or name not in fields},
    }


def _shown(value: str, field: StepField, playbook: Playbook) -> str:
    """Return a field's value for people: a time to the minute, in the desk's zone."""
    at = parse_field_time(value) if field.kind == "time" else None
    return f"{at.astimezone(playbook.zone):%Y-%m-%d %H:%M}" if at else value
