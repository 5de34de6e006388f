"""Play a desk's day at many times its speed against a running system, and measure each call.

`python -m infra.bench.load --speed 60 --hours 8 --tickets 400` plays eight hours of a day of 400
tickets in eight minutes: customers file on several channels, agents open their queue and answer,
customers write again and rate. Everything goes over HTTP, each call once, so an error is an error.
The same seed gives the same day.

A call is due by the plan, whatever became of the others: `behind` says how late the latest began.
If that is much, the machine was too slow for the speed, and waiting is not in the other figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import time
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol, get_args
from urllib.parse import urlsplit
from uuid import uuid4

from deskbell.client import Deskbell, NoAnswer
from functions.core.domain.webhooks import signed_headers
from functions.core.platform import clock
from functions.core.services.links import ticket_path
from functions.core.storage.database import Storage
from infra.bench.latency import DESCRIPTIONS
from infra.bench.running_system import LocalSystemError, aws_client, described

DESK = "standard"
OPENS = 9
"""The hour at which the played part of the day begins."""
BY_HOUR = (1, 1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 14, 8, 9, 14, 16, 13, 10, 7, 6, 6, 5, 3, 2)
"""Arrivals by hour of a day, in relation to each other: peaks at ten and at three."""

Channel = Literal["web", "mail", "app", "phone"]
MIX: Mapping[Channel, int] = {"web": 50, "mail": 25, "app": 15, "phone": 10}
"""Requests by channel, in percent; `app` is the signed webhook."""

Act = Literal["file", "queue", "read", "reply", "write", "resolve", "rate"]
FIRST_REPLY, NEXT, HANDLED, RATED = 8.0, 10.0, 12.0, 30.0
"""Mean minutes until the first reply, a customer's and an agent's next words, the solution after
the last of them, and the score."""
WRITES_AGAIN, RATES = 0.4, 0.6
"""The shares of customers who write again, and who rate."""
WORKERS = 16
ROUTED_WITHIN = 15.0
"""Seconds in which a ticket has to get a handler; without one it is left alone."""
WORKED_ON = frozenset({"assigned", "in_progress"})


@dataclass(frozen=True, order=True)
class DayStep:
    """One thing that somebody does, in minutes of the day's time after the beginning."""

    at: float
    ticket: int
    act: Act = field(compare=False)
    channel: Channel = field(compare=False)
    score: int = field(default=0, compare=False)


@dataclass(frozen=True)
class LoadProfile:
    """The day that is played: hours of a day of so many tickets, at a multiple of real time."""

    speed: float = 60
    hours: float = 8
    tickets: int = 400
    seed: int = 1


SHORT = LoadProfile(speed=120, hours=1.5, tickets=240)
"""Three quarters of a minute, for `make bench`."""


def plan(profile: LoadProfile) -> list[DayStep]:
    """Return the steps of a day in order; those after its end are left out."""
    rng = random.Random(profile.seed)  # noqa: S311 - a day that can be played again
    end = profile.hours * 60
    arrivals = list(_arrivals(profile, rng))
    channels = [name for name, n in apportioned(len(arrivals), MIX).items() for _ in range(n)]
    rng.shuffle(channels)
    steps = [
        step
        for ticket, (at, channel) in enumerate(zip(arrivals, channels, strict=True))
        for step in _life(ticket, at, channel, rng)
    ]
    return sorted(step for step in steps if step.at < end)


