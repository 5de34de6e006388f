"""Filling in the variables of a playbook's texts (E4): plain text, in a sandbox.

The sandbox is needed because desk managers write the texts. Nothing is escaped here:
`functions.notify.mail` escapes the result when it becomes HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.domain.promises import Promise, promise
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


def format_time(at: datetime | None, playbook: Playbook, locale: Locale) -> str:
    """Format a time in the desk's zone as a reader says it; "" for None.

    In Chinese 5月22日（周三）10:04; in English with the zone, Wed 22 May, 10:04 (GMT+8).
    """
    if at is None:
        return ""
    local = at.astimezone(playbook.zone)
    if locale == "zh-CN":
        return f"{format_day(local, locale)}{local:%H:%M}"
    return f"{format_day(local, locale)}, {local:%H:%M} ({_zone_name(local)})"


def format_day(local: datetime, locale: Locale) -> str:
    """Format the day of a local time: 5月22日（周三）, Wed 22 May."""
    if locale == "zh-CN":
        return f"{local.month}月{local.day}日（周{'一二三四五六日'[local.weekday()]}）"
    # Not by strftime's %a and %b, which follow the machine's locale.
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def _zone_name(local: datetime) -> str:
    """Return the offset of a local time for people: GMT, GMT+8, GMT-3:30."""
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "GMT"
    return f"GMT{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02}" if rest else "")


def promise_variables(
    ticket: Ticket, playbook: Playbook, locale: Locale, now: datetime
) -> dict[str, str]:
    """Return the promised times of a ticket for its customer (`promises`).

    `expected_response_by` and `expected_resolution_by` are empty unless the desk is open then;
    `response_opens_at` and `resolution_opens_at` say when it opens instead.
    """
    variables = {}
    deadlines = {
        "response": ticket.expected_response_by if ticket.first_response_at is None else None,
        "resolution": ticket.expected_resolution_by,
    }
    for name, deadline in deadlines.items():
        told = promise(deadline, now, playbook.hours) if deadline else Promise()
        variables[f"expected_{name}_by"] = format_time(told.by, playbook, locale)
        variables[f"{name}_opens_at"] = format_time(told.opens_at, playbook, locale)
    return variables


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
        "expected_response_by": format_time(ticket.expected_response_by, playbook, locale),
        "expected_resolution_by": format_time(ticket.expected_resolution_by, playbook, locale),
        "summary": ticket.summary or "",
        "score": "" if ticket.score is None else str(ticket.score),
        "order": ticket.order or "",
    }


def with_fields(
    common: Mapping[str, str],
    facts: Mapping[str, str],
    playbook: Playbook,
    locale: Locale,
    step: str = "",
) -> dict[str, str]:
    """Add the fields of the desk's steps to the common variables (D11, E4).

    If several steps have a field of the same name, the definition in `step` wins, then the first.
    A common variable of the same name wins unless it is empty.
    """
    fields: dict[str, str] = {}
    for _, definition in sorted(playbook.steps.items(), key=lambda entry: entry[0] != step):
        for name, field in definition.fields.items():
            if name not in fields:
                fields |= _shown(name, facts.get(name, ""), field, playbook, locale)
    return {
        **fields,
        **{name: value for name, value in common.items() if value or name not in fields},
    }


TIME_PARTS = ("date", "time")
"""The suffixes of the variables that hold one part of a field's time: `arrives_at_time`."""


def _shown(
    name: str, value: str, field: StepField, playbook: Playbook, locale: Locale
) -> dict[str, str]:
    """Return a field's value for people; a time in the desk's zone, as a whole and in parts."""
    if field.kind != "time":
        return {name: value}
    at = parse_field_time(value)
    shown = {f"{name}_{part}": "" for part in TIME_PARTS} | {name: value}
    if at is not None:
        local = at.astimezone(playbook.zone)
        shown[name] = format_time(at, playbook, locale)
        shown[f"{name}_date"] = format_day(local, locale)
        shown[f"{name}_time"] = f"{local:%H:%M}"
    return shown
