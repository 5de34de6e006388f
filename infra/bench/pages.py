"""Measure the pages: what a browser loads, what they ask the table for, what a long ticket costs.

Sizes are those of gzip, as API Gateway and browsers have it. A page's first visit includes all that
it refers to; later only its HTML is loaded, because static files are kept for a year.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from functions.core.domain import commands as c
from functions.core.domain.events import CustomerWrote
from functions.core.services.command_service import change
from functions.core.services.links import ticket_path
from functions.core.storage.database import Storage
from functions.core.storage.event_codec import dump_events
from functions.core.storage.items import commit_sort_key, ticket_key
from functions.core.storage.page_sessions import PageSession
from functions.core.storage.table import key, stamp
from infra.bench.emulator import DESK, agent_of
from infra.bench.sweep import BATCH, FILED, file_ticket
from infra.bench.ticket_life import TEAM
from infra.deploy.desks import storage_of
from infra.simulator.simulator import Call, Simulator

CHAT_DESK = "assisted"
WAITING = 50
"""The tickets of the queue, a page."""
SHORT, LONG = 20, 2_000
"""The entries of two tickets."""
SAID = "您好，包裹还没有到，物流三天没有更新，请帮忙看看现在在哪里，什么时候能送到。"

CUSTOMER_KB, CUSTOMER_SCRIPT_KB = 20, 3
QUEUE_KB, TICKET_KB = 20, 25
STYLE_KB, SCRIPT_KB = 8, 20
FIRST_KB, REPEAT_KB = 60, 25
POLL_BYTES = 300
SAME = 1.05
"""Numbers and times differ in length, so a long ticket may have some bytes more."""

SIGN_IN = "/workbench"
KEYS: dict[str, tuple[tuple[str, ...], int]] = {
    "a known question answered from the queue": (("Enter", "r", "Control+Enter"), 3),
    "sent, and the next ticket": (("Control+Shift+Enter",), 1),
    "an unassigned ticket taken and answered": (("Enter", "r", "Control+Enter"), 3),
}
"""The most frequent jobs → the keys that they need beside what is typed, and how many they may be.
`tests/pages/test_keys.py` presses them."""

_COOKIE = "__Host-deskbell=bench"
_CURSOR = re.compile(r'data-cursor="([^"]+)"')
_LINKED = re.compile(r'(?:href|src)="[^"]*?(/static/[\w.-]+)')


@dataclass(frozen=True)
class PageFigure:
    """A row of the table: what, value, limit, unit, note."""

    what: str
    value: float
    limit: float | None = None
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class LoadedPage:
    """The files that a browser loads for a page, and the calls to the table that it takes."""

    name: str
    html: bytes
    files: dict[str, bytes]
    calls: tuple[Call, ...] = field(repr=False)

    def kilobytes(self, *suffixes: str) -> float:
        """The size of the files with these suffixes; of the HTML without any."""
        contents = [file for name, file in self.files.items() if name.endswith(suffixes)]
        return _kilobytes(contents if suffixes else [self.html])

    @property
    def first_visit(self) -> float:
        return _kilobytes([self.html, *self.files.values()])

    @property
    def reads(self) -> list[Call]:
        return [call for call in self.calls if call.service == "dynamodb"]

    @property
    def operations(self) -> str:
        counted = Counter(call.operation for call in self.reads)
        return ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"


@dataclass(frozen=True)
class PagesMeasured:
    """The pages by name, and why others were not measured."""

    pages: dict[str, LoadedPage]
    missing: dict[str, str]
    poll_bytes: int | None = None

    def figures(self) -> Iterator[PageFigure]:
        for name, page in self.pages.items():
            if name.startswith("customer"):
                yield from _customer_figures(page)
            else:
                yield from _workbench_figures(page)
        short, long = self.pages.get("ticket"), self.pages.get("long ticket")
        if short and long:
            what, note = f"a ticket of {LONG:,} entries", f"× one of {SHORT}"
            ratio = round(len(long.html) / len(short.html), 3)
            yield PageFigure(f"{what}, HTML", ratio, SAME, note)
            asked = round(len(long.reads) / len(short.reads), 3)
            yield PageFigure(f"{what}, DynamoDB calls", asked, 1, note, long.operations)
            units = [sum(call.read_units for call in page.reads) for page in (long, short)]
            yield PageFigure(f"{what}, read units", round(units[0] / units[1], 3), SAME, note)
        for job, (pressed, most) in KEYS.items():
            yield PageFigure(job, len(pressed), most, "keys", " ".join(pressed))
        if self.poll_bytes is not None:
            yield PageFigure("poll, answer", self.poll_bytes, POLL_BYTES, "bytes")


def _customer_figures(page: LoadedPage) -> Iterator[PageFigure]:
    note = f"HTML {page.kilobytes():g}, style {page.kilobytes('.css'):g}"
    yield PageFigure(f"{page.name}, everything", page.first_visit, CUSTOMER_KB, "KB", note)
    yield PageFigure(f"{page.name}, script", page.kilobytes(".js"), CUSTOMER_SCRIPT_KB, "KB")
    yield PageFigure(
        f"{page.name}, calls", len(page.reads), None, "DynamoDB calls", page.operations
    )


def _workbench_figures(page: LoadedPage) -> Iterator[PageFigure]:
    limit, calls = _LIMITS.get(page.name, (None, None))
    if page.html and page.files:
        yield PageFigure(f"{page.name}, HTML", page.kilobytes(), limit, "KB")
        note = f"icons {page.kilobytes('.svg'):g} KB"
        yield PageFigure(f"{page.name}, first visit", page.first_visit, FIRST_KB, "KB", note)
        yield PageFigure(f"{page.name}, repeated", page.kilobytes(), REPEAT_KB, "KB")
    if page.name == "queue":
        yield PageFigure("workbench, style", page.kilobytes(".css"), STYLE_KB, "KB")
        yield PageFigure("workbench, script", page.kilobytes(".js"), SCRIPT_KB, "KB")
    yield PageFigure(
        f"{page.name}, calls", len(page.reads), calls, "DynamoDB calls", page.operations
    )


_LIMITS: dict[str, tuple[float, int]] = {
    "queue": (QUEUE_KB, 1),
    "ticket": (TICKET_KB, 3),
    "long ticket": (TICKET_KB, 3),
    "poll": (QUEUE_KB, 1),
}
"""Kilobytes of HTML, and DynamoDB calls beside those that are cached for 30 seconds."""


def measure(simulator: Simulator, waiting: int = WAITING, long: int = LONG) -> PagesMeasured:
    """Load each page twice, the second time with warm caches, which is measured."""
    storage = storage_of(simulator.deployment.stage)
    tickets = _fill(storage, waiting, long)
    _sign_in(storage)
    pages, missing = {}, {}
    for name, path in _paths(simulator, storage, *tickets):
        try:
            pages[name] = _load(simulator, name, path)
        except LookupError as error:
            missing[name] = str(error)
    poll = pages.get("poll")
    return PagesMeasured(pages, missing, len(poll.html) if poll else None)


def _paths(simulator: Simulator, storage: Storage, short: str, long: str) -> list[tuple[str, str]]:
    ticket = storage.tickets.load(DESK, short)
    bench = f"/workbench/{DESK}"
    return [
        ("customer: form", f"/desks/{DESK}"),
        ("customer: lost link", f"/desks/{DESK}/find"),
        ("customer: status", ticket_path(_root(simulator), "customer", ticket)),
        ("customer: chat", f"/desks/{CHAT_DESK}/chat"),
        ("sign-in", SIGN_IN),
        ("queue", f"{bench}?queue=mine"),
        ("ticket", f"{bench}/tickets/{short}"),
        ("long ticket", f"{bench}/tickets/{long}"),
        ("poll", f"{bench}/changes?since={_cursor(simulator, bench)}"),
    ]


def _cursor(simulator: Simulator, page: str) -> str:
    """Return the cursor from which a page asks for changes."""
    found = _CURSOR.search(_get(simulator, page).decode())
    return found[1] if found else ""


def _root(simulator: Simulator) -> bytes:
    name = simulator.deployment.parameter("key")
    found = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return b64decode(found["Parameter"]["Value"])


def _sign_in(storage: Storage) -> None:
    """Store the session of the bench's agent, whose queue is measured."""
    claims = {"cognito:username": agent_of(TEAM), "cognito:groups": f"{DESK}:agent"}
    later = datetime.now(UTC) + timedelta(hours=1)
    cookie = _COOKIE.partition("=")[2]
    storage.page_sessions.put(cookie, PageSession({**claims}, "", later, later))