def apportioned(total: int, shares: Mapping[Any, float]) -> dict[Any, int]:
    """Divide a whole number by shares, so that the parts add up (largest remainders)."""
    whole = sum(shares.values())
    exact = {name: total * share / whole for name, share in shares.items()}
    parts = {name: math.floor(part) for name, part in exact.items()}
    rest = sorted(exact, key=lambda name: parts[name] - exact[name])
    for name in rest[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def _arrivals(profile: LoadProfile, rng: random.Random) -> Iterator[float]:
    """Yield when requests come in, in minutes after the beginning."""
    whole = {hour: float(share) for hour, share in enumerate(BY_HOUR)}
    played: dict[int, float] = {}
    for number in range(math.ceil(profile.hours)):
        lasts = min(1.0, profile.hours - number)
        played[number] = whole[(OPENS + number) % 24] * lasts
    total = round(profile.tickets * sum(played.values()) / sum(BY_HOUR))
    for number, count in apportioned(total, played).items():
        lasts = min(1.0, profile.hours - number)
        yield from (60 * (number + rng.random() * lasts) for _ in range(count))


def _life(ticket: int, at: float, channel: Channel, rng: random.Random) -> Iterator[DayStep]:
    def after(mean: float) -> float:
        return rng.expovariate(1 / mean)

    yield DayStep(at, ticket, "file", channel)
    at += after(FIRST_REPLY)
    again = rng.random() < WRITES_AGAIN
    yield from (DayStep(at, ticket, act, channel) for act in ("queue", "read", "reply"))
    if again:
        at += after(NEXT)
        yield DayStep(at, ticket, "write", channel)
        at += after(NEXT)
        yield from (DayStep(at, ticket, act, channel) for act in ("read", "reply"))
    at += after(HANDLED)
    yield DayStep(at, ticket, "resolve", channel)
    if rng.random() < RATES:
        yield DayStep(at + after(RATED), ticket, "rate", channel, rng.choice((3, 4, 5, 5, 5)))


class CallFailed(Exception):
    """A call was answered with an error, or not at all; `args` has the status."""


class DayActors(Protocol):
    """Those who act; a call may raise `CallFailed`. `handled`: somebody handles the ticket."""

    def handled(self, ticket: int) -> bool: ...

    def __call__(self, step: DayStep) -> None: ...


@dataclass
class PlayedDay:
    """The milliseconds of each kind of call, errors by call and status, and what did not happen."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    skipped: int = 0
    behind: float = 0.0
    seconds: float = 0.0
    lock: Lock = field(default_factory=Lock, repr=False)

    def failed(self, act: str) -> int:
        return self.errors[act].total() if act in self.errors else 0

    def rows(self) -> Iterator[tuple[str, int, dict[str, float], int]]:
        """Yield for each call its name, number, milliseconds by percentile, and errors."""
        for act in get_args(Act):
            times = self.times.get(act, [])
            if times or self.failed(act):
                yield act, len(times), percentiles(times), self.failed(act)

    def figures(self) -> Iterator[tuple[str, float, None, str, str]]:
        """Yield the rows of `make bench`: what, value, no limit, unit, note."""
        for act, number, times, errors in self.rows():
            p50, p95, p99, most = (round(value) for value in times.values())
            note = f"of {number}: p50 {p50}, p99 {p99}, max {most}; {errors} errors"
            yield f"a day's load: {act}, p95", p95, None, "ms", note
        late = "at most, of a request that was due"
        yield "a day's load: behind the plan", round(self.behind, 1), None, "s", late


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and max by nearest rank; zeros of nothing."""
    ordered = sorted(times) or [0.0]
    ranks = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        name: ordered[max(0, math.ceil(share * len(ordered)) - 1)] for name, share in ranks.items()
    }


