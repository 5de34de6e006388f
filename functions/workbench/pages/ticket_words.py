"""A ticket's times, deadlines and entries as its page shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.ticket import TIMER_KINDS, Ticket
from functions.core.domain.timers import parse_field_time, settled
from functions.core.text.queue_texts import channel_label
from functions.core.text.templating import format_day
from functions.core.text.words import LIST_SEPARATOR, label

if TYPE_CHECKING:
    from functions.core.domain.roster import Agent
    from functions.core.domain.rules import Locale, Step, TimerRule
    from functions.workbench.pages.page import WorkbenchPage

NEAR = timedelta(hours=1)
"""The time before a deadline from which it is shown as near."""

_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]{2}")


@dataclass(frozen=True)
class Moment:
    """A time: as short as it is clear today, in full, and for machines."""

    short: str
    full: str
    iso: str


@dataclass(frozen=True)
class Deadline:
    """A running or paused timer, in words; `state` is `far`, `near`, `late` or `paused`."""

    kind: str
    label: str
    state: str
    words: str
    reason: str
    due: Moment | None


@dataclass(frozen=True)
class Attached:
    """A file of a ticket; without `url` the person may not read it."""

    name: str
    size: str
    url: str | None
    refused: str = ""


@dataclass
class ShownEntry:
    """Something in the conversation.

    Attributes:
        kind: `message`, `automatic`, `note`, `step` or `events`.
        parts: the text in pieces, each with whether its words decided something.
        lines: events of one commit, each in words, with its details.
        call: our id of the phone call that the entry is about.
        fields: those of a step, each with label and value.
    """

    id: str
    kind: str
    at: Moment
    when: datetime
    version: int
    number: str
    who: str = ""
    direction: str = ""
    channel: str = ""
    delivery: str = ""
    delivery_state: str = ""
    reason: str = ""
    remark: str = ""
    label: str = ""
    language: str = ""
    sealed: bool = False
    call: str = ""
    parts: Sequence[tuple[str, bool]] = ()
    lines: list[tuple[str, str]] = field(default_factory=list)
    fields: Sequence[dict[str, str]] = ()
    files: list[Attached] = field(default_factory=list)

    @property
    def opening(self) -> str:
        """The beginning of the text, for a line that opens to the whole."""
        text = " ".join("".join(part for part, _ in self.parts).split())
        return text if len(text) <= 60 else f"{text[:59]}…"


@dataclass
class Words:
    """Says things about a ticket in the language of the page."""

    page: WorkbenchPage

    def t(self, key: str, **values: object) -> str:
        return self.page.say(key, **values)

    def moment(self, at: datetime | str) -> Moment:
        """Return a time in the desk's zone."""
        at = datetime.fromisoformat(at) if isinstance(at, str) else at
        local = at.astimezone(self.page.playbook.zone)
        now = self.page.request.now.astimezone(self.page.playbook.zone)
        clock = f"{local:%H:%M}"
        day = format_day(local, self.page.locale)
        full = f"{local:%Y-%m-%d %H:%M}"
        if local.date() == now.date():
            short = clock
        elif local.year == now.year or abs(local - now) < timedelta(days=180):
            bare = day.partition("（")[0] if self.page.locale == "zh-CN" else day[4:]
            short = f"{bare} {clock}"
        else:
            short = full
        return Moment(short, full, local.isoformat(timespec="seconds"))

    def span(self, time: timedelta) -> str:
        """Say a time in two units at most."""
        minutes = max(int(time.total_seconds() // 60), 0)
        days, rest = divmod(minutes, 24 * 60)
        hours, minutes = divmod(rest, 60)
        units = (("days", days), ("hours", hours), ("minutes", minutes))
        first = next((i for i, (_, n) in enumerate(units) if n), 2)
        shown = [units[first], *(unit for unit in units[first + 1 : first + 2] if unit[1])]
        return " ".join(self.t(f"ticket.{name}", n=n) for name, n in shown)

    def named(self, prefix: str, name: str) -> str:
        """Return the text `prefix.name`, the name itself if there is none."""
        try:
            return self.t(f"{prefix}.{name}")
        except KeyError:
            return name

    def listed(self, names: Iterable[str]) -> str:
        return LIST_SEPARATOR[self.page.locale].join(names)

    def language(self, text: str) -> Locale:
        return language_of(text, self.page.locale)

    def channel(self, name: str) -> str:
        return channel_label(name, self.page.locale)

    @property
    def agents(self) -> dict[str, Agent]:
        from functions.core.storage.roster import ROSTER_TTL

        page = self.page
        found = page.storage.roster.recent(page.desk, page.request.now, ROSTER_TTL)
        return {agent.username: agent for agent in found}

    def person(self, actor: str) -> str:
        """Name whoever acted, as colleagues do."""
        if actor in ("customer", "system"):
            return self.t(f"ticket.{actor}")
        agent = self.agents.get(actor)
        return (agent.display_name if agent else "") or actor

    # Deadlines

    def deadlines(self, ticket: Ticket) -> list[Deadline]:
        """Return what is due, the next first; what is paused comes last."""
        playbook = self.page.playbook
        found = []
        for kind, stored in ticket.timers.items():
            rule = playbook.timers.get(kind)
            timer = settled(stored, rule, playbook) if rule else stored
            if timer.awaits:
                found.append((timer.due_at is None, timer.due_at or ticket.updated_at, kind, timer))
        return [
            self._deadline(kind, timer.due_at, timer.left, timer.counted_at is not None, ticket)
            for _, _, kind, timer in sorted(found, key=lambda each: each[:3])
        ]

    def _deadline(
        self,
        kind: str,
        due_at: datetime | None,
        left: timedelta | None,
        provisional: bool,
        ticket: Ticket,
    ) -> Deadline:
        playbook, now = self.page.playbook, self.page.request.now
        rule = playbook.timers.get(kind)
        named = TIMER_KINDS.get(kind, {}).get(self.page.locale, kind)
        reasons = [self._allowance(rule, ticket)] if rule else []
        due = self.moment(due_at) if due_at else None
        if due_at is None or due is None:
            state, words = "paused", self.t("ticket.paused", time=self.span(left or timedelta()))
            status = label(playbook.statuses, ticket.status, self.page.locale)
            reasons = [self.t("ticket.paused_by", status=status)]
        elif rule is not None and rule.appointment:
            state, words = "far", self.t("ticket.at", at=due.short)
            reasons = []
        elif due_at <= now:
            state, words = "late", self.t("ticket.overdue", time=self.span(now - due_at))
        else:
            state = "near" if due_at - now <= NEAR else "far"
            soon = due_at - now < timedelta(hours=12)
            key, values = (
                ("left", {"time": self.span(due_at - now)})
                if soon
                else (
                    "due",
                    {"at": due.short},
                )
            )
            words = self.t(f"ticket.{key}", **values)
        if provisional:
            reasons.append(self.t("ticket.provisional"))
        return Deadline(kind, named, state, words, " · ".join(filter(None, reasons)), due)

    def _allowance(self, rule: TimerRule, ticket: Ticket) -> str:
        if rule.until:
            return ""
        if isinstance(rule.within, timedelta):
            said = self.t("ticket.within", time=self.span(rule.within))
        elif ticket.priority in rule.within:
            priority = label(self.page.playbook.priorities, ticket.priority, self.page.locale)
            time = self.span(rule.within[ticket.priority])
            said = self.t("ticket.allowed", priority=priority, time=time)
        else:
            return ""
        return f"{said} · {self.t('ticket.business')}" if rule.clock == "business" else said

    # Entries

    def entries(
        self, shown: dict[str, Any], marks: Sequence[str] = (), opens: bool = False
    ) -> list[ShownEntry]:
        """Return the conversation, oldest first, with the events of the ticket between.

        Args:
            marks: words that decided the classification, marked in the request.
            opens: the person may open originals.
        """
        from functions.workbench.pages.ticket_reasons import marked

        files = self.files(shown)
        entries: list[tuple[datetime, int, int, ShownEntry]] = []
        said = set()
        for order, message in enumerate(shown["messages"]):
            entry = self._message(message)
            said.add((message["number"], message["version"], message["event"]))
            received = message["event"] == "TicketReceived" and message["direction"] == "in"
            entry.parts = marked(message["text"], marks if received else ())
            entry.sealed = bool(message.get("sealed")) and opens
            own = (message["number"], message["version"], message["event"])
            entry.files = files.pop(own, [])
            entries.append((entry.when, entry.version, order, entry))
        entries += [
            (entry.when, entry.version, _AFTER_MESSAGES, entry)
            for entry in self._events(shown, said)
        ]
        for _, _, _, entry in entries:
            if entry.kind != "message":
                for key in [each for each in files if each[:2] == (entry.number, entry.version)]:
                    entry.files += files.pop(key)
        entries.sort(key=lambda each: each[:3])
        found = [entry for *_, entry in entries]
        taken: dict[str, int] = {}
        for entry in found:
            count = taken[entry.id] = taken.get(entry.id, 0) + 1
            entry.id = entry.id if count == 1 else f"{entry.id}-{count}"
        return found

    def _message(self, message: dict[str, Any]) -> ShownEntry:
        at = datetime.fromisoformat(message["at"])
        incoming, state = message["direction"] == "in", message["delivery"]
        automatic = not incoming and message["actor"] == "system"
        remarks = []
        if message.get("by_another"):
            remarks.append(self.t("ticket.by_another", who=message["by_another"]))
        if message.get("by_submitter"):
            remarks.append(self.t("ticket.by_submitter"))
        if message.get("parts", 0) > 1:
            remarks.append(self.t("ticket.parts", n=message["parts"]))
        return ShownEntry(
            id=f"m-{message['number']}-{message['version']}",
            kind="automatic" if automatic else "message",
            at=self.moment(at),
            when=at,
            version=message["version"],
            number=message["number"],
            who="" if automatic else self.person("customer" if incoming else message["actor"]),
            direction=message["direction"],
            channel=self.channel(message["channel"]),
            delivery=self.named("ticket.delivery", state) if state else "",
            delivery_state=state or "",
            reason=message.get("reason", ""),
            remark=" · ".join(remarks),
            language=language_of(message["text"], self.page.locale),
        )

    def _events(
        self, shown: dict[str, Any], said: set[tuple[str, int, str]]
    ) -> Iterator[ShownEntry]:
        """The entries of the timeline that are no messages; events of a commit are one entry."""
        quiet: ShownEntry | None = None
        for line in shown["timeline"]:
            if (shown["number"], line["version"], line["event"]) in said and (
                line["event"] in _MESSAGES
            ):
                continue
            if line["event"] in ("NoteAdded", "PhoneCallAttached", "StepTaken"):
                quiet = None
                yield self._work(shown, line)
                continue
            if quiet is None or quiet.version != line["version"]:
                quiet = self._entry(shown, line, "events")
                yield quiet
            quiet.lines.append((self.event(line), self.details(line)))

    def _work(self, shown: dict[str, Any], line: dict[str, Any]) -> ShownEntry:
        if line["event"] != "StepTaken":
            entry = self._entry(shown, line, "note")
            entry.call = line["details"].get("call", "")
            text = line["details"].get("text", "")
            entry.parts = ((text, False),)
            entry.language = language_of(text, self.page.locale)
            return entry
        entry = self._entry(shown, line, "step")
        entry.fields = line.get("fields", ())
        return entry

    def _entry(self, shown: dict[str, Any], line: dict[str, Any], kind: str) -> ShownEntry:
        at = datetime.fromisoformat(line["at"])
        who = "" if line["actor"] in ("customer", "system") else self.person(line["actor"])
        return ShownEntry(
            id=f"e-{line['version']}-{kind}",
            kind=kind,
            at=self.moment(at),
            when=at,
            version=line["version"],
            number=shown["number"],
            who=who,
            label=line["label"],
        )

    def event(self, line: dict[str, Any]) -> str:
        """Name an event; what a person has classified is not classified automatically."""
        by_person = line["actor"] not in ("customer", "system")
        if line["event"] == "TicketClassified" and by_person:
            return self.t("ticket.reclassified")
        return str(line["label"])

    def details(self, line: dict[str, Any]) -> str:
        """Say what an event contains."""
        given = dict(line["details"])
        if given.get("handler_name"):
            given.pop("handler", None)
        said = (self._detail(name, value) for name, value in given.items())
        return " · ".join(dict.fromkeys(each for each in said if each))

    def _detail(self, name: str, value: Any) -> str:
        playbook, locale = self.page.playbook, self.page.locale
        terms: dict[str, Mapping[str, object]] = {
            "team": playbook.teams,
            "type": playbook.types,
            "proposed_type": playbook.types,
            "priority": playbook.priorities,
            "step": playbook.steps,
            "tags": playbook.tags,
        }
        if value in (None, "", [], {}):
            return ""
        if name in terms:
            names = value if isinstance(value, list) else [value]
            return self.listed(label(terms[name], each, locale) for each in names)
        match name:
            case "kind":
                return TIMER_KINDS.get(value, {}).get(locale, str(value))
            case "score":
                return self.t("ticket.score", n=value)
            case "handler" | "reviewer":
                return self.person(value)
            case "reason" if value in _CODES:
                return self.t(f"ticket.reason.{value}")
            case "mood":
                return self.t("ticket.mood", mood=self.named("ticket.mood", value))
        return str(value) if name in _SAID else ""

    # The right column

    def fields(self, step: str | None, values: dict[str, str]) -> list[dict[str, str]]:
        """Return values of steps' fields as people read them; of any step if none is named."""
        steps = self.page.playbook.steps
        named = steps.get(step or "")
        known = [named] if named else list(steps.values())
        return [self._field(name, value, known) for name, value in values.items() if value]

    def _field(self, name: str, value: str, steps: Sequence[Step]) -> dict[str, str]:
        field = next((step.fields[name] for step in steps if name in step.fields), None)
        if field is None:
            return {"name": name, "label": name, "value": value}
        if field.kind == "choice":
            value = label(self.page.playbook.choices(field), value, self.page.locale)
        elif field.kind == "time" and (at := parse_field_time(value)):
            value = self.moment(at).full
        return {"name": name, "label": field.label[self.page.locale], "value": value}

    def request(self, shown: dict[str, Any]) -> list[tuple[str, str]]:
        """Return what the customer said beside the description, each with its label."""
        product = shown["product"] or {}
        named = " ".join(filter(None, (product.get("name"), product.get("model"))))
        received = self.moment(shown["received_at"]).short
        entered_by = self.person(shown["entered_by"]) if shown["entered_by"] else None
        said = {
            "order": shown["order"],
            "product": named,
            "serial": product.get("serial"),
            "purchased_on": product.get("purchased_on"),
            "proof_of_purchase": shown["proof_of_purchase"],
            "since": shown["since"],
            "environment": shown["environment"],
            "attempted": shown["attempted"],
            "channel": self.channel(shown["channel"]),
            "received": received,
            "entered_by": entered_by,
            "privacy": shown["privacy_version"],
        }
        return [(self.t(f"ticket.{name}"), str(value)) for name, value in said.items() if value]

    def assignee(self, name: str) -> str:
        """Name whose task something is: an agent, a team, or all of a role."""
        kind, _, who = name.partition(":")
        if kind == "agent":
            return self.person(who)
        return label(self.page.playbook.teams, who, self.page.locale)

    def until(self, due_at: str) -> str:
        """Say how much time is left, or by how much it is over."""
        left = datetime.fromisoformat(due_at) - self.page.request.now
        if left <= timedelta():
            return self.t("ticket.overdue", time=self.span(-left))
        if left < timedelta(hours=12):
            return self.t("ticket.left", time=self.span(left))
        return self.t("ticket.due", at=self.moment(due_at).short)

    def urgency(self, due_at: str) -> str:
        left = datetime.fromisoformat(due_at) - self.page.request.now
        return "late" if left <= timedelta() else "near" if left <= NEAR else "far"

    # Files

    def files(self, shown: dict[str, Any]) -> dict[tuple[str, int, str], list[Attached]]:
        """Return the files of a page of entries, by number, version and event."""
        found: dict[tuple[str, int, str], list[Attached]] = {}
        counts: dict[tuple[str, int], int] = {}
        for file in shown["attachments"]:
            source = file["number"], file["version"]
            index = counts[source] = counts.get(source, -1) + 1
            url = None
            if file["url"]:
                parts = ("tickets", file["number"], "files", str(file["version"]), str(index))
                url = self.page.url(*parts)
            kept = Attached(file["name"], size_of(file["size"]), url)
            found.setdefault((*source, file["event"]), []).append(kept)
        for file in shown["refused"]:
            reason = self.named("refused", file["reason"])
            said = self.t("ticket.refused_file", reason=reason)
            refused = Attached(file["name"], size_of(file["size"]), None, said)
            key = (file["number"], file["version"], file["event"])
            found.setdefault(key, []).append(refused)
        return found


_AFTER_MESSAGES = 1_000_000
"""The place of the events of a commit: after its messages."""

_CODES = frozenset({"routing", "collected", "nobody free", "reopened", "shift ended"})
"""Reasons that the code gives."""

_SAID = frozenset(
    {
        "handler_name", "reason", "note", "cause", "comment", "question", "summary", "outcome",
        "into", "number", "contact", "customer_class",
    }
)  # fmt: skip
"""The values of events that are shown as they are."""

_MESSAGES = frozenset({"TicketReceived", "CustomerWrote", "ReplySent", "InformationRequested"})
"""The events that are shown as messages; the automatic message about another is beside it."""


def language_of(text: str, otherwise: Locale) -> Locale:
    """Return the language of a text by its script, for its pronunciation and its fonts."""
    if _HAN.search(text):
        return "zh-CN"
    return "en" if _LATIN.search(text) else otherwise


def size_of(size: int) -> str:
    """Write the size of a file."""
    if size < 1024 * 1024:
        return f"{max(size / 1024, 0.1):.1f} KB"
    return f"{size / 1024 / 1024:.1f} MB"
