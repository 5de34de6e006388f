"""Names in a playbook that must be defined elsewhere: in the playbook or by Deskbell."""

from collections.abc import Collection, Iterator

from functions.core.domain.commands.steps import ANY_VALUE
from functions.core.domain.events import EVENTS
from functions.core.domain.playbook_reports import PARTS
from functions.core.domain.playbook_upgrades import FORMER_WEBHOOK_TYPES
from functions.core.domain.recipients import TEAM_IN, TEAM_NAMED
from functions.core.domain.rules import Condition, Effect, Playbook, TimerRule
from functions.core.domain.ticket import STATUSES, TIMER_KINDS
from functions.core.domain.webhooks import ALL_EVENTS, event_of_type
from functions.core.playbook.explain import Location, Problem

Reference = tuple[Location, str, Collection[str]]
"""A location, the name there, and the names that are defined."""

STATUSES_NEEDED = ("received", "queued", "assigned", "in_progress", "resolved", "archived")
"""The statuses that every ticket passes through, which each playbook must label."""


def problems(playbook: Playbook) -> Iterator[Problem]:
    for location, name, defined in _references(playbook):
        if name not in defined:
            yield location, _undefined(name, defined)
    yield from _webhook_types(playbook)


def _undefined(name: str, defined: Collection[str]) -> str:
    expected = f"expected one of {', '.join(defined)}" if defined else "none is defined"
    return f"there is no '{name}'; {expected}"


def _references(playbook: Playbook) -> Iterator[Reference]:
    yield ("default_type",), playbook.default_type, playbook.types
    yield ("default_priority",), playbook.default_priority, playbook.priorities
    yield ("survey", "review", "team"), playbook.survey.review.team, playbook.teams
    for name, tag in playbook.tags.items():
        if tag.type is not None:
            yield ("tags", name, "type"), tag.type, playbook.types
    yield from _statuses(playbook)
    yield from _rules(playbook)
    for kind, timer in playbook.timers.items():
        yield from _timer(playbook, kind, timer)
    yield from _templates(playbook)
    yield from _notifications(playbook)
    yield from _steps(playbook)
    yield from _reports(playbook)


def _statuses(playbook: Playbook) -> Iterator[Reference]:
    for status in STATUSES_NEEDED:
        yield ("statuses",), status, playbook.statuses
    for status in playbook.statuses:
        yield ("statuses", status), status, STATUSES
    confirmation = playbook.confirmation
    if confirmation is not None:
        yield ("statuses",), "awaiting_confirmation", playbook.statuses
        if confirmation.solved == "callback":
            yield ("confirmation", "team"), confirmation.team or "", playbook.teams


def _rules(playbook: Playbook) -> Iterator[Reference]:
    for index, rule in enumerate(playbook.rules):
        yield from _condition(playbook, ("rules", index, "when"), rule.when)
        yield from _effect(playbook, ("rules", index, "then"), rule.then)
    for index, destination in enumerate(playbook.routing):
        yield ("routing", index, "team"), destination.team, playbook.teams
        yield from _condition(playbook, ("routing", index, "when"), destination.when)


def _timer(playbook: Playbook, kind: str, timer: TimerRule) -> Iterator[Reference]:
    triggers = [*EVENTS, *_step_names(playbook)]
    location = ("timers", kind)
    yield location, kind, TIMER_KINDS
    if isinstance(timer.within, dict):
        for priority in timer.within:
            yield (*location, "within", priority), priority, playbook.priorities
    for name in timer.start:
        yield (*location, "start"), name, triggers
    for key, names in (("stop", timer.stop), ("cancel", timer.cancel)):
        for name in names:
            yield (*location, key), name, triggers
    if timer.task is not None:
        yield from _recipient(playbook, (*location, "task"), timer.task)
    for name in timer.pause_in:
        yield (*location, "pause_in"), name, STATUSES
    for key, effects in (("on_warning", timer.on_warning), ("on_breach", timer.on_breach)):
        if effects.team is not None:
            yield (*location, key, "team"), effects.team, playbook.teams
        for index, tell in enumerate(effects.tell):
            yield (*location, key, "tell", index, "message"), tell.message, playbook.messages
            yield from _recipient(playbook, (*location, key, "tell", index, "to"), tell.to)
    yield from _condition(playbook, (*location, "when"), timer.when)


