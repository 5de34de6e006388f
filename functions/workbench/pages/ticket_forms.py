"""The forms of actions, made from what the actions and the desk's steps declare.

An action's fields are those of its body (`core.domain.commands`), a step's are in the playbook. So
a new action or step has its form as soon as its fields have labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from functions.core.domain import commands as c
from functions.core.domain.commands.base import Body, BodyWithFiles, TermOf
from functions.core.domain.commands.steps import StepBody
from functions.core.domain.privacy import FREE_TEXT
from functions.core.domain.timers import parse_field_time
from functions.core.pages.addresses import nothing_here
from functions.core.text.words import label

if TYPE_CHECKING:
    from functions.core.domain.rules import Step
    from functions.workbench.pages.ticket_words import Words

Kind = Literal[
    "text", "long", "one", "several", "tick", "ticket", "time", "date", "number", "list",
    "hidden",
]  # fmt: skip

SHORT = 200
"""The most characters of a text that has one line."""

RADIOS = 5
"""The most choices that are shown side by side."""

_WHOLE = re.compile(r"[0-9]{1,9}")

RECIPIENT = "recipient"
"""The field of `assign` that stands for its agent, team or queue."""


@dataclass(frozen=True)
class FieldChoice:
    """A value that can be chosen; choices of the same `group` stand together."""

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True)
class FormField:
    """A field of a form, its values so far, and what is wrong with them."""

    name: str
    label: str
    kind: Kind
    values: Sequence[str] = ()
    choices: Sequence[FieldChoice] = ()
    required: bool = False
    most: int = 0
    hints: Sequence[str] = ()
    errors: Sequence[str] = ()

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def groups(self) -> list[tuple[str, list[FieldChoice]]]:
        found: dict[str, list[FieldChoice]] = {}
        for choice in self.choices:
            found.setdefault(choice.group, []).append(choice)
        return list(found.items())

    @property
    def radios(self) -> bool:
        return self.kind == "one" and self.required and len(self.choices) <= RADIOS


@dataclass(frozen=True)
class ActionForm:
    """The form of an action."""

    action: str
    label: str
    fields: Sequence[FormField]
    files: bool = False
    notes: Sequence[str] = ()

    @property
    def is_bare(self) -> bool:
        """Return whether there is nothing to fill in, so that a button is enough."""
        return not (self.fields or self.files or self.notes)

    def with_values(self, given: Mapping[str, Sequence[str]]) -> ActionForm:
        """Return the form with what somebody has filled in."""
        fields = [
            replace(each, values=[value for value in given[each.name] if value])
            if each.name in given
            else each
            for each in self.fields
        ]
        return replace(self, fields=fields)

    def with_errors(self, errors: Mapping[str, Sequence[str]]) -> ActionForm:
        """Return the form with what is wrong beside the fields."""
        if self.action == "assign":
            found = [text for name in ("agent", "team", "queue") for text in errors.get(name, ())]
            errors = {**errors, RECIPIENT: found}
        fields = [replace(each, errors=errors.get(each.name, ())) for each in self.fields]
        return replace(self, fields=fields)


def form_of(action: str, shown: Mapping[str, Any], words: Words) -> ActionForm:
    """Return the form of an action of the desk, filled in as far as is known.

    Raises:
        NotFound: the desk has no such action.
    """
    declared = c.agent_actions().get(action)
    if declared is not None:
        fields = [
            _declared(action, name, field, shown, words)
            for name, field in declared.body.model_fields.items()
            if name not in BodyWithFiles.model_fields
        ]
        if action == "assign":
            fields = [_recipient(shown, words), *fields[3:]]
            if shown["status"] != "in_review":
                fields = [each for each in fields if each.name != "insist"]
        files = issubclass(declared.body, BodyWithFiles)
        chinese, english = declared.label
        named = chinese if words.page.locale == "zh-CN" else english
        notes = [words.t("ticket.original.hint")] if action == "open-original" else []
        return ActionForm(action, named, fields, files, notes)
    step = words.page.playbook.steps.get(action)
    if step is None:
        raise nothing_here()
    return _step(action, step, shown, words)


def label_of(action: str, words: Words) -> str:
    """Name an action of the desk."""
    declared = c.agent_actions().get(action)
    if declared is None:
        return label(words.page.playbook.steps, action, words.page.locale)
    return declared.label[0 if words.page.locale == "zh-CN" else 1]


def body_of(action: str, given: Mapping[str, Sequence[str]], words: Words) -> dict[str, Any]:
    """Return the body of an action from the fields of a form.

    A field that the form did not have is left out. What cannot be read is passed on as it is, so
    that the action says what is wrong with it.
    """
    body: dict[str, Any] = {}
    declared = c.agent_actions().get(action)
    given = dict(given)
    if action == "assign" and (chosen := given.pop(RECIPIENT, [""])[0]):
        name, _, value = chosen.partition(":")
        body[name] = value
    model: type[Body] = declared.body if declared else StepBody
    if ids := [value for value in given.pop("attachments", []) if value]:
        body["attachments"] = ids
    version = (given.pop("version", None) or [""])[0]
    if version:
        body["version"] = version if (known := whole(version)) is None else known
    if declared is None:
        step = words.page.playbook.steps.get(action)
        for name, values in given.items():
            field = step.fields.get(name) if step else None
            if field and (filled := _of_step(field.kind, values, words)):
                body[name] = filled
        return body
    for name, values in given.items():
        taken = model.model_fields.get(name)
        if taken is None:
            continue  # such as the composer's own fields
        value = _value(taken, [each for each in values if each])
        if value is not None or (taken.is_required() and _may_be_none(taken)):
            body[name] = value
    return body


def whole(text: str) -> int | None:
    """Return a whole number of at most nine digits, None if the text is none."""
    return int(text) if _WHOLE.fullmatch(text) else None


def _value(field: FieldInfo, values: Sequence[str]) -> Any:
    kinds = _kinds(field)
    if bool in kinds:
        return _truth(values, field)
    if any(get_origin(kind) is tuple for kind in kinds):
        return list(values)
    if int in kinds:
        return whole(values[0]) if values else None
    return values[0] if values else None


def _truth(values: Sequence[str], field: FieldInfo) -> bool | None:
    if field.is_required() and not values:
        return None
    return bool(values) and values[-1] == "yes"


def _of_step(kind: str, values: Sequence[str], words: Words) -> str | list[str]:
    value = values[0].strip() if values else ""
    if kind == "list":
        lines = (line.strip() for each in values for line in each.splitlines())
        return [line for line in lines if line]
    if kind == "time" and value and parse_field_time(value) is None:
        try:
            local = datetime.fromisoformat(value)
        except ValueError:
            return value
        return local.replace(tzinfo=words.page.playbook.zone).isoformat(timespec="minutes")
    return value


def _declared(
    action: str, name: str, field: FieldInfo, shown: Mapping[str, Any], words: Words
) -> FormField:
    """Return a field of an action's body."""
    kinds = _kinds(field)
    known = _known(action, name, shown)
    made = FormField(
        name,
        _label(action, name, words),
        "text",
        known,
        required=field.is_required() and not _may_be_none(field),
        most=next((m.max_length for m in field.metadata if hasattr(m, "max_length")), 0),
    )
    if bool in kinds:
        if field.is_required():
            choices = [FieldChoice(v, words.t(f"field.{name}.{v}")) for v in ("yes", "no")]
            return replace(made, kind="one", choices=choices)
        return replace(made, kind="tick", values=["yes"] if field.default else [])
    if int in kinds:
        return replace(made, kind="hidden")
    if name == "into":
        return replace(made, kind="ticket", choices=_mergeable(shown, words))
    if choices := _choices(name, field, kinds, words):
        if any(get_origin(kind) is tuple for kind in kinds):
            return replace(made, kind="several", choices=choices, most=0)
        # What every ticket has is chosen already.
        required = made.required or any(isinstance(mark, TermOf) for mark in field.metadata)
        return replace(made, kind="one", choices=choices, most=0, required=required)
    free = FREE_TEXT in field.metadata and made.most > SHORT
    hints = [words.t("ticket.form.max", n=made.most)] if free and made.most < 1000 else []
    return replace(made, kind="long" if free else "text", hints=hints)