def play(
    steps: Sequence[DayStep],
    speed: float,
    actors: DayActors,
    *,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    workers: int = WORKERS,
) -> PlayedDay:
    """Carry out a plan; the steps of a ticket follow each other, those of others do not wait."""
    played, began = PlayedDay(), now()
    last: dict[int, Future[bool]] = {}

    def carry_out(step: DayStep, due: float, before: Future[bool] | None) -> bool:
        if before is not None and not before.result():
            with played.lock:
                played.skipped += 1
            return False
        if step.act not in {"file", "write", "rate"} and not actors.handled(step.ticket):
            with played.lock:
                played.skipped += 1
            return False
        started = now()
        try:
            actors(step)
        except CallFailed as refused:
            with played.lock:
                played.errors[step.act][str(refused)] += 1
            return step.act != "file"
        with played.lock:
            played.times[step.act].append((now() - started) * 1000)
            played.behind = max(played.behind, started - due if before is None else 0.0)
        return True

    with ThreadPoolExecutor(workers) as pool:
        for step in steps:
            due = began + step.at * 60 / speed
            if due > now():
                sleep(due - now())
            # What a step waits for was submitted before it, so some worker always goes on.
            last[step.ticket] = pool.submit(carry_out, step, due, last.get(step.ticket))
    played.seconds = now() - began
    return played


class DeskDay:
    """The people of a day on a running system (`local.json`)."""

    def __init__(self, local: Mapping[str, Any]) -> None:
        self._api = Deskbell(local["api"])
        self._secret: str = local["webhook_secrets"][DESK]
        self._mailbox: str = local["mailboxes"][DESK]
        self._sessions: dict[str, Deskbell] = {}
        self._leader = ""
        for person in local["agents"]:
            if person["desk"] == DESK and person["role"] in {"agent", "supervisor"}:
                name = person["username"]
                self._sessions[name] = self._api.sign_in(name, person["password"])
                self._leader = name if person["role"] == "supervisor" else self._leader
        key = aws_client(local, "ssm").get_parameter(
            Name=f"/deskbell/{local['stage']}/key", WithDecryption=True
        )
        self._root = b64decode(key["Parameter"]["Value"])
        self._storage = Storage.on(aws_client(local, "dynamodb"), f"deskbell-{local['stage']}")
        self._numbers: dict[int, str] = {}
        self._handlers: dict[int, str] = {}
        self._run = uuid4().hex[:8]

    def handled(self, ticket: int) -> bool:
        """Wait until somebody handles a ticket; this is not measured."""
        deadline = time.monotonic() + ROUTED_WITHIN
        while time.monotonic() < deadline:
            found = self._storage.tickets.find(DESK, self._numbers[ticket])
            if found is not None and found.status in WORKED_ON and found.handler:
                self._handlers[ticket] = found.handler
                return True
            time.sleep(0.25)
        return False

    def __call__(self, step: DayStep) -> None:
        if step.act == "file":
            self._numbers[step.ticket] = self._file(step)
        elif step.act == "queue":
            self._as_handler(step, "GET", "tickets?queue=mine")
        elif step.act == "read":
            self._as_handler(step, "GET", f"tickets/{self._numbers[step.ticket]}")
        elif step.act == "reply":
            self._act(step, "reply", {"text": "您好，请按说明操作，如有问题请回复。"})
        elif step.act == "resolve":
            self._act(step, "resolve", {"summary": "已按说明解决"})
        elif step.act == "write":
            self._as_customer(step, "messages", {"text": "好的，我再试一下。"})
        else:
            self._as_customer(step, "survey", {"score": step.score})

    def _file(self, step: DayStep) -> str:
        contact = f"load-{self._run}-{step.ticket}@example.com"
        text = DESCRIPTIONS[step.ticket % len(DESCRIPTIONS)]
        body = {"contact": contact, "description": text}
        path = f"/desks/{DESK}"
        if step.channel == "phone":
            path, body = f"/agent{path}/tickets", {**body, "channel": "phone"}
            answer = self._ask(self._sessions[self._leader], "POST", path, body, _once())
        elif step.channel == "web":
            answer = self._ask(self._api, "POST", f"{path}/tickets", body, _once())
        elif step.channel == "app":
            raw = json.dumps({**body, "channel": "app"}).encode()
            answer = self._signed(f"{path}/channels/webhook", raw, "application/json")
        else:
            raw = (
                f"From: {contact}\r\nTo: {self._mailbox}\r\nSubject: {text}\r\n"
                f"Message-ID: <{contact}>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
            ).encode()
            answer = self._signed(f"{path}/channels/mime", raw, "message/rfc822")
        number: str = answer["number"]
        return number

    def _signed(self, path: str, raw: bytes, kind: str) -> Any:
        webhook_id = f"msg_{uuid4().hex}"
        headers = signed_headers(webhook_id, raw, [self._secret], clock.now())
        return self._ask(self._api, "POST", path, raw, {**headers, "Content-Type": kind})

    def _act(self, step: DayStep, action: str, body: Any) -> None:
        path = f"tickets/{self._numbers[step.ticket]}/{action}"
        self._as_handler(step, "POST", path, body, _once())

    def _as_handler(
        self, step: DayStep, method: str, path: str, body: Any = None, headers: Any = None
    ) -> None:
        session = self._sessions.get(self._handlers[step.ticket]) or self._sessions[self._leader]
        self._ask(session, method, f"/agent/desks/{DESK}/{path}", body, headers)

    def _as_customer(self, step: DayStep, call: str, body: Any) -> None:
        ticket = self._storage.tickets.load(DESK, self._numbers[step.ticket])
        link = urlsplit(ticket_path(self._root, "customer", ticket))
        self._ask(self._api, "POST", f"{link.path}/{call}?{link.query}", body, _once())

    @staticmethod
    def _ask(api: Deskbell, method: str, path: str, body: Any, headers: Any) -> Any:
        """Make a call once; the client's own repetitions would hide what is measured."""
        try:
            answer = api.request(method, path, body, headers=headers)
        except NoAnswer as error:
            raise CallFailed("no answer") from error
        if answer.status >= 400:
            raise CallFailed(str(answer.status))
        return answer.json


