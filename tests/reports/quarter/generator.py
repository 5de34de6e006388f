"""Simulates a desk's quarter: the real services on a table in memory, in virtual time.

Customers ask, agents come, go and work, departments answer, surveys are answered late, poorly or
never, tickets are reopened, merged, separated, reclassified, closed and erased. Router and sweep
are the real ones; of the closing workflow only the waits are imitated, and nothing is sent.
Everything random comes from one `Random(seed)`, so a seed always gives the same quarter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Literal

from functions.core.domain import commands as c, events as e
from functions.core.domain.commands.base import steps_allowed
from functions.core.domain.erasure import without_person
from functions.core.domain.errors import (
    ActionNotAllowed,
    AgentAtCapacity,
    AlreadyAnswered,
    Forgotten,
    InvalidInput,
)
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook, Step, StepField
from functions.core.domain.ticket import Slip, Ticket
from functions.core.services.command_service import change
from functions.core.services.create_ticket import (
    NewProduct,
    NewTicket,
    Source,
    TicketCreator,
    TicketRequest,
)
from functions.core.services.handing_over import end_shift
from functions.core.storage.database import Storage
from functions.core.storage.event_codec import dump_events
from functions.core.storage.items import read_commit, ticket_key
from functions.core.storage.table import Item, key, parse_stamp
from functions.core.text.masking import mask
from functions.router import consumer
from functions.router.routing import Router
from functions.sla_timer import sweep
from tests.reports.quarter import people
from tests.reports.quarter.memory import MemoryClient
from tests.reports.quarter.people import MODELS, PARTS, Person

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
"""Winter and spring: China's holidays, and the change of the clocks in Europe."""

SIMPLE = 0.85
"""The share of requests that are soon resolved, to the customers' liking: most lives are short."""

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_REFUSALS = (ActionNotAllowed, AgentAtCapacity, AlreadyAnswered, Forgotten, InvalidInput)
"""The refusals of people's actions on what has changed meanwhile."""

Action = Callable[[datetime], None]


@dataclass(frozen=True)
class Presence:
    """An agent who came or went."""

    at: datetime
    username: str
    online: bool


@dataclass(frozen=True)
class EndedChat:
    """A chat with the assistant that ended without a ticket."""

    at: datetime
    id: str
    outcome: Literal["confirmed", "silent"]
    channel: str


@dataclass
class Quarter:
    """The events at one desk: its tickets' histories, who was there, and the ended chats."""

    playbook: Playbook
    storage: Storage
    client: MemoryClient
    numbers: list[str] = field(default_factory=list)
    presence: list[Presence] = field(default_factory=list)
    chats: list[EndedChat] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    @cached_property
    def histories(self) -> list[list[e.Commit]]:
        desk = self.playbook.desk
        return [self.storage.tickets.history(desk, number) for number in self.numbers]

    def items(self) -> Iterator[Item]:
        """The table's items, to put into that of a running system: they wake none of its functions
        and are due for none of its sweeps, so the quarter stays as it was. The deliveries, which
        are only keys here, are left out."""
        for partition in self.client.items.values():
            for sort_key, item in partition.items():
                if sort_key.startswith("DELIVERY#"):
                    continue
                kept = {name: v for name, v in item.items() if name not in {"due_pk", "due_sk"}}
                yield {**kept, "readers": {"S": "none"}} if "readers" in kept else kept


class _Reaction(consumer._Reaction):
    """The router's reactions; the generator itself ends the waits of the closing workflow."""

    def _start_workflow(self, resolution: int, run: str = "") -> None:
        """Start nothing."""

    def _wake_workflow(self, *kinds: Any) -> None:
        """Wake nothing."""


def simulate(
    playbook: Playbook,
    tickets: int,
    seed: int,
    *,
    begin: datetime = BEGIN,
    end: datetime = END,
) -> Quarter:
    """Simulate a desk's quarter with about so many tickets."""
    random = Random(f"{seed} {playbook.desk}")  # noqa: S311 - the same quarter each time
    generator = _Generator(playbook, tickets, random, begin, end)
    generator.run()
    return generator.quarter


