"""Filling in the variables of a playbook's texts (E4): plain text, in a sandbox.

The sandbox is needed because desk managers write the texts. Nothing is escaped here:
`functions.notify.mail` escapes the result when it becomes HTML.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.domain.events import StepTaken
from functions.core.domain.promises import Promise, promise
from functions.core.domain.rules import Locale, Playbook, StepField
from functions.core.domain.ticket import Ticket
from functions.core.domain.timers import parse_field_time
from functions.core.text.words import (
    LIST_SEPARATOR,
    customer_label,
    customer_status,
    customer_tags,
    handler_for_customer,
    label,
    say,
)

if TYPE_CHECKING:
    from jinja2 import Template

    from functions.core.text.shapes import FieldView


TEMPLATE_VARIABLES = frozenset(
    {
        "number", "desk", "name", "status", "type", "tags", "tag", "priority", "team", "handler",
        "promise", "expected_response_by", "expected_resolution_by", "response_opens_at",
        "resolution_opens_at", "due_at", "status_url", "text", "question", "summary", "solution",
        "score", "reason", "timer", "description", "step", "order", "other",
    }
)  # fmt: skip
"""The variables of messages and reply templates, besides the fields of the desk's steps."""

TEXTS = 1024
"""Compiled texts that are kept: those of a large playbook."""


def fill(source: str, values: Mapping[str, str]) -> str:
    """Fill in the variables of a text; a variable without a value becomes empty.

    Raises:
        jinja2.TemplateError, TypeError, ValueError, ArithmeticError: the text is not a valid
            template or fails with these values.
    """
    return _template(source).render(values)


@lru_cache(maxsize=TEXTS)
def variables(source: str) -> frozenset[str]:
    """Return the variables that a text uses.

    Raises:
        jinja2.TemplateSyntaxError: the text is not a valid template.
    """
    from jinja2 import meta

    return frozenset(meta.find_undeclared_variables(_environment().parse(source)))


def template_variables(playbook: Playbook) -> frozenset[str]:
    """Return the variables of this playbook's texts, the fields of its steps included."""
    fields = {
        f"{name}{suffix}"
        for step in playbook.steps.values()
        for name, field in step.fields.items()
        for suffix in ("", *(f"_{part}" for part in TIME_PARTS if field.kind == "time"))
    }
    return TEMPLATE_VARIABLES | fields


def faults(source: str, known: Collection[str]) -> tuple[list[str], str]:
    """Find what is wrong with a text: its unknown variables, and why it cannot be filled in.

    It is filled in with a value for each known variable and with none.
    """
    from jinja2 import TemplateError

    try:
        unknown = sorted(variables(source) - set(known))
        for value in ("1", ""):
            fill(source, dict.fromkeys(known, value))
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        return [], str(error).splitlines()[0]
    return unknown, ""


@lru_cache(maxsize=TEXTS)
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
    return f"{format_day(local, locale)}, {local:%H:%M} ({zone_name(local)})"


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


def zone_name(local: datetime) -> str:
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
    for name, deadline in _deadlines(ticket).items():
        told = promise(deadline, now, playbook.hours) if deadline else Promise()
        variables[f"expected_{name}_by"] = _deadline(name, told.by, ticket, playbook, locale)
        variables[f"{name}_opens_at"] = format_time(told.opens_at, playbook, locale)
    return variables


def _deadlines(ticket: Ticket) -> dict[str, datetime | None]:
    return {
        "response": ticket.expected_response_by if ticket.first_response_at is None else None,
        "resolution": ticket.expected_resolution_by,
    }


def _deadline(
    name: str, at: datetime | None, ticket: Ticket, playbook: Playbook, locale: Locale
) -> str:
    """Format a deadline; one in a year without official holidays yet says so (G2)."""
    timer = ticket.timers.get("first_response" if name == "response" else name)
    provisional = at is not None and timer is not None and timer.counted_at is not None
    return format_time(at, playbook, locale) + (
        say("time.provisional", locale) if provisional else ""
    )


