"""Words for the findings of a rehearsal and the recipients of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from functions.core.domain.recipients import TEAM_IN, TEAM_NAMED
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import TIMER_KINDS
from functions.core.text.templating import format_time
from functions.core.text.words import LIST_SEPARATOR, label
from functions.core.text.workbench_texts import TEXTS

_REASONS = ("erased", "incomplete", "unreadable")


class Differing(NamedTuple):
    """A ticket with its differences: what, before, after."""

    number: str
    received: str
    differences: Sequence[tuple[str, str, str]]


class RehearsalWords(NamedTuple):
    """A rehearsal as its page shows it.

    Attributes:
        counts: what would differ, and in how many tickets, the most frequent first.
        promises: a kind of deadline with its share that was kept, before and after.
    """

    found: int
    compared: int
    differing: int
    counts: Sequence[tuple[str, int]]
    promises: Sequence[tuple[str, str, str]]
    skipped: Sequence[str]
    tickets: Sequence[Differing]


class PlaybookWords:
    """The words of two playbooks, of which the second is the first one changed."""

    def __init__(self, current: Playbook, changed: Playbook, locale: Locale) -> None:
        self.playbooks, self.locale = (current, changed), locale

    def rehearsal(self, result: Mapping[str, Any]) -> RehearsalWords:
        """Say what a rehearsal found."""
        counts = sorted(result["differences"].items(), key=lambda pair: -pair[1])
        skipped = result["not_compared"]
        return RehearsalWords(
            result["found"],
            result["compared"],
            result["differing"],
            [(self._what(what), count) for what, count in counts],
            [
                (self._timer(kind), self._share(shares["before"]), self._share(shares["after"]))
                for kind, shares in result["promises"].items()
            ],
            [self._t(f"rehearsal.{why}", count=skipped[why]) for why in _REASONS if why in skipped],
            [self._ticket(rows) for rows in result["tickets"]],
        )

    def _ticket(self, rows: Sequence[Mapping[str, str]]) -> Differing:
        return Differing(
            rows[0]["number"],
            self._time(rows[0]["received_at"]),
            [
                (
                    self._what(row["what"]),
                    self._value(row["what"], row["before"], self.playbooks[0]),
                    self._value(row["what"], row["after"], self.playbooks[1]),
                )
                for row in rows
            ],
        )

    def _what(self, what: str) -> str:
        key = f"rehearsal.{what.replace(' ', '_')}"
        if key in TEXTS:
            return self._t(key)
        event, kind, *share = what.split(" ")
        return self._t(f"rehearsal.{event}", timer=self._timer(kind), share="".join(share))

    def _value(self, what: str, value: str, playbook: Playbook) -> str:
        if not value:
            return self._t("rehearsal.nothing")
        said = (self._said(what, one, playbook) for one in value.split(", "))
        return LIST_SEPARATOR[self.locale].join(said)

    def _said(self, what: str, one: str, playbook: Playbook) -> str:
        if what.startswith(("warning", "breach", "expected")):
            return self._time(one)
        if what in ("queue", "asks first"):
            return self._t(f"rehearsal.value.{one}")
        terms: Mapping[str, Mapping[str, object]] = {
            "type": playbook.types,
            "team": playbook.teams,
            "tags": playbook.tags,
            "priority": playbook.priorities,
        }
        return label(terms.get(what.removeprefix("later "), {}), one, self.locale)

    def _share(self, counts: Mapping[str, Any]) -> str:
        if counts["share"] is None:
            return "–"
        share = f"{counts['share']:.0%}"
        return self._t("rehearsal.share", share=share, kept=counts["kept"], of=counts["of"])

    def _time(self, text: str) -> str:
        return format_time(datetime.fromisoformat(text), self.playbooks[0], self.locale)

    def _timer(self, kind: str) -> str:
        return TIMER_KINDS[kind][self.locale] if kind in TIMER_KINDS else kind

    def _t(self, key: str, **values: object) -> str:
        return TEXTS[key][self.locale].format(**values)


def recipient_words(recipient: str, playbook: Playbook, locale: Locale) -> str:
    """Say to whom a message goes."""
    if recipient.startswith(TEAM_NAMED):
        return label(playbook.teams, recipient.removeprefix(TEAM_NAMED), locale)
    if recipient.startswith(TEAM_IN):
        name = recipient.removeprefix(TEAM_IN)
        fields = (step.fields[name] for step in playbook.steps.values() if name in step.fields)
        said = next((field.label[locale] for field in fields), name)
        return TEXTS["recipient.field"][locale].format(field=said)
    return TEXTS[f"recipient.{recipient}"][locale]
