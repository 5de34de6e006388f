"""The mapping of another help desk's words to a desk's: a file that people edit, and its first
guess."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from functions.core.domain.imports import OUTCOMES, Outcome, PastMessage, PastTicket
from functions.core.domain.matching import find_term
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Term
from functions.core.text.contacts import normalise_contact
from functions.core.text.import_texts import FILE
from infra.console.errors import UsageError
from infra.console.sources import Read, Source, SourceMessage, SourceTicket

LONGEST = 50_000
"""The characters of one text; the table takes 400 KB for all of a commit."""
MOST_VALUES = 2_000
"""The values of one kind that a guess lists."""

_OUTCOMES: Mapping[str, Outcome] = {
    "new": "open", "open": "open", "reopened": "open", "处理中": "open", "待处理": "open",
    "pending": "waiting", "hold": "waiting", "on-hold": "waiting", "pending reminder": "waiting",
    "pending close": "waiting", "waiting on customer": "waiting", "waiting on third party": "open",
    "solved": "solved", "resolved": "solved", "closed": "solved", "已解决": "solved",
    "merged": "closed", "removed": "closed", "deleted": "closed", "spam": "closed",
}  # fmt: skip
_URGENCY = {"urgent": 0.0, "high": 0.0, "normal": 0.5, "medium": 0.5, "low": 1.0}
_CHANNELS = {"email": "mail", "mail": "mail", "phone": "phone", "voice": "phone", "chat": "chat",
             "native_messaging": "chat"}  # fmt: skip
_GOOD = {"good": 1.0, "bad": 0.0, "103": 1.0, "102": 0.9, "101": 0.75, "100": 0.5, "-101": 0.25,
         "-102": 0.1, "-103": 0.0}  # fmt: skip
"""Score → how good it is, of Zendesk's words and of Freshdesk's default scale."""
_NO_SCORE = frozenset({"", "offered", "unoffered"})


class Mapped(BaseModel):
    """The content of a mapping file: theirs → ours. An empty value falls back on the desk's
    default, or leaves the thing out."""

    model_config = ConfigDict(extra="forbid")

    account: str = ""
    statuses: dict[str, str] = {}
    types: dict[str, str] = {}
    priorities: dict[str, str] = {}
    tags: dict[str, str] = {}
    agents: dict[str, str] = {}
    channels: dict[str, str] = {}
    satisfaction: dict[str, int | None] = {}
    fields: dict[str, str] = {}


_REFERENCE = re.compile(r"[\w./#-]{1,60}")
"""A number, which is kept as it is and not masked."""


class Misfit(ValueError):
    """A ticket that cannot be imported as it is; the argument says why."""


@dataclass
class WordsOfFile:
    """The words that a file uses, each with how often."""

    statuses: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    priorities: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    satisfaction: Counter[str] = field(default_factory=Counter)

    def note(self, ticket: SourceTicket) -> None:
        staff = (m.author for m in ticket.messages if not m.by_customer)
        for counter, words in (
            (self.statuses, (ticket.status,)),
            (self.types, (ticket.type,)),
            (self.priorities, (ticket.priority,)),
            (self.tags, ticket.tags),
            (self.agents, {ticket.agent, *staff}),
            (self.channels, (ticket.channel,)),
            (self.satisfaction, () if ticket.score in _NO_SCORE else (ticket.score,)),
        ):
            for word in filter(None, words):
                if word in counter or len(counter) < MOST_VALUES:
                    counter[word] += 1


def words_of(tickets: Iterable[Read]) -> WordsOfFile:
    words = WordsOfFile()
    for found in tickets:
        if found.ticket is not None:
            words.note(found.ticket)
    return words


def guess(words: WordsOfFile, playbook: Playbook, roster: Iterable[Agent]) -> Mapped:
    """Guess the mapping: equal names and labels first, then what help desks commonly call it."""
    people = [agent for agent in roster if agent.active]
    return Mapped(
        statuses={one: _OUTCOMES.get(one.casefold(), "") for one in words.statuses},
        types={one: find_term(one, playbook.types) or "" for one in words.types},
        priorities={one: _priority(one, playbook) for one in words.priorities},
        tags={one: find_term(one, playbook.tags) or "" for one in words.tags},
        agents={one: _agent(one, people) for one in words.agents},
        channels={one: _CHANNELS.get(one.casefold(), "web") for one in words.channels},
        satisfaction={one: _score(one, playbook) for one in words.satisfaction},
        fields={"order": ""},
    )


def _priority(word: str, playbook: Playbook) -> str:
    """Guess a priority; Zammad's names begin with a digit."""
    found = find_term(word, playbook.priorities)
    share = _URGENCY.get(word.casefold().lstrip("0123456789 "))
    if found or share is None:
        return found or ""
    ranked = list(playbook.priorities)
    return ranked[round(share * (len(ranked) - 1))]