def ticket_variables(
    ticket: Ticket, playbook: Playbook, locale: Locale, *, for_customer: bool
) -> dict[str, str]:
    """Return the variables of a ticket in one language; unknown values are empty.

    Customers read statuses, tags and priorities by the labels for customers, and the handler's
    display name; staff read the desk's own.
    """
    priority = playbook.priorities.get(ticket.priority)
    if for_customer:
        tags = customer_tags(ticket.tags, playbook, locale)
        status = customer_status(ticket.status, playbook, locale)
        urgency = customer_label(playbook.priorities, ticket.priority, locale) or ""
        handler = handler_for_customer(ticket, playbook, locale) or ""
    else:
        tags = [label(playbook.tags, tag, locale) for tag in ticket.tags]
        status = label(playbook.statuses, ticket.status, locale)
        urgency = label(playbook.priorities, ticket.priority, locale)
        handler = ticket.handler_name or ticket.handler or ""
    return {
        "number": ticket.number,
        "desk": playbook.name[locale],
        "name": ticket.customer.name,
        "status": status,
        "type": label(playbook.types, ticket.type, locale),
        "tags": LIST_SEPARATOR[locale].join(tags),
        "tag": tags[0] if tags else "",
        "priority": urgency,
        "team": label(playbook.teams, ticket.team, locale),
        "handler": handler,
        "promise": priority.promise[locale] if priority and priority.promise else "",
        **{
            f"expected_{name}_by": _deadline(name, deadline, ticket, playbook, locale)
            for name, deadline in _deadlines(ticket).items()
        },
        "summary": ticket.summary or "",
        "score": _score(ticket.score, playbook, locale),
        "order": ticket.order or "",
    }


def _score(score: int | None, playbook: Playbook, locale: Locale) -> str:
    words = playbook.survey.words.values()
    word = next((word.label[locale] for word in words if word.score == score), None)
    return word or ("" if score is None else str(score))


def with_fields(
    common: Mapping[str, str],
    facts: Mapping[str, str],
    playbook: Playbook,
    locale: Locale,
    *,
    for_customer: bool,
    step: str = "",
) -> dict[str, str]:
    """Add the fields of the desk's steps to the common variables (D11, E4).

    Those that customers may not see are empty for them.

    If several steps have a field of the same name, the definition in `step` wins, then the first.
    A common variable of the same name wins unless it is empty.
    """
    fields: dict[str, str] = {}
    for _, definition in sorted(playbook.steps.items(), key=lambda entry: entry[0] != step):
        for name, field in definition.fields.items():
            if name not in fields:
                hidden = for_customer and not field.customer_sees
                value = "" if hidden else facts.get(name, "")
                fields |= _variables_of(name, value, field, playbook, locale)
    return {
        **fields,
        **{name: value for name, value in common.items() if value or name not in fields},
    }


TIME_PARTS = ("date", "time")
"""The suffixes of the variables that hold one part of a field's time: `arrives_at_time`."""


def _variables_of(
    name: str, value: str, field: StepField, playbook: Playbook, locale: Locale
) -> dict[str, str]:
    """Return the variables of a field: its value, and of a time its parts in the desk's zone."""
    shown = {name: field_value(value, field, playbook, locale)}
    if field.kind == "time":
        at = parse_field_time(value)
        local = at.astimezone(playbook.zone) if at else None
        shown[f"{name}_date"] = format_day(local, locale) if local else ""
        shown[f"{name}_time"] = f"{local:%H:%M}" if local else ""
    return shown


def field_value(value: str, field: StepField, playbook: Playbook, locale: Locale) -> str:
    """Return a field's value for people: a choice's label, a time to the minute."""
    if field.kind == "choice" and value:
        return label(playbook.choices(field), value, locale)
    if field.kind == "list":
        return LIST_SEPARATOR[locale].join(value.split(LIST_SEPARATOR["zh-CN"]))
    at = parse_field_time(value) if field.kind == "time" else None
    return format_time(at, playbook, locale) if at else value


def step_fields(
    event: StepTaken, playbook: Playbook, locale: Locale, *, for_customer: bool
) -> list[FieldView]:
    """Return the fields of a step as people read them: `name`, `label` and `value`."""
    step = playbook.steps.get(event.step)
    fields = step.fields if step else {}
    return [
        {
            "name": name,
            "label": label(fields, name, locale),
            "value": field_value(value, fields[name], playbook, locale)
            if name in fields
            else value,
        }
        for name, value in event.fields.items()
        if not for_customer or (name in fields and fields[name].customer_sees)
    ]