def _label(action: str, name: str, words: Words) -> str:
    try:
        return words.t(f"field.{action}.{name}")
    except KeyError:
        return words.t(f"field.{name}")


def _kinds(field: FieldInfo) -> list[Any]:
    """Return the types that a field takes, without their marks."""
    annotation = field.annotation
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else [annotation]
    return [get_args(each)[0] if hasattr(each, "__metadata__") else each for each in options]


def _may_be_none(field: FieldInfo) -> bool:
    return NoneType in _kinds(field)


def _known(action: str, name: str, shown: Mapping[str, Any]) -> list[str]:
    """Return what a field holds before anybody has filled it in."""
    known: dict[str, Any] = {
        "type": shown["proposed_type"] or shown["type"],
        "tags": shown["tags"],
        "priority": shown["priority"],
        "customer_class": shown["customer"]["class"],
        "into": (shown["related"] or [None])[0],
    }
    value = known.get(name)
    if action == "resolve" and name == "summary":
        return []
    return list(value) if isinstance(value, list) else [value] if value else []


def _choices(name: str, field: FieldInfo, kinds: Sequence[Any], words: Words) -> list[FieldChoice]:
    playbook, locale = words.page.playbook, words.page.locale
    for mark in field.metadata:
        if isinstance(mark, TermOf):
            terms = getattr(playbook, mark.section)
            return [FieldChoice(key, term.label[locale]) for key, term in terms.items()]
    for kind in kinds:
        if get_origin(kind) is Literal:
            return [FieldChoice(v, words.t(f"field.{name}.{v}")) for v in get_args(kind)]
    if name == "customer_class":
        return [FieldChoice(key, key) for key in playbook.customer_classes]
    return []