def _fill(storage: Storage, waiting: int, long: int) -> tuple[str, str]:
    """Give the agent a page of tickets; return the numbers of a short and a long one."""
    playbook = storage.playbooks.get(DESK, FILED)
    numbers = [f"CS20260309{serial:03}" for serial in range(waiting)]
    for number in numbers:
        file_ticket(storage, playbook, number)
        take = c.Take(team=TEAM, handler=agent_of(TEAM))
        change(storage, DESK, number, take, playbook, FILED, actor="system")
    for number, entries in zip(numbers, (SHORT, long), strict=False):
        _lengthen(storage, number, entries)
    return numbers[0], numbers[1]


def _lengthen(storage: Storage, number: str, entries: int) -> None:
    """Let the customer have written so often that the ticket has a number of entries."""
    partition, table = ticket_key(DESK, number), storage.table
    stored = table.get(partition, "TICKET", consistent=True)
    if stored is None:
        raise LookupError(number)
    first = int(stored["version"]["N"]) + 1
    items = [_commit(partition, version) for version in range(first, entries + 1)]
    for start in range(0, len(items), BATCH):
        puts: list[Any] = [{"PutRequest": {"Item": each}} for each in items[start : start + BATCH]]
        table.client.batch_write_item(RequestItems={table.name: puts})
    body = json.loads(stored["body"]["S"]) | {"records": entries - 1}
    changed = {"version": {"N": str(entries)}, "body": {"S": json.dumps(body)}}
    table.client.put_item(TableName=table.name, Item={**stored, **changed})