def _agent(word: str, people: Iterable[Agent]) -> str:
    sought = word.casefold()
    for agent in people:
        if sought in {agent.email.casefold(), agent.username.casefold()} - {""}:
            return agent.username
    for agent in people:
        names = {agent.username.casefold(), agent.display_name.casefold()} - {""}
        if sought in names or sought.partition("@")[0] in names:
            return agent.username
    return ""


def _score(word: str, playbook: Playbook) -> int | None:
    low, high = playbook.survey.scores
    share = _GOOD.get(word.casefold())
    if share is not None:
        return low + round(share * (high - low))
    return int(word) if word.isdecimal() and low <= int(word) <= high else None


def load(path: Path) -> Mapped:
    """Read a mapping file.

    Raises:
        UsageError: it is not one; the error names the place.
    """
    try:
        return Mapped.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: {place}: {first['msg']}") from error


def dump(mapped: Mapped, path: Path) -> None:
    """Write a mapping for people to edit."""
    text = yaml.safe_dump(mapped.model_dump(), allow_unicode=True, sort_keys=False)
    path.write_text(_HEAD + text, "utf-8")


_HEAD = """\
# What the other help desk calls it: what this desk calls it (docs/migration.md).
# statuses: open, waiting, solved, closed, or skip. An empty value takes the desk's default, or
# leaves the thing out; an empty status stops its tickets.
"""


def misfits(words: WordsOfFile, mapped: Mapped, playbook: Playbook) -> Iterator[str]:
    """Yield what the file says and the mapping does not, with how many tickets or messages."""
    for kind in ("statuses", "types", "priorities", "tags", "agents"):
        known: Mapping[str, str] = getattr(mapped, kind)
        counted: Counter[str] = getattr(words, kind)
        for word, count in counted.most_common():
            if not known.get(word):
                yield f"{_WITHOUT[kind]}: {word} ({count})"
    terms: tuple[tuple[str, Mapping[str, Term]], ...] = (
        ("types", playbook.types),
        ("priorities", playbook.priorities),
        ("tags", playbook.tags),
    )
    for kind, ours in terms:
        for word in {*getattr(mapped, kind).values()} - {"", *ours}:
            yield f"{kind}: the desk has no {word}"
    for word in {*mapped.statuses.values()} - {"", "skip", *OUTCOMES}:
        yield f"statuses: {word} is not one of {', '.join((*OUTCOMES, 'skip'))}"


_WITHOUT = {
    "statuses": "unknown status, its tickets stay out",
    "types": "type without a counterpart, the desk's default is taken",
    "priorities": "priority without a counterpart, the desk's default is taken",
    "tags": "tag without a counterpart, left out",
    "agents": "agent who is not on the roster, shown as the system",
}


