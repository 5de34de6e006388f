"""The reasons for a ticket's type, priority and team: the rules and words that decided (A2, A5).

An event names the rules that fired, not the words: these are found again in the request by the
keywords of the desk's playbook, as the classification finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.core.domain.classification import BY_EXAMPLES, request_text, routing_facts
from functions.core.domain.events import (
    Commit,
    PriorityChanged,
    TicketClassified,
    TicketReceived,
    TypeConfirmed,
)
from functions.core.domain.matching import fold, holds, mentions, places
from functions.core.domain.ticket import Ticket
from functions.core.text.words import label

if TYPE_CHECKING:
    from functions.core.domain.rules import Condition
    from functions.workbench.pages.ticket_words import Words


@dataclass(frozen=True)
class Reason:
    """A decision with its reasons; `wrong` is the action that changes it."""

    name: str
    value: str
    because: str
    wrong: str


@dataclass(frozen=True)
class Why:
    """The reasons for a ticket's classification, and the words of the request behind them."""

    reasons: Sequence[Reason]
    words: Sequence[str]


def why(ticket: Ticket, opening: Sequence[Commit], history: Sequence[Commit], words: Words) -> Why:
    """Explain a ticket's type, tags, priority and team.

    Args:
        opening: the first commits, with the request and its classification.
        history: later ones that are at hand; a change in others is shown without who made it.
    """
    return _Reading(ticket, opening, history, words).why()


