"""Measure the AWS calls of a ticket's whole life on the happy path, step by step."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import boto3

from deskbell.client import ApiResponse
from functions.core.domain.ticket import PICK_UP_AFTER, Ticket
from functions.core.platform import clock
from functions.core.services.links import ticket_path
from infra.bench.emulator import DESK, agent_of
from infra.deploy.desks import storage_of
from infra.simulator import capacity
from infra.simulator.simulator import Call, Invocation, Simulator

CUSTOMER = "han.meimei@example.com"
MAILBOX = "support@standard.local"
DESCRIPTION = "无法登录，一直提示密码错误，请帮忙处理"
SUMMARY = "引导客户重置密码"
TEAM = "技术支持组"


LOOK = "sweep looks after two minutes"
"""The step in which the sweep sees that the ticket was routed and acknowledged."""


class LifeError(RuntimeError):
    """A ticket left the happy path; the message says where."""


@dataclass(frozen=True)
class LifeStep:
    name: str
    calls: tuple[Call, ...]
    invocations: tuple[Invocation, ...]

    @property
    def read_units(self) -> float:
        return sum(call.read_units for call in self.calls)

    @property
    def write_units(self) -> float:
        return sum(call.write_units for call in self.calls)

    def to_table(self, function: str | None = None) -> list[Call]:
        return [
            call
            for call in self.calls
            if call.service == "dynamodb" and function in {None, call.function}
        ]


@dataclass(frozen=True)
class Life:
    """A finished life; `requests` counts HTTP requests, `transitions` the workflow's."""

    name: str
    steps: tuple[LifeStep, ...]
    requests: int
    transitions: int
    archive_bytes: int
    table_bytes: int

    @property
    def read_units(self) -> float:
        return sum(step.read_units for step in self.steps)

    @property
    def write_units(self) -> float:
        return sum(step.write_units for step in self.steps)

    @property
    def calls(self) -> Iterator[Call]:
        for step in self.steps:
            yield from step.calls

    @property
    def invocations(self) -> Iterator[Invocation]:
        for step in self.steps:
            yield from step.invocations


def calls_to_create_ticket(simulator: Simulator, key: str | None = None) -> int:
    """Count the DynamoDB calls of creating a ticket by web form with a cached playbook."""
    actor = _Actor(simulator, VirtualClock(), lambda: None)
    for _ in range(2):
        with actor.step("filed"):
            _by_form(key)(actor)
    return len(actor.steps[-1].to_table("api_handler"))


def lives(simulator: Simulator) -> list[Life]:
    """Measure lives by web form and by mail, after one of each for warm-up.

    Containers survive between the steps but their playbooks expire, as hours pass in a real life.
    """
    time, warm, cold = VirtualClock(), simulator.expire_playbooks, simulator.replace_containers
    with time.running():
        for opening in (_by_form(key=None), _by_mail):
            _Actor(simulator, time, warm).live("warm-up", opening)
        return [
            _Actor(simulator, time, between).live(name, opening)
            for name, opening, between in (
                ("web form", _by_form(key=None), warm),
                ("web form, Idempotency-Key", _by_form(key="k-1"), warm),
                ("mail", _by_mail, warm),
                ("web form, every container new", _by_form(key=None), cold),
            )
        ]


class VirtualClock:
    """The functions' clock, which can be put forward."""

    def __init__(self) -> None:
        self._real = clock.now
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._real() + self._ahead

    def forward(self, by: timedelta) -> None:
        self._ahead += by

    @contextmanager
    def running(self) -> Iterator[None]:
        clock.now = self.now
        try:
            yield
        finally:
            clock.now = self._real


def _is_of_every_minute(call: Call) -> bool:
    """Return whether a sweep reads a shard, which it does each minute whatever is due."""
    return call.operation == "Query" and "due" in call.parts


OpenTicket = Callable[["_Actor"], None]


