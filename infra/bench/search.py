"""Measure a search over many tickets, against a request for a queue on the same storage (H3).

The tickets' texts are synthetic. Of the tickets, the table has those that a query loads.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from urllib.parse import quote

import boto3

from functions.core.domain import commands as c
from functions.core.domain.journal import JournalEntry
from functions.core.services.command_service import change
from functions.core.services.indexing import parts
from functions.core.storage.manifests import Manifest
from functions.core.storage.segments import FOLDER, Segments, forget_segments
from functions.core.text.search import Segment, TicketText, microseconds, searchable
from functions.core.text.tokens import last_four_hash
from infra.bench.emulator import DESK
from infra.bench.sweep import FILED, file_ticket
from infra.deploy.desks import storage_of
from infra.simulator.simulator import Simulator

TICKETS = (1_000, 100_000)
RUNS = 7
WAITING = 50
"""The tickets of the queue, a page."""
NEW = 30
"""Entries of the journal that are not in a segment yet."""
QUERIES = {
    "one character": "退",
    "a rare word": "滤芯",
    "several words": "空调 漏水 安装 预约",
    "a number": "778899001",
    "last four": "4471",
    "nothing found": "魑魅魍魉",
    "nothing found, common words": "refund 空调 tracking",
}
_RARE = ("滤芯", "单号 778899001")
_PARTS = (
    "我的订单", "还没有发货", "物流三天没有更新", "申请了退款", "钱没有到账", "收货地址填错了",
    "客服电话打不通", "屏幕碎了", "想换一台新的", "发票抬头要改", "优惠券用不了", "会员积分没有了",
    "登录不了", "收不到验证码", "快递放在驿站", "包装破损", "少发了一件", "尺寸不合适",
    "空调不制冷", "洗衣机漏水", "声音很大", "还在保修期内", "安装师傅没有来", "请帮忙预约",
    "麻烦尽快处理", "谢谢", "型号是KF-35", "打开就闪退", "支付失败", "扣了两次钱",
)  # fmt: skip
_WORDS = [
    "my",
    "order",
    "has",
    "not",
    "arrived",
    "tracking",
    "shows",
    "no",
    "update",
    "please",
    "check",
    "the",
    "refund",
    "was",
    "requested",
    "but",
    "money",
    "never",
    "came",
    "invoice",
    "address",
    "is",
    "wrong",
    "screen",
    "broken",
    "warranty",
    "repair",
    "fee",
    "account",
    "password",
    "code",
    "coupon",
    "points",
    "installation",
    "appointment",
    "late",
    "noisy",
    "machine",
    "leaks",
    "again",
    "thanks",
]


STARTS = 5
STARTED = ("one character", "nothing found")
"""The queries that read the fewest segments and all."""
_START = """
import sys, time
began = time.perf_counter()
import app
from infra.bench.emulator import DEPLOYMENT
from infra.bench.search import ask
from infra.simulator.simulator import Simulator
with Simulator(DEPLOYMENT).running() as simulator:
    ask(simulator, sys.argv[1])
