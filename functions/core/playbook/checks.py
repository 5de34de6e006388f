"""Rules of a playbook that can never work, though all their names are defined."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from functions.core.domain.closing import characters_over
from functions.core.domain.commands import agent_actions
from functions.core.domain.commands.steps import BODY_FIELDS
from functions.core.domain.events import EVENTS, ContactCorrected
from functions.core.domain.playbook_model import TICKET_TASKS
from functions.core.domain.playbook_reports import MAIL_TO
from functions.core.domain.playbook_types import MAIL_ADDRESS
from functions.core.domain.recipients import (
    FORMER_CONTACT,
    TEAM_IN,
    TEAM_NAMED,
    Recipient,
)
from functions.core.domain.roster import Role
from functions.core.domain.rules import Condition, Playbook, Step
from functions.core.domain.ticket import IN_HAND, STATUSES
from functions.core.domain.webhooks import Endpoint
from functions.core.playbook import sms_checks
from functions.core.playbook.explain import Location, Problem
from functions.core.playbook.told import told_to_customers, used_variables
from functions.core.text.templating import TEMPLATE_VARIABLES, faults, template_variables


def problems(playbook: Playbook) -> Iterator[Problem]:
    yield from _calendar(playbook)
    yield from _numbers(playbook)
    yield from _records(playbook)
    yield from _duplicates(playbook)
    yield from _routing(playbook)
    yield from _customer_classes(playbook)
    yield from _allowances(playbook)
    yield from _scores(playbook)
    for name, step in playbook.steps.items():
        yield from _step(name, step, playbook)
    yield from _shown_fields(playbook)
    for kind, timer in playbook.timers.items():
        if timer.task is not None and not timer.task.startswith(TEAM_NAMED):
            yield ("timers", kind, "task"), "expected 'team:' with a team"
    yield from _appointments(playbook)
    yield from _mailboxes(playbook)
    yield from _report_recipients(playbook)
    yield from _endpoints(playbook)
    yield from _sources(playbook)
    yield from _language_model(playbook)
    yield from _conditions(playbook)
    yield from _former_contacts(playbook)
    yield from _relayed_texts(playbook)
    yield from sms_checks.problems(playbook)
    yield from _texts(playbook)


def _calendar(playbook: Playbook) -> Iterator[Problem]:
    try:
        _ = playbook.hours
    except ValueError as error:
        yield ("calendar",), str(error)


def _former_contacts(playbook: Playbook) -> Iterator[Problem]:
    for index, rule in enumerate(playbook.notifications):
        if rule.to == FORMER_CONTACT and rule.on != ContactCorrected.__name__:
            yield ("notifications", index), f"{FORMER_CONTACT} only hears of ContactCorrected"


_WRITTEN_BY_CUSTOMER = frozenset({"description", "order"})
"""Variables that repeat a request, in a stranger's words if nobody has proven its contact."""


def _relayed_texts(playbook: Playbook) -> Iterator[Problem]:
    """Find messages that would send a stranger's words to whatever contact the stranger named."""
    for name, ons in told_to_customers(playbook).items():
        message = playbook.messages.get(name)
        if message is None or message.agents_only:
            continue
        said = {EVENTS[on].says for on in ons if on in EVENTS and EVENTS[on].direction == "in"}
        for field in ("subject", "text", "sms"):
            for locale, text in (getattr(message, field) or {}).items():
                for variable in sorted(used_variables(text) & (_WRITTEN_BY_CUSTOMER | said)):
                    yield (
                        ("messages", name, field, locale),
                        f"'{variable}' would send a stranger's words to any contact; leave it out, "
                        "or restrict the message with `agents_only: true`",
                    )


_LARGEST_SERIAL = 99_999_999
"""More tickets than a desk takes in a day: 1,000 a second are 86,400,000."""


