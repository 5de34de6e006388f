"""The nightly run that makes a desk's proposals from its journals (C12, E8).

It can be repeated at any time: what it makes replaces what it made before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from functions.answers.asking import Asked, propose, served
from functions.answers.building import build
from functions.answers.correcting import ClassifiedRequest, propose_rules
from functions.answers.encoder import Encoder
from functions.answers.index import AnswerIndex
from functions.answers.indexes import Indexes
from functions.core.domain.journal import JournalCorrection, JournalEntry, JournalRequest
from functions.core.domain.playbook_assistant import DEFAULT_OFFER
from functions.core.domain.proposals import ProposalDecision, Proposals, Source
from functions.core.domain.questions import SERVED, outcomes
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.core.storage.journal import Journal

HOUR = 2
"""The hour of the day, in the desk's time zone, in which its proposals are made."""
MONTH, WEEK, FORTNIGHT = timedelta(days=30), timedelta(days=7), timedelta(days=14)


def is_due(playbook: Playbook, now: datetime) -> bool:
    """Return whether an hourly run makes the proposals of a desk."""
    return now.astimezone(playbook.zone).hour == HOUR


@dataclass(frozen=True)
class ProposalRun:
    """A run for one desk at one time."""

    storage: Storage
    indexes: Indexes
    embed: Encoder
    playbook: Playbook
    now: datetime

    def run(self) -> dict[str, int]:
        """Make all proposals, those from tickets once a week; return their number by source."""
        desk, now, proposals = self.playbook.desk, self.now, self.storage.proposals
        monday = now.astimezone(self.playbook.zone).weekday() == 0
        weekly = monday or proposals.get(desk, "tickets") is None
        decisions = list(proposals.decisions(desk))
        decided = frozenset(member for each in decisions for member in each.members)
        questions = self._newest(self.storage.questions)
        journal = self._newest(self.storage.journal)
        requests = [entry for entry in journal.values() if entry.request is not None]
        self._follow_up(decisions, questions)
        asked = [_question(entry) for entry in questions.values() if not _is_served(entry)]
        made: dict[Source, Proposals] = {}
        made["chats"] = self._make("chats", asked, decided, MONTH)
        if weekly:
            asked = [_request(entry) for entry in requests if entry.at >= now - WEEK]
            made["tickets"] = self._make("tickets", asked, decided, WEEK)
        corrected = {
            entry.number: entry.correction
            for entry in journal.values()
            if entry.correction is not None
        }
        month = [
            _classified(entry, entry.request, corrected) for entry in requests if entry.request
        ]
        rules = propose_rules(month, self.playbook)
        made["rules"] = Proposals(made_at=now, since=now - MONTH, seen=len(month), rules=rules)
        for source, found in made.items():
            proposals.put(desk, source, found)
        return {source: len(found.articles) + len(found.rules) for source, found in made.items()}

    @cached_property
    def _index(self) -> AnswerIndex:
        """The index of the desk's articles, or of none; a night without questions needs none."""
        index = self.indexes.get(self.playbook.desk, self.now)
        return index if index.dense is not None else build({}, self.embed)

    def _newest(self, journal: Journal) -> Mapping[tuple[str, int], JournalEntry]:
        """Return last month's entries by number and version; of a repeated one the newest."""
        arrived = journal.entries(self.playbook.desk, self.now - MONTH, self.now)
        return {(entry.number, entry.version): entry for _, entry in arrived}

    def _make(
        self,
        source: Literal["chats", "tickets"],
        asked: Sequence[Asked],
        decided: frozenset[str],
        period: timedelta,
    ) -> Proposals:
        undecided = [one for one in asked if one.id not in decided]
        return Proposals(
            made_at=self.now,
            since=self.now - period,
            seen=len(asked),
            articles=propose(undecided, source, self._index, self.embed) if undecided else (),
        )

    def _follow_up(
        self,
        decisions: Iterable[ProposalDecision],
        questions: Mapping[tuple[str, int], JournalEntry],
    ) -> None:
        """Record what the accepted proposals of the last fortnight have changed."""
        offer = self.playbook.assistant.offer if self.playbook.assistant else DEFAULT_OFFER
        for decision in decisions:
            if not decision.accepted or self.now - decision.at > FORTNIGHT:
                continue
            since = [entry for entry in questions.values() if entry.at >= decision.at]
            own = [
                asked
                for entry in questions.values()
                if (asked := _question(entry)).id in decision.members
            ]
            update = {"after": outcomes(since).served}
            if own and decision.article:
                update["helped"] = served(own, decision.article, self._index, self.embed, offer)
            self.storage.proposals.update(self.playbook.desk, decision.model_copy(update=update))


def _question(entry: JournalEntry) -> Asked:
    found = entry.question
    return Asked(
        id=f"{entry.number}#{entry.version}",
        text=entry.texts[0],
        outcome=found.outcome if found else None,
        article=found.article if found else None,
    )


def _is_served(entry: JournalEntry) -> bool:
    return entry.question is not None and entry.question.outcome in SERVED


def _request(entry: JournalEntry) -> Asked:
    kind = entry.request.type if entry.request else None
    return Asked(id=entry.number, text=entry.texts[0] if entry.texts else "", type=kind)


def _classified(
    entry: JournalEntry, request: JournalRequest, corrected: Mapping[str, JournalCorrection]
) -> ClassifiedRequest:
    return ClassifiedRequest(
        number=entry.number,
        text=entry.texts[0] if entry.texts else "",
        classified=JournalCorrection(type=request.type, tags=request.tags),
        type_given=request.type_given,
        corrected=corrected.get(entry.number),
    )