print((time.perf_counter() - began) * 1000)
"""
"""The start of a container: all that it imports, and one request."""


@dataclass(frozen=True)
class Measured:
    """A request: milliseconds, read units, objects read from S3."""

    milliseconds: float
    read_units: float
    gets: int


@dataclass(frozen=True)
class RequestTimes:
    """A request in a container that has read all it needs, in one that has read nothing, and in a
    new one with its start (milliseconds), which takes a second and is not always measured."""

    warm: Measured
    first: Measured
    started: float | None


@dataclass(frozen=True)
class SearchTimes:
    """A query over so many tickets."""

    tickets: int
    kind: str
    stored: str
    times: RequestTimes


def measure(simulator: Simulator) -> tuple[RequestTimes, list[SearchTimes]]:
    """Return what a queue costs, and the queries for each number of tickets."""
    storage = storage_of(simulator.deployment.stage)
    playbook = storage.playbooks.get(DESK, FILED)
    team = next(name for name, team in playbook.teams.items() if team.role == "agent")
    for serial in range(WAITING):
        number = f"CS20260309{serial:03}"
        file_ticket(storage, playbook, number)
        change(storage, DESK, number, c.Enqueue(team), playbook, FILED, actor="system")
    queue = _times(simulator, "queue=unassigned", started=True)
    found = []
    for count in TICKETS:
        stored = _write(simulator, count)
        for kind, text in QUERIES.items():
            query, before = f"q={quote(text)}", len(simulator.calls)
            _request(simulator, query)
            for number in _loaded(simulator, before):
                if storage.tickets.find(DESK, number) is None:
                    file_ticket(storage, playbook, number)
            times = _times(simulator, query, started=kind in STARTED)
            found.append(SearchTimes(count, kind, stored, times))
    return queue, found


def _times(simulator: Simulator, query: str, *, started: bool) -> RequestTimes:
    ask = partial(_request, simulator, query)
    starts = [_started(query) for _ in range(STARTS if started else 0)]
    return RequestTimes(
        _repeated(ask), _repeated(partial(ask, cold=True)), median(starts) if starts else None
    )


def _started(query: str) -> float:
    command = [sys.executable, "-c", _START, query]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return float(done.stdout.splitlines()[-1])


def ask(simulator: Simulator, query: str) -> None:
    """Send a supervisor's request for a list of tickets."""
    answer = simulator.http(
        "GET",
        f"/agent/desks/{DESK}/tickets?{query}",
        claims={"cognito:username": "bench-主管组", "cognito:groups": f"{DESK}:supervisor"},
    )
    if answer.status != 200:
        raise RuntimeError(answer.text)


def _request(simulator: Simulator, query: str, *, cold: bool = False) -> Measured:
    if cold:
        simulator.replace_containers()
        forget_segments()
    calls, runs = len(simulator.calls), len(simulator.invocations)
    ask(simulator, query)
    made = simulator.calls[calls:]
    return Measured(
        sum(run.seconds for run in simulator.invocations[runs:]) * 1000,
        sum(call.read_units for call in made),
        sum(call.service == "s3" for call in made),
    )


def _repeated(ask: partial[Measured]) -> Measured:
    ask()
    each = [ask() for _ in range(RUNS)]
    return Measured(median(one.milliseconds for one in each), each[0].read_units, each[0].gets)


def _loaded(simulator: Simulator, first: int) -> Iterator[str]:
    for call in simulator.calls[first:]:
        for asked in call.request.get("RequestItems", {}).values():
            for key in asked["Keys"]:
                yield key["pk"]["S"].rpartition("#")[2]


def _write(simulator: Simulator, count: int) -> str:
    """Write the desk's segments and some new entries; return what is stored in S3."""
    storage, now = storage_of(simulator.deployment.stage), datetime.now(UTC)
    s3, bucket = boto3.client("s3"), simulator.deployment.mail_bucket
    segments = Segments(s3, bucket)
    current = storage.manifests.get(DESK, consistent=True) or Manifest(DESK, now)
    refs = [segments.put(DESK, Segment(part), now) for part in parts(_texts(count, now))]
    through = now - timedelta(minutes=5)
    storage.manifests.put(Manifest(DESK, through, tuple(refs), version=current.version))
    for serial in range(NEW):
        entry = JournalEntry(number=f"CS{serial}", version=1, at=now, texts=(_PARTS[serial],))
        storage.journal.write(DESK, entry, now)
    sizes = {
        item["Key"]: item["Size"]
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"{FOLDER}{DESK}/")["Contents"]
    }
    megabytes = sum(sizes[ref.key] for ref in refs) / 1024**2
    return f"{len(refs)} segments, {megabytes:.1f} MB"


def _texts(count: int, now: datetime) -> Iterator[TicketText]:
    drawn = random.Random(1)  # noqa: S311 - a sample
    hashed = partial(last_four_hash, bytes(32), DESK)
    for serial in range(count):
        at = now - timedelta(minutes=count - serial)
        chinese = drawn.random() < 0.7
        said = drawn.choices(_PARTS, k=14) if chinese else drawn.choices(_WORDS, k=22)
        text = ("，" if chinese else " ").join(said) + f" {drawn.randrange(10**9, 10**10)}"
        if serial % (count // 3) == 7:
            text += "".join(_RARE)
        number, contact = (
            f"CS{20260000 + serial // 500}{serial:06}",
            f"****{drawn.randrange(10**4):04}",
        )
        yield TicketText(
            number, microseconds(at), microseconds(at), searchable(number, contact, [text], hashed)
        )