def _numbers(playbook: Playbook) -> Iterator[Problem]:
    """Find a pattern that is invalid, or writes a number twice (A3).

    A pattern that does not show the period in which serials restart repeats numbers, and creating
    the second ticket of a number fails.
    """
    number = playbook.number
    try:
        sample = number.write(datetime(2026, 1, 2, tzinfo=UTC), 7)
    except (KeyError, ValueError, IndexError) as error:
        yield ("number", "pattern"), f"the pattern cannot be filled in: {error}"
        return
    if not re.fullmatch(r"[A-Za-z0-9-]{4,40}", sample) or "{serial" not in number.pattern:
        yield (
            ("number", "pattern"),
            "the pattern needs {serial} and may write 4 to 40 letters, digits and hyphens only; "
            f"it writes '{sample}'",
        )
        return
    longest = number.write(datetime(2026, 9, 30, tzinfo=UTC), _LARGEST_SERIAL)
    over = characters_over(playbook.desk, longest)
    if over:
        yield (
            ("number", "pattern"),
            f"the desk's name and a number such as '{longest}' are {over} characters too long "
            "together: they name executions of the closing workflow; shorten `desk` or the pattern",
        )
    periods: dict[str, str] = {}
    for days in range(3 * 366):
        local = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
        period = number.period(local)
        if periods.setdefault(number.write(local, 1), period) != period:
            yield (
                ("number", "pattern"),
                f"the pattern writes the same numbers each {number.restarts}, when serials "
                "restart; show more of the date or restart less often",
            )
            return


def _records(playbook: Playbook) -> Iterator[Problem]:
    try:
        playbook.records.pattern.format(ticket="T1", step=1)
    except (KeyError, ValueError, IndexError) as error:
        yield ("records", "pattern"), f"the pattern cannot be filled in: {error}"


def _duplicates(playbook: Playbook) -> Iterator[Problem]:
    for section, ids in (
        ("rules", [rule.id for rule in playbook.rules]),
        ("templates", [template.id for template in playbook.templates]),
    ):
        for index, name in enumerate(ids):
            if name in ids[:index]:
                yield (section, index, "id"), f"duplicate id '{name}'"


def _routing(playbook: Playbook) -> Iterator[Problem]:
    last = len(playbook.routing) - 1
    unconditional = [i for i, entry in enumerate(playbook.routing) if entry.when == Condition()]
    if not unconditional:
        yield (
            ("routing", last),
            "the last destination must have no `when`, or some tickets match none",
        )
    elif unconditional[0] != last:
        yield (
            ("routing", unconditional[0]),
            "without `when` it takes every ticket, so later destinations are never reached",
        )


def _customer_classes(playbook: Playbook) -> Iterator[Problem]:
    """Find an order by `vip` that has no effect since no class comes first.

    Former playbooks put a class first by naming it `vip` (`playbook_upgrades`).
    """
    classes, assignment = playbook.customer_classes, playbook.assignment
    if "vip" not in assignment.order or any(known.comes_first for known in classes.values()):
        return
    if "vip" in classes:
        yield (
            ("customer_classes", "vip"),
            "`assignment.order` has `vip`, but no customer class comes first; "
            "add `comes_first: true` to the class that does",
        )


def _allowances(playbook: Playbook) -> Iterator[Problem]:
    for kind, timer in playbook.timers.items():
        if isinstance(timer.within, dict):
            for priority in playbook.priorities:
                if priority not in timer.within:
                    yield ("timers", kind, "within"), f"the time for '{priority}' is missing"


def _scores(playbook: Playbook) -> Iterator[Problem]:
    low, high = playbook.survey.scores
    if low >= high:
        yield (
            ("survey", "scores"),
            f"expected the lowest score and a higher one, got {low} and {high}",
        )
    elif not low < playbook.survey.review.below <= high:
        yield ("survey", "review", "below"), f"expected a number from {low + 1} to {high}"
    for name, word in playbook.survey.words.items():
        if not low <= word.score <= high:
            yield ("survey", "words", name, "score"), f"expected a number from {low} to {high}"


def _step(name: str, step: Step, playbook: Playbook) -> Iterator[Problem]:
    location = ("steps", name)
    if name in {*agent_actions(), "attachments", *TICKET_TASKS}:
        yield location, "every desk has an action of this name; choose another"
    for role in step.by:
        if role not in get_args(Role):
            roles = ", ".join(get_args(Role))
            yield (*location, "by"), f"there is no '{role}'; expected one of {roles}"
    for key, field in step.fields.items():
        if key in BODY_FIELDS:
            yield (*location, "fields", key), "this name is reserved; choose another"
        if field.future and field.kind != "time":
            yield (*location, "fields", key, "future"), "only a field of kind time can be ahead"
        if field.kind == "choice" and not field.choices:
            yield (*location, "fields", key, "choices"), "a choice needs at least one entry"
        for choice, label in field.choices.items():
            if label is None and choice not in playbook.teams:
                yield (
                    (*location, "fields", key, "choices"),
                    f"'{choice}' is no team, so it needs a label in each language",
                )
    if step.asks is not None and not step.asks.startswith((TEAM_NAMED, TEAM_IN)):
        yield (*location, "asks"), "expected 'team:' with a team, or 'field:' with a step's field"
    amount = step.approval.field if step.approval else None
    if amount is not None and step.fields[amount].kind != "number":
        yield (
            (*location, "approval", "field"),
            f"'{amount}' is compared, so its kind must be number",
        )
    yield from _step_target(location, step)