@dataclass(frozen=True)
class Translator:
    """Puts tickets into a desk's words by a mapping."""

    source: Source
    mapped: Mapped
    playbook: Playbook
    agents: Mapping[str, Agent]

    def translate(self, ticket: SourceTicket, notes: list[str]) -> PastTicket | None:
        """Return the ticket in the desk's words; None if the mapping skips it.

        Args:
            notes: gets what did not fit but does not keep the ticket out.

        Raises:
            Misfit: it cannot be imported.
        """
        mapped, playbook = self.mapped, self.playbook
        outcome = mapped.statuses.get(ticket.status, "")
        if outcome == "skip":
            return None
        if outcome not in OUTCOMES:
            raise Misfit(f"unknown status {ticket.status or 'none'}")
        if not ticket.contact:
            raise Misfit("no contact")
        try:
            normalise_contact(ticket.contact)
        except ValueError as error:
            raise Misfit(str(error)) from error
        if not _REFERENCE.fullmatch(ticket.reference):
            raise Misfit(f"no usable number: {ticket.reference!r}")
        received = self._time(ticket.received_at, "received")
        description = self._text(ticket.description or ticket.subject, notes)
        if not description:
            raise Misfit("no text")
        account = f"{mapped.account}/" if mapped.account else ""
        agent = self.agents.get(mapped.agents.get(ticket.agent, ""))
        ends = outcome in get_args(Outcome)[2:]
        score = mapped.satisfaction.get(ticket.score)
        low, high = playbook.survey.scores
        return PastTicket(
            source=self.source,
            key=f"{account}{ticket.key}",
            reference=ticket.reference,
            received_at=received,
            contact=ticket.contact,
            name=ticket.name[:200],
            customer_id=ticket.customer_id[:100],
            description=description,
            subject=ticket.subject[:500],
            outcome=outcome,
            type=_ours(mapped.types, ticket.type, playbook.types, playbook.default_type),
            priority=_ours(
                mapped.priorities, ticket.priority, playbook.priorities, playbook.default_priority
            ),
            channel=mapped.channels.get(ticket.channel) or "web",
            order=ticket.fields.get(mapped.fields.get("order", ""), "")[:200],
            tags=tuple(
                dict.fromkeys(
                    ours for tag in ticket.tags if (ours := mapped.tags.get(tag)) in playbook.tags
                )
            ),
            files=self._files(ticket.files),
            messages=tuple(self._message(one, received, notes) for one in ticket.messages),
            agent=agent if agent is not None and agent.assignable else None,
            ended_at=max(received, self._time(ticket.ended_at, "ended"))
            if ends and ticket.ended_at
            else None,
            score=score if score is not None and low <= score <= high else None,
            comment=self._text(ticket.comment, notes),
            rated_at=self._time(ticket.rated_at, "rated") if ticket.rated_at else None,
        )

    def _message(self, one: SourceMessage, received: datetime, notes: list[str]) -> PastMessage:
        author = self.mapped.agents.get(one.author, "")
        return PastMessage(
            at=max(self._time(one.at, "message"), received),
            text=self._text(one.text, notes),
            by_customer=one.by_customer,
            public=one.public,
            author=author if author in self.agents else "",
            files=self._files(one.files),
        )

    def _files(self, files: Iterable[str]) -> tuple[str, ...]:
        word = FILE[self.playbook.locale]
        return tuple(f"{word}: {file}"[:2000] for file in files)

    def _text(self, text: str, notes: list[str]) -> str:
        if len(text) > LONGEST:
            notes.append(f"a text of {len(text):,} characters is cut to {LONGEST:,}")
        return text[:LONGEST]

    def _time(self, text: str, what: str) -> datetime:
        """Read a time; one without an offset is the desk's."""
        try:
            at = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
        except (AttributeError, ValueError) as error:
            raise Misfit(f"no time: {what} {text!r}") from error
        return (at if at.tzinfo else at.replace(tzinfo=self.playbook.zone)).astimezone(UTC)


def _ours(known: Mapping[str, str], word: str, terms: Mapping[str, Any], default: str) -> str:
    found = known.get(word, "")
    return found if found in terms else default