def _mergeable(shown: Mapping[str, Any], words: Words) -> list[FieldChoice]:
    """Return the tickets that this one is most likely merged into; others can be typed."""
    others = [
        FieldChoice(
            other["number"],
            f"{other['number']} · {other['type_label']} · {other['status_label']}",
        )
        for other in shown["other_tickets"]
        if other["status"] != "merged"
    ]
    known = {choice.value for choice in others}
    related = [FieldChoice(each, each) for each in shown["related"] if each not in known]
    return [*related, *others]


def _recipient(shown: Mapping[str, Any], words: Words) -> FormField:
    """Return the choice of whom a ticket is assigned to: those with room and online come first."""
    agents = sorted(
        (agent for agent in words.agents.values() if agent.assignable),
        key=lambda agent: (not agent.has_capacity, not agent.online, agent.load, agent.username),
    )
    review = shown["status"] == "in_review"
    choices = []
    for agent in agents:
        named = words.t(
            "ticket.form.load",
            name=agent.name,
            load=agent.load,
            capacity=agent.capacity,
        )
        team = label(words.page.playbook.teams, agent.team, words.page.locale)
        away = "" if agent.online else f" · {words.t('ticket.form.offline')}"
        choices.append(
            FieldChoice(
                f"agent:{agent.username}",
                f"{named} · {team}{away}",
                words.t("ticket.form.agents"),
            )
        )
    if not review:
        teams = words.page.playbook.teams.items()
        choices += [
            FieldChoice(f"team:{key}", team.label[words.page.locale], words.t("ticket.form.teams"))
            for key, team in teams
            if team.role == "agent"
        ]
        supervisors = words.t("ticket.form.supervisors")
        choices.append(FieldChoice("queue:supervisor", supervisors, words.t("ticket.form.queues")))
    return FormField(RECIPIENT, words.t("field.recipient"), "one", (), choices, required=True)


def _step(action: str, step: Step, shown: Mapping[str, Any], words: Words) -> ActionForm:
    """Return the form of one of the desk's own steps."""
    locale = words.page.locale
    known = next((each for each in shown["steps"] if each["action"] == action), None)
    given = {each["name"]: each["value"] for each in known["fields"]} if known else {}
    notes = []
    if step.approval:
        over = step.approval.field
        notes.append(
            words.t(
                "ticket.form.approval_over",
                field=step.fields[over].label[locale],
                amount=step.approval.over,
            )
            if over
            else words.t("ticket.form.approval")
        )
    if step.customer_sees:
        notes.append(words.t("ticket.form.customer_step"))
    fields = [_step_field(step, name, given.get(name, ""), words) for name in step.fields]
    return ActionForm(action, step.label[locale], fields, step.attachments, notes)


def _step_field(step: Step, name: str, value: str, words: Words) -> FormField:
    field, locale = step.fields[name], words.page.locale
    playbook = words.page.playbook
    choices = [
        FieldChoice(key, term.label[locale]) for key, term in playbook.choices(field).items()
    ]
    hints = []
    for other, wanted in field.required_with.items():
        known = step.fields[other]
        if wanted == "*":
            hints.append(words.t("ticket.form.with_any", field=known.label[locale]))
        else:
            term = playbook.choices(known).get(wanted)
            said = term.label[locale] if term else wanted
            hints.append(words.t("ticket.form.with", field=known.label[locale], value=said))
    if field.kind == "list":
        hints.append(words.t("ticket.form.list"))
    if field.future:
        hints.append(words.t("ticket.form.future"))
    if field.customer_sees:
        hints.append(words.t("ticket.form.sees"))
    kind: Kind = "long" if field.max > SHORT else "text"
    match field.kind:
        case "choice":
            kind = "one"
        case "time":
            kind = "time"
            at = parse_field_time(value) if value else None
            value = f"{at.astimezone(playbook.zone):%Y-%m-%dT%H:%M}" if at else value
        case "date" | "number" | "list":
            kind = field.kind
    if kind == "list":
        value = value.replace("、", "\n")
    most = field.max if kind in ("text", "long", "list") else 0
    required = field.required
    return FormField(
        name, field.label[locale], kind, [value] if value else [], choices, required, most, hints
    )