def _shown_fields(playbook: Playbook) -> Iterator[Problem]:
    """Find fields that only some steps show to customers, and messages that show others."""
    for name, step in playbook.steps.items():
        for key, field in step.fields.items():
            if key in playbook.shown_fields and not field.customer_sees:
                yield (
                    ("steps", name, "fields", key, "customer_sees"),
                    "another step shows the field of this name to customers, so all have to",
                )
    hidden = {key for step in playbook.steps.values() for key in step.fields}
    hidden -= playbook.shown_fields | TEMPLATE_VARIABLES
    told = told_to_customers(playbook)
    for location, text in _all_texts(playbook):
        if location[0] == "messages" and location[1] not in told:
            continue
        for variable in sorted(used_variables(text) & hidden):
            yield location, f"customers may not see '{variable}'; set its `customer_sees`"


def _step_target(location: Location, step: Step) -> Iterator[Problem]:
    """Find a step that cannot lead to its status: a step never changes who has the ticket."""
    if step.to is None:
        return
    if step.to not in IN_HAND:
        statuses = ", ".join(status for status in STATUSES if status in IN_HAND)
        yield (*location, "to"), f"a step cannot lead to '{step.to}'; expected one of {statuses}"
    elif step.to == "awaiting_confirmation" and step.resolves is None:
        yield (*location, "to"), "a step to 'awaiting_confirmation' needs `resolves`"
    for status in () if step.answers else step.source:
        if status not in IN_HAND:
            yield (
                (*location, "source"),
                f"in '{status}' the ticket has no handler, so a step cannot lead to '{step.to}'",
            )


def _appointments(playbook: Playbook) -> Iterator[Problem]:
    times = {
        name
        for step in playbook.steps.values()
        for name, field in step.fields.items()
        if field.kind == "time"
    }
    for kind, timer in playbook.timers.items():
        if timer.until is not None and timer.until not in times:
            expected = f"expected one of {', '.join(sorted(times))}" if times else "none is defined"
            yield (
                ("timers", kind, "until"),
                f"no step has a field '{timer.until}' of kind time; {expected}",
            )


def _mailboxes(playbook: Playbook) -> Iterator[Problem]:
    """Find recipients without members and invalid mailboxes."""
    for location, recipient in _recipients(playbook):
        if recipient in {"supervisor", "qa"} and playbook.team_of_role(recipient) is None:
            yield location, f"no team has the role {recipient}, so nobody would be notified"
    for name, team in playbook.teams.items():
        if team.mailbox is not None and not re.fullmatch(MAIL_ADDRESS, team.mailbox):
            yield ("teams", name, "mailbox"), f"expected a mail address, got '{team.mailbox}'"


def _report_recipients(playbook: Playbook) -> Iterator[Problem]:
    """Find recipients of reports who have no address."""
    for index, name in enumerate(playbook.reports.recipients):
        location = ("reports", "recipients", index)
        if name.startswith(MAIL_TO):
            if not re.fullmatch(MAIL_ADDRESS, name.removeprefix(MAIL_TO)):
                yield location, f"expected a mail address after '{MAIL_TO}', got '{name}'"
            continue
        team = playbook.teams.get(name) or playbook.teams.get(playbook.team_of_role(name) or "")
        if team is None:
            yield location, f"there is no team '{name}', and none has this role"
        elif team.mailbox is None:
            yield location, f"'{name}' has no mailbox, so no report would arrive"


def _recipients(playbook: Playbook) -> Iterator[tuple[Location, Recipient]]:
    for index, notification in enumerate(playbook.notifications):
        yield ("notifications", index, "to"), notification.to
    for kind, timer in playbook.timers.items():
        for key, effects in (("on_warning", timer.on_warning), ("on_breach", timer.on_breach)):
            for index, tell in enumerate(effects.tell):
                yield ("timers", kind, key, "tell", index, "to"), tell.to


