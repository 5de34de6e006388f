"""A sample ticket in memory that goes through the real rules: commands are decided, the router
reacts and deadlines pass. Nothing is stored or sent."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from functions.core.domain import commands as c, events as e
from functions.core.domain.commands.steps import required_with_others
from functions.core.domain.errors import Refused
from functions.core.domain.lifecycle import apply, opening
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.services.composing import Notification, notifications_for
from functions.core.services.previewing import SAMPLE, sample_fields
from functions.core.storage.tickets import Change, FirstCommit
from functions.core.text import sample_texts as samples
from functions.router import consumer
from functions.router.routing import Router

_DEPLOYMENT = Deployment("aws", "us-east-1", "0" * 12, "preview")


@dataclass(frozen=True)
class SampleNotification:
    at: datetime
    notification: Notification
    commit: e.Commit
    ticket: Ticket


class SampleTickets:
    """The tickets in memory, with what the functions call of `storage.tickets`."""

    def __init__(self) -> None:
        self.commits: dict[str, list[e.Commit]] = defaultdict(list)
        self.newest: dict[str, Ticket] = {}
        self.unread: list[tuple[Ticket, e.Commit]] = []

    def load(self, desk: str, number: str) -> Ticket:
        return self.newest[number]

    def load_since(self, desk: str, number: str, version: int) -> Ticket:
        return self.newest[number]

    def history(self, desk: str, number: str, upto: int = 0) -> list[e.Commit]:
        return self.commits[number]

    def first_commit(self, desk: str, number: str) -> FirstCommit:
        return FirstCommit(self.commits[number][0])

    def commit_all(self, changes: Sequence[Change], *, actor: str, **_: object) -> None:
        for each in changes:
            after, commit = each.after, each.commit(actor)
            self.commits[after.number].append(commit)
            self.newest[after.number] = after
            self.unread.append((after, commit))


class _SampleReaction(consumer._Reaction):
    """The router's reactions, without a closing workflow: the lives below say how they end."""

    def _start_workflow(self, resolution: int, run: str = "") -> None: ...

    def _wake_workflow(self, *kinds: object) -> None: ...


@dataclass
class SampleLife:
    """One sample ticket on its way, and the notifications about it."""

    playbook: Playbook
    now: datetime
    online: bool = True
    number: str = ""
    shown: list[SampleNotification] = field(default_factory=list)
    tickets: SampleTickets = field(default_factory=SampleTickets)

    @property
    def ticket(self) -> Ticket:
        return self.tickets.newest[self.number]

    @property
    def storage(self) -> Any:
        agents = {a.username: a for a in _roster(self.playbook, online=self.online)}
        roster = SimpleNamespace(
            recent=lambda *_: list(agents.values()),
            get=lambda _, username: agents.get(username),
            current=lambda _, username, __: agents.get(username),
        )
        return SimpleNamespace(tickets=self.tickets, roster=roster)

    def receive(self, text: str, **given: Any) -> None:
        serial = len(self.tickets.newest) + 1
        local = self.now.astimezone(self.playbook.zone)
        self.number = self.playbook.number.write(local, serial)
        request: dict[str, Any] = {
            "customer": SAMPLE,
            "channel": "web",
            "locale": "zh-CN",
            "type": self.playbook.default_type,
            "priority": self.playbook.default_priority,
            "description": text,
            "contact_proven": True,
            **given,
        }
        command = c.Receive(self.number, e.TicketReceived(**request))
        commit = opening(command, self.playbook, self.now)
        new = Change(None, apply(None, commit), commit.events, rank="")
        self.tickets.commit_all((new,), actor="customer")
        self._react()

    def do(self, command: c.TicketCommand, actor: str = "agent") -> bool:
        try:
            change(
                cast(Any, self.storage),
                self.playbook.desk,
                self.number,
                command,
                self.playbook,
                self.now,
                actor=actor,
            )
        except Refused:
            return False
        self._react()
        return True

    def assign(self) -> None:
        while self.ticket.status == "pending_confirmation":
            self.wait(timedelta(minutes=20))
            asked = self.ticket.asked
            self.do(c.CustomerMessage(samples.VAGUE[0], "web"), "customer")
            if self.ticket.asked == asked:
                self.do(c.ConfirmType(self.playbook.default_type))
        if self.ticket.handler is None:
            team = self.ticket.team or self.playbook.routing[-1].team
            agents = [a for a in _roster(self.playbook) if a.team == team]
            self.do(c.Assign(team, agents[-1].username if agents else "agent-1", by_person=True))

    def wait(self, duration: timedelta) -> None:
        until = self.now + duration
        while (due := self.ticket.next_due) is not None and due <= until:
            self.now = max(due, self.now)
            if not self.do(c.Tick(), "system") or self.ticket.next_due == due:
                break
        self.now = until

    def step(self, name: str, *, approved: bool = True) -> bool:
        """Take one of the desk's own steps with sample values, approved or not if it has to be."""
        fields = self.playbook.steps[name].fields
        values = sample_fields(fields, self.now.astimezone(self.playbook.zone), "zh-CN")
        given = {
            key: value
            for key, value in values.items()
            if not fields[key].required_with or required_with_others(fields[key], values)
        }
        if not self.do(c.TakeStep(name, given)):
            return False
        if self.ticket.pending is None:
            return True
        decision = c.Approve(approved, "" if approved else samples.REFUSED[0])
        return self.do(decision, "supervisor")

    def resolve(self) -> None:
        if self.ticket.status == "awaiting_department":
            self.do(c.CustomerMessage(samples.ANSWER[0], "web"), "customer")
        self.do(c.Resolve(samples.SUMMARY[0]))

    def _react(self) -> None:
        """Note what notify would send about the new commits, and let the router react."""
        while self.tickets.unread:
            ticket, commit = self.tickets.unread.pop(0)
            for notification in notifications_for(commit, ticket, self.playbook):
                self.shown.append(SampleNotification(self.now, notification, commit, ticket))
            router = Router(cast(Any, self.storage), self.playbook, self.now)
            for event in e.waking_router(commit.events):
                newest = self.tickets.newest[ticket.number]
                _SampleReaction(newest, commit, router, _DEPLOYMENT).react(event)


def _roster(playbook: Playbook, *, online: bool = True) -> Iterator[Agent]:
    """Two agents for each team, one of them senior, who can do whatever routing asks for."""
    for index, (team, known) in enumerate(playbook.teams.items()):
        needs = [route.needs.skills for route in playbook.routing if route.team == team]
        for level, name in enumerate(("张", "李")):
            yield Agent(
                desk=playbook.desk,
                username=f"{known.role}-{index + 1}-{level + 1}",
                display_name=f"客服-{name}",
                role=known.role,
                team=team,
                capacity=50,
                skills=tuple(skill for skills in needs for skill in skills),
                level=level,
                online=online,
            )