def _templates(playbook: Playbook) -> Iterator[Reference]:
    for index, template in enumerate(playbook.templates):
        location = ("templates", index)
        if template.article is not None:
            yield (*location, "article"), template.article, playbook.articles
        yield from _condition(playbook, (*location, "when"), template.when)
        for mood, parts in template.moods.items():
            for part in parts:
                yield (*location, "moods", mood, part), part, template.parts


def _notifications(playbook: Playbook) -> Iterator[Reference]:
    events = [*_notified(), *_step_names(playbook)]
    for index, notification in enumerate(playbook.notifications):
        location = ("notifications", index)
        yield (*location, "on"), notification.on, events
        yield (*location, "message"), notification.message, playbook.messages
        yield from _recipient(playbook, (*location, "to"), notification.to)
        yield from _condition(playbook, (*location, "when"), notification.when)


def _steps(playbook: Playbook) -> Iterator[Reference]:
    for name, step in playbook.steps.items():
        location = ("steps", name)
        for status in step.source:
            yield (*location, "source"), status, STATUSES
        if step.to is not None:
            yield (*location, "to"), step.to, STATUSES
        for field_name, field in step.fields.items():
            for other, value in field.required_with.items():
                at = (*location, "fields", field_name, "required_with")
                yield at, other, step.fields
                any_value = value == ANY_VALUE
                if other in step.fields and step.fields[other].choices and not any_value:
                    yield (*at, other), value, step.fields[other].choices
        for team in step.teams:
            yield (*location, "teams"), team, playbook.teams
        if step.asks is not None:
            yield from _recipient(playbook, (*location, "asks"), step.asks)
        for answered in step.answers:
            yield (*location, "answers"), answered, playbook.steps
        if step.resolves is not None:
            yield (*location, "resolves"), step.resolves, step.fields
        yield from _effect(playbook, (*location, "then"), step.then)
        if step.approval is not None and step.approval.field is not None:
            yield (*location, "approval", "field"), step.approval.field, step.fields


def _reports(playbook: Playbook) -> Iterator[Reference]:
    reports = playbook.reports
    fields: dict[str, list[str]] = {}
    for step in playbook.steps.values():
        for name, field in step.fields.items():
            fields.setdefault(field.kind, []).append(name)
    for index, step_name in enumerate(reports.visits):
        yield ("reports", "visits", index), step_name, playbook.steps
    given = () if reports.parts == PARTS else reports.parts  # those count where a desk has them
    for key, kind, names in (
        ("parts", "list", given),
        ("compensation", "number", reports.compensation),
    ):
        for index, name in enumerate(names):
            yield ("reports", key, index), name, fields.get(kind, [])


def _notified() -> list[str]:
    return sorted(name for name, event in EVENTS.items() if "notify" in event.wakes)


def _webhook_types(playbook: Playbook) -> Iterator[Problem]:
    defined = [ALL_EVENTS, *event_of_type(), *_step_names(playbook)]
    for name, webhook in playbook.webhooks.items():
        for index, event in enumerate(webhook.events):
            location = ("webhooks", name, "events", index)
            if event in FORMER_WEBHOOK_TYPES:
                yield location, f"'{event}' was renamed to '{FORMER_WEBHOOK_TYPES[event]}'"
            elif event not in defined:
                yield location, _undefined(event, defined)


def _step_names(playbook: Playbook) -> list[str]:
    return [f"step:{name}" for name in playbook.steps]


def _recipient(playbook: Playbook, location: Location, recipient: str) -> Iterator[Reference]:
    if recipient.startswith(TEAM_NAMED):
        yield location, recipient.removeprefix(TEAM_NAMED), playbook.teams
    if recipient.startswith(TEAM_IN):
        fields = {name for step in playbook.steps.values() for name in step.fields}
        yield location, recipient.removeprefix(TEAM_IN), sorted(fields)


def _condition(playbook: Playbook, location: Location, when: Condition) -> Iterator[Reference]:
    for key, defined in (
        ("type", playbook.types),
        ("priority", playbook.priorities),
        ("tags", playbook.tags),
        ("customer_class", playbook.customer_classes),
    ):
        for name in getattr(when, key):
            yield (*location, key), name, defined


def _effect(playbook: Playbook, location: Location, then: Effect) -> Iterator[Reference]:
    if then.priority is not None:
        yield (*location, "priority"), then.priority, playbook.priorities
    if then.type is not None:
        yield (*location, "type"), then.type, playbook.types
    for tag in then.add_tags:
        yield (*location, "add_tags"), tag, playbook.tags