def _once() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def measure(local: Mapping[str, Any], profile: LoadProfile = SHORT) -> PlayedDay:
    """Play a profile on a running system.

    Raises:
        LocalSystemError: nothing at all succeeded.
    """
    played = play(plan(profile), profile.speed, DeskDay(local))
    if not played.times:
        raise LocalSystemError(f"no call succeeded: {dict(played.errors)}")
    return played


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a day and print its table; return 1 if a call failed."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.load", description=__doc__)
    parser.add_argument("--speed", type=float, default=LoadProfile.speed, help="times real time")
    parser.add_argument(
        "--hours", type=float, default=LoadProfile.hours, help=f"from {OPENS}:00 on"
    )
    parser.add_argument("--tickets", type=int, default=LoadProfile.tickets, help="of a whole day")
    parser.add_argument("--seed", type=int, default=LoadProfile.seed)
    parser.add_argument(
        "--local",
        type=Path,
        default=os.environ.get("DESKBELL_LOCAL"),
        help="local.json of a running local system; by default one is started",
    )
    options = parser.parse_args(arguments)
    profile = LoadProfile(options.speed, options.hours, options.tickets, options.seed)
    with described(options.local) as local:
        played = measure(local, profile)
    show(profile, played)
    return 1 if any(map(played.failed, played.errors)) else 0


def show(profile: LoadProfile, played: PlayedDay) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"{profile.hours:g} h of {profile.tickets:,} tickets a day at {profile.speed:g} ×"
    table = Table(title=title, title_justify="left")
    for name in ("call", "number", "p50 ms", "p95 ms", "p99 ms", "max ms", "errors"):
        table.add_column(name, justify="left" if name == "call" else "right")
    for act, number, times, errors in played.rows():
        figures = (f"{value:,.0f}" for value in times.values())
        table.add_row(act, f"{number:,}", *figures, str(errors))
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    for act, errors_by_status in played.errors.items():
        console.print(f"{act}: {dict(errors_by_status)}", markup=False)
    console.print(
        f"{played.seconds:,.0f} s; the latest request began {played.behind:.1f} s behind its time; "
        f"{played.skipped} steps were skipped, because nobody handled the ticket in time"
    )


if __name__ == "__main__":
    sys.exit(main())