def _commit(partition: str, version: int) -> dict[str, Any]:
    said = dump_events((CustomerWrote(text=f"{version:04} {SAID}", channel="web"),))
    return {
        **key(partition, commit_sort_key(version)),
        "at": {"S": stamp(FILED + timedelta(minutes=version))},
        "actor": {"S": "customer"},
        "schema": {"N": "1"},
        "readers": {"S": "none"},
        "records": {"N": str(version - 1)},
        "body": {"S": said},
    }


def _load(simulator: Simulator, name: str, path: str) -> LoadedPage:
    _get(simulator, path)
    before = len(simulator.calls)
    html = _get(simulator, path)
    calls = tuple(simulator.calls[before:])
    linked = sorted(set(_LINKED.findall(html.decode())))
    files = {file: _get(simulator, file) for file in linked}
    return LoadedPage(name, html, files, calls)


def _get(simulator: Simulator, path: str) -> bytes:
    """Load an address as a browser does.

    Raises:
        LookupError: there is nothing.
    """
    headers = {"accept": "text/html", "sec-fetch-site": "none"}
    if path != SIGN_IN:
        headers["cookie"] = _COOKIE
    answer = simulator.http("GET", path, headers=headers)
    if answer.status != 200:
        raise LookupError(f"{path}: {answer.status}")
    return answer.text.encode()


def _kilobytes(contents: Sequence[bytes]) -> float:
    return round(sum(len(gzip.compress(each, 6)) for each in contents) / 1024, 2)