class _Reading:
    def __init__(
        self,
        ticket: Ticket,
        opening: Sequence[Commit],
        history: Sequence[Commit],
        words: Words,
    ) -> None:
        self.ticket, self.words = ticket, words
        self.playbook, self.locale = words.page.playbook, words.page.locale
        self.received = opening[0].of(TicketReceived)[0]
        self.text = request_text(self.received)
        self.folded = fold(self.text)
        found = [event for commit in opening for event in commit.of(TicketClassified)]
        self.classified = found[0] if found else None
        known = {commit.version: commit for commit in (*opening, *history)}
        commits = [known[version] for version in sorted(known)]
        typed = [
            commit.actor
            for commit in commits
            for event in commit.events
            if isinstance(event, TypeConfirmed)
            or (isinstance(event, TicketClassified) and event is not self.classified)
        ]
        self.typed_by = typed[-1] if typed else None
        raised = [commit.actor for commit in commits if commit.of(PriorityChanged)]
        self.raised_by = raised[-1] if raised else None

    def why(self) -> Why:
        ticket, playbook = self.ticket, self.playbook
        kind_words, kind_because = self._type()
        rules = set(self.classified.rules) if self.classified else set()
        rule_words = self._of_rules(rules)
        priority_because = self._priority()
        tag_words = [word for tag in ticket.tags for word in self._of_tag(tag)]
        team_words, team_because = self._team()
        reasons = [
            Reason("type", label(playbook.types, ticket.type, self.locale), kind_because,
                   "confirm-type"),
            Reason("priority", label(playbook.priorities, ticket.priority, self.locale),
                   priority_because, "priority"),
        ]  # fmt: skip
        if ticket.tags:
            tags = self.words.listed(label(playbook.tags, tag, self.locale) for tag in ticket.tags)
            reasons.append(Reason("tags", tags, self._quoted(tag_words), "confirm-type"))
        if ticket.team:
            team = label(playbook.teams, ticket.team, self.locale)
            reasons.append(Reason("team", team, team_because, "assign"))
        decided = (*kind_words, *tag_words, *rule_words, *team_words)
        return Why(reasons, tuple(dict.fromkeys(decided)))

    def _type(self) -> tuple[Sequence[str], str]:
        kind, received = self.ticket.type, self.received
        classified = self.classified
        if self.typed_by or (classified and classified.type != kind):
            return (), self._changed_by(self.typed_by)
        by_rule = [
            rule.id
            for rule in self.playbook.rules
            if classified and rule.id in classified.rules and rule.then.type == kind
        ]
        if by_rule:
            return (), self.words.t("ticket.why.rule", rule=by_rule[-1])
        if received.type_given and received.type == kind:
            return (), self.words.t("ticket.why.customer")
        of_tags = [
            (tag, found)
            for tag in self.ticket.tags
            if tag in self.playbook.tags and self.playbook.tags[tag].type == kind
            for found in (self._of_tag(tag),)
            if found
        ]
        if of_tags:
            tag, found = of_tags[0]
            named = self.words.t("ticket.why.tag", tag=label(self.playbook.tags, tag, self.locale))
            return found, f"{named} {self._quoted(found)}"
        known = self.playbook.types.get(kind)
        found = self._found(known.keywords) if known else []
        if found:
            return found, self._quoted(found)
        return (), self.words.t("ticket.why.default") if kind == self.playbook.default_type else ""

    def _priority(self) -> str:
        said = []
        was = self.classified.priority if self.classified else self.received.priority
        if self.raised_by or was != self.ticket.priority:
            return self._changed_by(self.raised_by)
        if self.received.urgency == self.ticket.priority:
            said.append(self.words.t("ticket.why.customer"))
        for rule in self.playbook.rules:
            then = rule.then
            changes = then.priority or then.raise_by or then.lower_by
            if changes and self.classified and rule.id in self.classified.rules:
                conditions = self._conditions(rule.when)
                key = "ticket.why.rule_for" if conditions else "ticket.why.rule"
                said.append(self.words.t(key, rule=rule.id, conditions=conditions))
        if self.classified and BY_EXAMPLES in self.classified.rules:
            said.append(self.words.t("ticket.why.examples"))
        if not said and self.ticket.priority == self.playbook.default_priority:
            said.append(self.words.t("ticket.why.default"))
        return " · ".join(said)

    def _changed_by(self, actor: str | None) -> str:
        return self.words.t("ticket.why.person", who=self.words.person(actor)) if actor else ""

    def _team(self) -> tuple[Sequence[str], str]:
        """The first destination of the playbook that fits, if the ticket is where it leads."""
        facts = routing_facts(self.ticket, self.text)
        facts = replace(facts, text=self.folded)
        for entry in self.playbook.routing:
            if holds(entry.when, facts):
                if entry.team != self.ticket.team:
                    return (), ""
                conditions = self._conditions(entry.when)
                conditions = conditions or self.words.t("ticket.why.otherwise")
                said = self.words.t("ticket.why.routing", conditions=conditions)
                return self._found(entry.when.mentions), said
        return (), ""

    def _conditions(self, when: Condition) -> str:
        """Say which of a condition's values this ticket has."""
        playbook, ticket, locale = self.playbook, self.ticket, self.locale
        said = []
        if when.tags:
            tags = [tag for tag in when.tags if tag in ticket.tags]
            said += [label(playbook.tags, tag, locale) for tag in tags[:2]]
        if when.type:
            said.append(label(playbook.types, ticket.type, locale))
        if when.priority:
            said.append(label(playbook.priorities, ticket.priority, locale))
        if when.mentions:
            said += [f"“{word}”" for word in self._found(when.mentions)[:2]]
        if when.amount_over is not None:
            said.append(f"> {when.amount_over}")
        if when.mood:
            said.append(self.words.named("ticket.mood", ticket.mood or ""))
        if when.channel:
            said.append(self.words.channel(ticket.channel))
        said += [str(value) for value in (when.customer_class and ticket.customer.customer_class,
                                          when.product and ticket.product) if value]  # fmt: skip
        return " · ".join(said)

    def _of_tag(self, tag: str) -> list[str]:
        known = self.playbook.tags.get(tag)
        return self._found(known.keywords) if known else []

    def _of_rules(self, rules: set[str]) -> list[str]:
        return [
            word
            for rule in self.playbook.rules
            if rule.id in rules
            for word in self._found(rule.when.mentions)
        ]

    def _found(self, keywords: Iterable[str]) -> list[str]:
        """Return the keywords that the request contains, without those inside a longer one."""
        found = [word for word in keywords if mentions(self.folded, (word,))]
        return [
            word
            for word in found
            if not any(word != other and fold(word) in fold(other) for other in found)
        ]

    def _quoted(self, words: Sequence[str]) -> str:
        return self.words.t("ticket.why.words", words=self.words.listed(words[:3])) if words else ""


def marked(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """Divide a text at these words, which are compared as keywords are: each piece, and whether it
    is one of them."""
    if not words:
        return [(text, False)]
    folded, origins = _folded_with_origins(text)
    hit = bytearray(len(text))
    for word in words:
        for start, end in places(folded, word):
            for index in range(origins[start], origins[end - 1] + 1):
                hit[index] = 1
    pieces: list[tuple[str, bool]] = []
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or hit[index] != hit[start]:
            pieces.append((text[start:index], bool(hit[start])))
            start = index
    return pieces


def _folded_with_origins(text: str) -> tuple[str, list[int]]:
    """Fold a text character by character; return it and where each character comes from."""
    folded: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        plain = " " if character.isspace() else fold(character)
        for each in plain:
            if each == " " and (not folded or folded[-1] == " "):
                continue
            folded.append(each)
            origins.append(index)
    return "".join(folded), origins