def _endpoints(playbook: Playbook) -> Iterator[Problem]:
    for name, webhook in playbook.webhooks.items():
        if bool(webhook.url) == bool(webhook.bus):
            yield ("webhooks", name), "expected either 'url' or 'bus'"
        try:
            if webhook.url:
                Endpoint.of(webhook.url)
        except ValueError as error:
            yield ("webhooks", name, "url"), str(error)


def _sources(playbook: Playbook) -> Iterator[Problem]:
    """Find sources that could not be asked, or that give what another one gives."""
    assistant = playbook.assistant
    if assistant is None:
        return
    for name, source in assistant.sources.items():
        at = ("assistant", "sources", name)
        known = ", ".join(sorted(assistant.variables))
        for key in source.keys:
            if key not in assistant.variables:
                yield (*at, "url"), f"'{key}' is not in `variables`; expected one of {known}"
        filled = source.url_for(dict.fromkeys(source.keys, "1")) or ""
        host = source.url.partition("//")[2].partition("/")[0]
        try:
            Endpoint.of(filled)
        except ValueError as error:
            yield (*at, "url"), str(error)
        if "{" in filled or "}" in filled or "{" in host:
            yield (*at, "url"), "expected {…} with a variable's name, after the host"
        for variable in source.values:
            first = assistant.source_of(variable)
            if first != name:
                yield (*at, "values", variable), f"the source '{first}' gives it already"


def _language_model(playbook: Playbook) -> Iterator[Problem]:
    """Find a model whose provider has no such URL or key."""
    model = playbook.language_model
    if model is None:
        return
    at = ("language_model",)
    if model.provider == "bedrock":
        for name in ("url", "secret"):
            if getattr(model, name) is not None:
                yield (*at, name), "AWS's own models have none: the function's role opens them"
        return
    if not model.url or "?" in model.url:
        yield (*at, "url"), "expected what comes before /chat/completions"
        return
    try:
        Endpoint.of(model.url)
    except ValueError as error:
        yield (*at, "url"), str(error)


_UNKNOWN: dict[str, tuple[str, ...]] = {
    "rules": ("queue", "score_below", "approved"),
    "routing": ("score_below", "approved"),
    "timers": ("mentions", "amount_over", "approved"),
    "templates": ("amount_over", "approved"),
    "notifications": ("amount_over",),
}
"""Section of a playbook → keys whose values its conditions never know. Only rules and routing read
the customer's text; a rule can set a tag, which every condition knows."""


def _conditions(playbook: Playbook) -> Iterator[Problem]:
    """Find conditions on values that are not known yet, which would never hold."""
    for section, unknown in _UNKNOWN.items():
        entries: Any = getattr(playbook, section)
        for key, entry in entries.items() if isinstance(entries, dict) else enumerate(entries):
            for name in unknown:
                if name in entry.when.model_fields_set:
                    yield (
                        (section, key, "when", name),
                        "this is not known here, so the condition would never hold",
                    )


def _texts(playbook: Playbook) -> Iterator[Problem]:
    """Find texts with unknown variables, or that fail with filled or empty variables (E4)."""
    known = template_variables(playbook)
    for location, text in _all_texts(playbook):
        unknown, failure = faults(text, known)
        if failure:
            yield location, f"cannot be filled in: {failure}"
        for variable in unknown:
            expected = ", ".join(sorted(known))
            yield location, f"there is no variable '{variable}'; expected one of {expected}"


def _all_texts(playbook: Playbook) -> Iterator[tuple[Location, str]]:
    """Yield every text with variables and its location."""
    for key, message in playbook.messages.items():
        for field in ("subject", "text", "sms"):
            for locale, text in (getattr(message, field) or {}).items():
                yield ("messages", key, field, locale), text
    for index, template in enumerate(playbook.templates):
        for part, texts in template.parts.items():
            for locale, text in texts.items():
                yield ("templates", index, "parts", part, locale), text
        for mood, parts in template.moods.items():
            for part, texts in parts.items():
                for locale, text in texts.items():
                    yield ("templates", index, "moods", mood, part, locale), text
    for key, article in playbook.articles.items():
        for locale, text in article.solution.items():
            yield ("articles", key, "solution", locale), text