class _Generator:
    def __init__(
        self, playbook: Playbook, tickets: int, random: Random, begin: datetime, end: datetime
    ) -> None:
        self.random, self.begin, self.end = random, begin, end
        self.client = MemoryClient()
        client: Any = self.client
        self.storage = Storage.on(client, "quarter")
        self.storage.playbooks.put(playbook, begin)
        self.playbook = self.storage.playbooks.get(playbook.desk, begin)
        self.desk = playbook.desk
        self.quarter = Quarter(self.playbook, self.storage, self.client)
        self.heap: list[tuple[datetime, int, Action]] = []
        self.order = count()
        self.swept = begin
        self.creator = TicketCreator(
            self.storage, _seal, lambda *_: (), b"quarter-root-key" * 2, "https://quarter.example"
        )
        agents = max(2, round(tickets / 850))
        self.agents = {a.username: a for a in people.staff(self.playbook, random, agents)}
        self.online: set[str] = set()
        self.simple: set[str] = set()
        self.waiting: dict[str, list[Action]] = {}
        self.people = people.customers(self.playbook, random, max(10, tickets * 2 // 3))
        self.arrivals = people.arrivals(self.playbook, random, tickets, begin, end)

    # Time

    def run(self) -> None:
        for agent in self.agents.values():
            self.storage.roster.put(agent)
            for comes, goes in people.working_hours(
                agent, self.playbook, self.random, self.begin, self.end
            ):
                self.at(comes, partial(self.come, agent, goes))
        for at in self.arrivals:
            self.at(at, self.receive)
        self.client.written.clear()
        while self.heap and self.heap[0][0] < self.end:
            at, _, action = heappop(self.heap)
            self.sweep_until(at)
            action(at)
            self.pump(at)

    def at(self, at: datetime, action: Action) -> None:
        heappush(self.heap, (at, next(self.order), action))

    def later(self, now: datetime, low: timedelta, high: timedelta, action: Action) -> None:
        """Do something between two waits from now, in whole seconds."""
        first, last = int(low.total_seconds()), int(high.total_seconds())
        # Most people are quick, some take long.
        wait = first + (last - first) * self.random.random() ** 2
        self.at(now + timedelta(seconds=int(wait)), action)

    def work(
        self, now: datetime, username: str, action: Action, within: timedelta = 2 * _HOUR
    ) -> None:
        """Let an agent do something soon, or after the agent has come."""
        if username in self.online:
            self.later(now, timedelta(seconds=20), within, action)
        else:
            self.waiting.setdefault(username, []).append(action)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def sweep_until(self, now: datetime) -> None:
        """Run the sweeps of the minutes that have passed and have something to do."""
        while (first := self.client.first_due()) is not None:
            due_at = max(parse_stamp(first), self.swept)
            minute = due_at.replace(second=0, microsecond=0)
            minute += _MINUTE if minute < due_at else timedelta()
            if minute > now:
                break
            self.swept = minute
            for partition in range(4):
                for due in list(self.storage.tickets.due(partition, minute)):
                    item = self.client.items[due.pk].get(due.sk)
                    sweep.process(self.storage, due, minute, item)
            self.pump(minute)
        self.swept = now

    # The stream

    def pump(self, now: datetime) -> None:
        """Deliver what was written to the router, and let people notice it."""
        written = self.client.written
        while written:
            item = written.pop(0)
            sort_key = item["sk"]["S"]
            if sort_key.startswith("AGENT#"):
                self.agent_changed(item, now)
            elif sort_key.startswith("EVENT#") and item["readers"]["S"] != "none":
                self.committed(read_commit(item), now)

    def agent_changed(self, item: Any, now: datetime) -> None:
        username, word = item["sk"]["S"].removeprefix("AGENT#"), item.get("change", {}).get("S")
        if word in {"online", "offline"}:
            self.quarter.presence.append(Presence(now, username, word == "online"))
            (self.online.add if word == "online" else self.online.discard)(username)
        if word == "online":
            for action in self.waiting.pop(username, ()):
                self.work(now, username, action)
        consumer._agent_changed(item, self.storage, now)

    def committed(self, commit: e.Commit, now: datetime) -> None:
        if commit.version == 1:  # notify has written the delivery of the acknowledgement
            written = key(ticket_key(self.desk, commit.number), "DELIVERY#000001")
            self.client.put_item(Item=written)
            self.client.written.pop()
        router = Router(self.storage, self.playbook, now)
        for event in e.waking_router(commit.events):
            ticket = self.storage.tickets.load(self.desk, commit.number)
            deployment: Any = None
            _Reaction(ticket, commit, router, deployment).react(event)
        for event in commit.events:
            notice = _NOTICES.get(type(event))
            if notice is not None:
                notice(self, commit.number, event, now)

    # Acts

    def do(self, number: str, command: c.Command, now: datetime, actor: str) -> Ticket | None:
        """Carry out a command; None if it is refused."""
        try:
            return change(self.storage, self.desk, number, command, self.playbook, now, actor=actor)
        except _REFUSALS as refusal:
            self.quarter.refused[f"{type(command).__name__}: {type(refusal).__name__}"] += 1
            return None

    def load(self, number: str) -> Ticket:
        return self.storage.tickets.load(self.desk, number)

    def member(self, role: str, team: str | None = None) -> Agent:
        """Somebody with a role, or of a team, who is there if anybody is."""
        found = [a for a in self.agents.values() if (a.team == team if team else a.role == role)]
        there = [agent for agent in found if agent.username in self.online]
        return self.random.choice(there or found)

    # Agents come and go

    def come(self, agent: Agent, goes: datetime, now: datetime) -> None:
        until = goes if self.chance(0.3) else None  # the sweep ends some shifts
        self.storage.roster.set_presence(self.desk, agent.username, True, until)
        if until is None:
            self.at(goes, partial(self.go, agent.username))

    def go(self, username: str, now: datetime) -> None:
        if username in self.online:
            self.storage.roster.set_presence(self.desk, username, False)
            end_shift(self.storage, self.playbook, username, username, now)

    # Customers

    def receive(self, now: datetime) -> None:
        person = self.random.choice(self.people)
        if self.playbook.assistant is not None and self.chance(0.15):
            outcome: Literal["confirmed", "silent"] = self.random.choice(["confirmed", "silent"])
            chat = EndedChat(now, f"chat-{len(self.quarter.chats)}", outcome, "chat")
            self.quarter.chats.append(chat)
        number = self.file(person, now)
        if self.chance(0.06):
            again = partial(self.file_again, person, number)
            self.later(now, 5 * _MINUTE, 6 * _HOUR, again)

    def file_again(self, person: Person, former: str, now: datetime) -> None:
        """Ask again what was asked before; an agent merges the two, mostly."""
        number = self.file(person, now)
        if self.chance(0.9):
            pair = (number, former) if self.chance(0.8) else (former, number)
            self.later(now, 10 * _MINUTE, 2 * _DAY, partial(self.merge, *pair))

    def file(self, person: Person, now: datetime) -> str:
        by = self.member("agent").username if person.channel == "phone" else None
        types = [name for name, kind in self.playbook.types.items() if by or not kind.agents_only]
        body = NewTicket(
            contact=person.contact.address,
            description=people.request_text(self.playbook, self.random),
            customer_id=person.customer_id,
            type=self.random.choice(types) if self.chance(0.2) else None,
            urgency=self.random.choice([*self.playbook.priorities]) if self.chance(0.1) else None,
            preferred_channel="phone" if self.chance(0.05) else None,
            product=NewProduct(model=self.random.choice(MODELS)) if self.chance(0.4) else None,
        )
        source = Source(
            channel=person.channel,
            sender=person.contact,
            contact_proven=by is None and self.chance(0.8),
            entered_by=by,
        )
        if self.playbook.assistant is not None and by is None and self.chance(0.3):
            source = replace(source, channel="chat", chat=self.chat(now))
        made = self.creator.create(
            self.playbook, TicketRequest(body, now, actor=by or "customer", source=source)
        )
        self.quarter.numbers.append(made.number)
        if self.chance(SIMPLE):
            self.simple.add(made.number)
        return made.number

    def chat(self, now: datetime) -> e.ChatHandedOver:
        began = now - timedelta(seconds=self.random.randint(30, 900))
        lines = (
            e.ChatLine(writer="assistant", text="您好", at=began - timedelta(seconds=2)),
            e.ChatLine(writer="customer", text="问题", at=began),
            e.ChatLine(writer="assistant", text="是这样吗", at=began + timedelta(seconds=3)),
        )
        return e.ChatHandedOver(id=f"handed-{next(self.order)}", reason="asked", conversation=lines)

    def message(self, number: str, text: str, now: datetime) -> None:
        self.do(number, c.CustomerMessage(text, "web"), now, "customer")

    # What people notice

    def received(self, number: str, event: e.TicketReceived, now: datetime) -> None:
        if self.chance(0.12):
            text = people.request_text(self.playbook, self.random)
            self.later(now, _MINUTE, _DAY, partial(self.message, number, text))
        if self.chance(0.03):
            self.later(now, _HOUR, 5 * _DAY, partial(self.close, number))
        if self.chance(0.05):
            self.later(now, _MINUTE, 2 * _DAY, partial(self.reclassify, number))
        if self.chance(0.02):
            self.later(now, _DAY, 40 * _DAY, partial(self.erase, number))
        if "complete" in self.playbook.steps and self.chance(0.7):
            team = self.playbook.steps["complete"].teams[0]
            self.later(now, _MINUTE, 2 * _HOUR, partial(self.take_step, number, "complete", team))

    def assigned(self, number: str, event: e.TicketAssigned, now: datetime) -> None:
        within = 5 * _MINUTE if number in self.simple else 2 * _HOUR
        self.work(now, event.handler, partial(self.handle, number, event.handler), within)

    def queued(self, number: str, event: e.TicketQueued, now: datetime) -> None:
        if event.queue == "supervisor":
            leader = self.member("supervisor").username
            self.work(now, leader, partial(self.supervise, number, leader))
        elif event.reason == "collected":
            agent = self.member("agent", event.team)
            self.later(now, _HOUR, 3 * _DAY, partial(self.take, number, agent))

    def asked(self, number: str, event: e.Event, now: datetime) -> None:
        """A vague request: its customer says more, or somebody confirms the type."""
        if isinstance(event, e.CustomerAsked) and self.chance(0.6):
            text = people.request_text(self.playbook, self.random)
            self.later(now, _MINUTE, 5 * _HOUR, partial(self.message, number, text))
        leader = self.member("supervisor").username
        self.work(now, leader, partial(self.reclassify, number))

    def information_requested(self, number: str, _: e.Event, now: datetime) -> None:
        if self.chance(0.85):
            text = self.random.choice(["订单号 4711", "附上照片", "It is the blue one", "谢谢"])
            self.later(now, 5 * _MINUTE, 4 * _DAY, partial(self.message, number, text))

    def stepped(self, number: str, event: e.StepTaken, now: datetime) -> None:
        if event.asks is not None:
            self.later(now, 10 * _MINUTE, 4 * _DAY, partial(self.answer, number, event.asks))

    def approval_requested(self, number: str, _: e.Event, now: datetime) -> None:
        leader = self.member("supervisor").username
        decision = c.Approve(approved=self.chance(0.7))
        self.work(now, leader, lambda at: self.act(number, decision, leader, at))

    def call_requested(self, number: str, _: e.Event, now: datetime) -> None:
        reached = self.chance(0.8)
        handler = self.load(number).handler or self.member("agent").username
        call = c.RecordCall("told", reached)
        self.later(now, _MINUTE, 5 * _HOUR, lambda at: self.act(number, call, handler, at))

    def resolved(self, number: str, event: e.TicketResolved, now: datetime) -> None:
        wait = self.playbook.survey.wait
        self.at(now + wait, partial(self.expire, number, c.ExpireSurvey(event.resolution)))
        if self.chance(0.6):
            self.later(now, _MINUTE, wait + _DAY, partial(self.respond, number))
        if self.chance(0.04):
            self.later(now, _HOUR, 13 * _DAY, partial(self.message, number, "还是不行，没解决"))
        if self.chance(0.03):
            self.later(now, _HOUR, 12 * _DAY, partial(self.reopen, number))

    def respond(self, number: str, now: datetime) -> None:
        """The customer confirms or not, and scores, sometimes poorly."""
        low, high = self.playbook.survey.scores
        happy = self.chance(0.95 if number in self.simple else 0.8)
        if self.load(number).status == "awaiting_confirmation" and self.chance(0.7):
            self.do(number, c.Confirm(happy, "" if happy else "没好"), now, "customer")
        if self.chance(0.7):
            score = self.random.randint((low + high + 1) // 2 if happy else low, high)
            self.do(number, c.AnswerSurvey(score, self.random.choice(["", "ok"])), now, "customer")
        elif self.chance(0.3):
            self.message(number, self.random.choice(["谢谢", "已解决", "Thanks"]), now)

    def review_requested(self, number: str, event: e.Event, now: datetime) -> None:
        within = self.playbook.survey.review.within
        confirmation = self.playbook.confirmation
        if isinstance(event, e.CallbackRequested) and confirmation is not None:
            within = confirmation.within or within
        resolutions = self.load(number).resolutions
        self.at(now + within, partial(self.expire, number, c.ExpireReview(resolutions)))
        if self.chance(0.8):
            self.later(now, 10 * _MINUTE, within + _DAY, partial(self.call_back, number))

    def call_back(self, number: str, now: datetime) -> None:
        ticket = self.load(number)
        team = ticket.team if ticket.solved_by else None
        caller = self.member("qa", team).username
        if ticket.queue == "qa":
            self.do(number, c.AssignReview(caller, insist=True), now, caller)
        self.do(number, c.RecordCallback("说明了原因"), now, caller)

    def expire(self, number: str, command: c.TicketCommand, now: datetime) -> None:
        self.do(number, command, now, "system")

    def reopen(self, number: str, now: datetime) -> None:
        ticket = self.load(number)
        by = ticket.handler or self.member("supervisor").username
        self.do(number, c.Reopen("again"), now, by)

    # Handling

    def act(self, number: str, command: c.Command, by: str, now: datetime) -> None:
        self.do(number, command, now, by)

    def take(self, number: str, agent: Agent, now: datetime) -> None:
        command = c.Take(agent.team, agent.username, handler_name=agent.display_name)
        self.do(number, command, now, agent.username)

    def supervise(self, number: str, leader: str, now: datetime) -> None:
        """Decide about a ticket in the supervisors' queue."""
        ticket = self.load(number)
        if ticket.status != "queued":
            return
        if self.chance(0.1):
            self.do(number, c.Close("无需处理"), now, leader)
            return
        agents = [a for a in self.agents.values() if a.team == ticket.team] or [
            *self.agents.values()
        ]
        chosen = self.random.choice(agents)
        assign = c.Assign(chosen.team, chosen.username, "看一下", True, chosen.display_name)
        self.do(number, assign, now, leader)

    def close(self, number: str, now: datetime) -> None:
        leader = self.member("supervisor").username
        self.do(number, c.Close("重复", silent=self.chance(0.5)), now, leader)

    def reclassify(self, number: str, now: datetime) -> None:
        ticket = self.load(number)
        by = ticket.handler or self.member("supervisor").username
        tags = self.random.sample(sorted(self.playbook.tags), 2) if self.chance(0.5) else None
        command = c.ConfirmType(
            self.random.choice([*self.playbook.types]), tuple(tags) if tags else None
        )
        self.do(number, command, now, by)

    def merge(self, number: str, into: str, now: datetime) -> None:
        by = self.load(number).handler or self.member("supervisor").username
        merged = self.do(number, c.Merge(into), now, by)
        if merged is not None and self.chance(0.25):
            undo = c.Unmerge("不是同一个问题")
            self.later(now, _MINUTE, 20 * _DAY, lambda at: self.act(number, undo, by, at))

    def handle(self, number: str, by: str, now: datetime) -> None:
        """Do one thing as the ticket's handler, and come back for the next."""
        ticket = self.load(number)
        if ticket.in_hand_of != by or ticket.status == "awaiting_confirmation":
            return
        self.once(ticket, by, now)
        again = timedelta(minutes=5) if ticket.status in {"assigned", "in_progress"} else 8 * _HOUR
        self.later(
            now, again, again * 8, lambda at: self.work(at, by, partial(self.handle, number, by))
        )

    def once(self, ticket: Ticket, by: str, now: datetime) -> None:
        number, draw = ticket.number, self.random.random()
        if number in self.simple:
            draw = 0.0 if draw < 0.2 else 0.5  # reply or resolve
        steps = self.offered_steps(ticket)
        if draw < 0.28:
            self.do(number, c.Reply(self.random.choice(["您好，已为您处理", "On it"])), now, by)
        elif draw < 0.34:
            self.do(number, c.RequestInformation("请补充订单号"), now, by)
        elif draw < 0.62 or (draw < 0.82 and not steps):
            self.do(number, c.Resolve("已处理"), now, by)
        elif draw < 0.82:
            self.take_step(number, self.random.choice(steps), None, now)
        elif draw < 0.85:
            self.do(number, c.Note("内部备注"), now, by)
        elif draw < 0.88:
            colleague = self.member("agent", ticket.team)
            command = c.Assign(colleague.team, colleague.username, "交接", True)
            self.do(number, command, now, self.member("supervisor").username)
        elif draw < 0.9:
            teams = [name for name, team in self.playbook.teams.items() if team.role == "agent"]
            self.do(number, c.Enqueue(self.random.choice(teams), "waiting", "转组"), now, by)
        elif draw < 0.92:
            priority = self.random.choice([*self.playbook.priorities])
            self.do(number, c.SetPriority(priority), now, by)
        elif draw < 0.94:
            wanted = self.random.choice([None, *self.playbook.customer_classes])
            self.do(number, c.SetCustomerClass(wanted), now, self.member("supervisor").username)

    # Steps

    def offered_steps(self, ticket: Ticket) -> list[str]:
        return [
            name
            for name in steps_allowed(ticket, self.playbook)
            if name != "approve" and not self.playbook.steps[name].answers
        ]

    def take_step(self, number: str, name: str, team: str | None, now: datetime) -> None:
        step = self.playbook.steps[name]
        by = self.member("agent", team).username if team else self.load(number).handler
        by = by or self.member("supervisor").username
        fields = self.fields(step, now)
        command = c.TakeStep(name, fields, by=by, team=self.agents[by].team)
        self.do(number, command, now, by)

    def answer(self, number: str, slip: Slip, now: datetime) -> None:
        """Answer a slip as a member of the department."""
        if slip not in self.load(number).slips:
            return
        name = next(n for n, step in self.playbook.steps.items() if slip.step in step.answers)
        member = self.member("agent", slip.team)
        fields = self.fields(self.playbook.steps[name], now)
        command = c.TakeStep(name, fields, by=member.username, team=member.team)
        self.do(number, command, now, member.username)

    def fields(self, step: Step, now: datetime) -> dict[str, str]:
        given = {
            name: self.value(declared, now)
            for name, declared in step.fields.items()
            if declared.required or self.chance(0.6)
        }
        for name, declared in step.fields.items():  # those that others make necessary
            if declared.required_with:
                given.setdefault(name, self.value(declared, now))
        return given

    def value(self, declared: StepField, now: datetime) -> str:
        if declared.kind == "time":
            at = now + timedelta(minutes=self.random.randint(30, 4000))
            return at.astimezone(self.playbook.zone).isoformat()
        if declared.kind == "date":
            return (now - 30 * _DAY).date().isoformat()
        if declared.kind == "number":
            return f"{self.random.randint(0, 40_000) / 100:.2f}"
        if declared.kind == "choice":
            return self.random.choice([*declared.choices])
        if declared.kind == "list":
            return "、".join(self.random.sample(PARTS, self.random.randint(1, 3)))
        return self.random.choice(["检查完毕", "see photo", "更换零件"])

    # Erasure

    def erase(self, number: str, now: datetime) -> None:
        """Erase the customer from a ticket and its commits, as `deskbell erase` does."""
        if self.do(number, c.ErasePerson("应客户要求"), now, "admin") is None:
            return
        for item in self.storage.tickets.items(self.desk, number):
            if item["sk"]["S"].startswith("EVENT#"):
                erased = without_person(read_commit(item), self.playbook, mask)
                self.storage.tickets.rewrite(item, dump_events(erased.events))


_NOTICES: dict[type[e.Event], Callable[[_Generator, str, Any, datetime], None]] = {
    e.TicketReceived: _Generator.received,
    e.TicketAssigned: _Generator.assigned,
    e.TicketQueued: _Generator.queued,
    e.CustomerAsked: _Generator.asked,
    e.ConfirmationRequested: _Generator.asked,
    e.InformationRequested: _Generator.information_requested,
    e.StepTaken: _Generator.stepped,
    e.ApprovalRequested: _Generator.approval_requested,
    e.CallRequested: _Generator.call_requested,
    e.TicketResolved: _Generator.resolved,
    e.ReviewRequested: _Generator.review_requested,
    e.CallbackRequested: _Generator.review_requested,
}


def _seal(desk: str, number: str, document: bytes) -> bytes:
    return b"sealed"