class _Actor:
    """The customer and the agent of one life; `between` runs before each step."""

    def __init__(
        self, simulator: Simulator, time: VirtualClock, between: Callable[[], None]
    ) -> None:
        self.simulator = simulator
        self.time = time
        self.between = between
        self.steps: list[LifeStep] = []
        self.requests = 0
        self.number = ""
        self.link = ""
        self.agent = {"cognito:username": agent_of(TEAM), "cognito:groups": f"{DESK}:agent"}

    def live(self, name: str, opening: OpenTicket) -> Life:
        with self.step("filed, routed, acknowledged, assigned"):
            opening(self)
        self.time.forward(PICK_UP_AFTER)
        with self.step(LOOK):
            self.simulator.tick(self.time.now())
        ticket = f"/agent/desks/{DESK}/tickets/{self.number}"
        with self.step("agent opens the ticket"):
            shown = self.http("GET", ticket, claims=self.agent).json
        text = shown["suggestion"]["text"]
        with self.step("agent replies"):
            self.http("POST", f"{ticket}/reply", {"text": text}, claims=self.agent)
        with self.step("customer looks at the status"):
            self.http("GET", self.link)
        with self.step("agent resolves"):
            self.http("POST", f"{ticket}/resolve", {"summary": SUMMARY}, claims=self.agent)
        path, _, query = self.link.partition("?")
        with self.step("customer answers the survey, archived"):
            answer = self.http("POST", f"{path}/survey?{query}", {"score": 5})
        if answer.json["status"] != "archived":
            raise LifeError(f"{name}: {self.number} ended as {answer.json['status']}")
        execution = self.simulator.workflows.executions[f"{DESK}-{self.number}-1"]
        items = storage_of(self.simulator.deployment.stage).tickets.items(DESK, self.number)
        return Life(
            name=name,
            steps=tuple(self.steps),
            requests=self.requests,
            transitions=execution.transitions,
            archive_bytes=self._archive_bytes(),
            table_bytes=sum(capacity.item_bytes(item) for item in items),
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.between()
        simulator = self.simulator
        calls, invocations = len(simulator.calls), len(simulator.invocations)
        yield
        simulator.pump()
        self.steps.append(
            LifeStep(
                name,
                tuple(call for call in simulator.calls[calls:] if not _is_of_every_minute(call)),
                tuple(simulator.invocations[invocations:]),
            )
        )

    def http(self, method: str, path: str, body: Any = None, **more: Any) -> ApiResponse:
        self.requests += 1
        answer = self.simulator.http(method, path, body, **more)
        if answer.status >= 300:
            raise LifeError(f"{method} {path}: {answer.status} {answer.text}")
        return answer

    def receive_link(self, ticket: Ticket) -> None:
        """Note the link that the contact is sent."""
        name = self.simulator.deployment.parameter("key")
        key = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)
        root = b64decode(key["Parameter"]["Value"])
        self.number, self.link = ticket.number, ticket_path(root, "customer", ticket)

    def _archive_bytes(self) -> int:
        key = f"archive/{DESK}/"
        objects = boto3.client("s3").list_objects_v2(
            Bucket=self.simulator.deployment.archive_bucket, Prefix=key
        )["Contents"]
        return next(item["Size"] for item in objects if self.number in item["Key"])


def _by_form(key: str | None) -> OpenTicket:
    def file(actor: _Actor) -> None:
        body = {"contact": CUSTOMER, "name": "韩梅梅", "description": DESCRIPTION}
        headers = {"Idempotency-Key": f"{key}-{uuid4().hex}"} if key else {}
        answer = actor.http("POST", f"/desks/{DESK}/tickets", body, headers=headers).json
        stage = actor.simulator.deployment.stage
        actor.receive_link(storage_of(stage).tickets.load(DESK, answer["number"]))

    return file


def _by_mail(actor: _Actor) -> None:
    message = EmailMessage()
    message["From"], message["To"] = CUSTOMER, MAILBOX
    message["Subject"] = "无法登录"
    message["Message-ID"] = f"<{uuid4().hex}@example.com>"
    message["Date"] = "Tue, 10 Mar 2026 12:00:00 +0800"
    message.set_content(DESCRIPTION)
    actor.simulator.mail(message.as_bytes(), MAILBOX)
    actor.simulator.pump()
    deployment = actor.simulator.deployment
    (ticket,), _ = storage_of(deployment.stage).tickets.queue_page(
        [f"{DESK}#agent#{agent_of(TEAM)}"]
    )
    actor.receive_link(ticket)
