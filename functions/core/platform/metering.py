"""Meter what functions use, by the names of `prices.json` (F8).

The container's clients report each call that is charged, so metering makes none of its own. A
commit carries what was used before it, and notify's entry in a journal what the record took there
(`spent`, `take`). Whatever is used after the last of them, such as the commit's own write, is
logged at the end of the invocation and counted to the desk's next one in this container.

The sweep works in several threads: calls are counted by thread, the time of the function once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock, get_ident
from typing import Any, TypeVar

from functions.core.platform.logging import logger
from functions.core.storage.usages import rounded

PRICE_OF = {
    ("events", "PutEvents"): "eventbridge.event",
    ("kms", "Encrypt"): "kms.request",
    ("kms", "Decrypt"): "kms.request",
    ("s3", "CopyObject"): "s3.put",
    ("s3", "GetObject"): "s3.get",
    ("s3", "HeadObject"): "s3.get",
    ("s3", "ListObjectsV2"): "s3.put",  # at the price of a PUT
    ("s3", "PutObject"): "s3.put",
    ("sesv2", "SendEmail"): "ses.sent",
    ("sns", "Publish"): "sns.sms",
    ("sqs", "GetQueueUrl"): "sqs.request",
    ("sqs", "SendMessage"): "sqs.request",
}
"""The price of a call, by boto3's service and operation; DynamoDB says its units itself. The tasks
of the closing workflow count its transitions."""

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})
GB_SECOND = "lambda.gb_second_arm" if os.uname().machine == "aarch64" else "lambda.gb_second"
_SMS_PARTS = "deskbell.sms_parts"
MOST_DESKS = 200
"""Desks whose usage is carried over: anybody can call the API with invented names."""

log = logger("metering")

Usage = dict[str, float]
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass
class _Account:
    """The usage of a thread for a desk, and the ticket and channel it is for."""

    about: dict[str, str] = field(default_factory=dict)
    used: Usage = field(default_factory=dict)

    @property
    def desk(self) -> str:
        return self.about.get("desk", "")


class _Meter:
    """The meter of one invocation."""

    def __init__(self, gigabytes: float) -> None:
        self.gigabytes, self.since = gigabytes, time.perf_counter()
        self.accounts: dict[int, _Account] = {}

    @property
    def account(self) -> _Account:
        return self.accounts.setdefault(get_ident(), _Account())

    def read_time(self) -> None:
        """Charge the time since the last reading to the present thread."""
        with _lock:
            now = time.perf_counter()
            took, self.since = now - self.since, now
        _add(self.account.used, {GB_SECOND: took * self.gigabytes})


_meter: _Meter | None = None
_carried: dict[str, Usage] = {}
_lock = Lock()


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """Meter an invocation; `context` is Lambda's."""
    global _meter
    meter = _Meter(int(context.memory_limit_in_mb) / 1024)
    outer, _meter = _meter, meter
    count("lambda.request")
    try:
        yield
    finally:
        meter.read_time()
        for account in meter.accounts.values():
            if account.used:
                log.info("usage", extra={**account.about, "usage": rounded(account.used)})
            _leave(account)
        _meter = outer


def metered(handler: Handler) -> Handler:
    """Meter each invocation of a handler; its event may name the desk and the ticket."""

    @wraps(handler)
    def run(event: Any, context: Any) -> Any:
        with invocation(context):
            if isinstance(event, dict):
                about(event.get("desk"), event.get("number"))
            return handler(event, context)

    return run  # type: ignore[return-value]  # it takes and returns what the handler does


def watch(client: Any) -> Any:
    """Let a boto3 client report its calls; return it."""
    events = client.meta.events
    events.register("before-parameter-build.dynamodb.*", _ask_capacity)
    events.register("before-parameter-build.sns.Publish", _count_parts)
    events.register("after-call.*.*", _called)
    return client


def count(price: str, quantity: float = 1) -> None:
    """Count a quantity by its price; nothing outside of an invocation."""
    if _meter is not None:
        _add(_meter.account.used, {price: quantity})


def count_received_mail() -> None:
    """Count what brings a mail: SES stores and publishes it; SQS sends, receives and deletes it."""
    for price in ("ses.received", "s3.put", "sns.publish"):
        count(price)
    count("sqs.request", 3)


def about(desk: str | None, number: str | None = None, channel: str | None = None) -> None:
    """Say for what the present thread works from now on."""
    if _meter is None:
        return
    account = _meter.account
    if account.desk not in {"", desk}:
        _leave(account)
    named = {"desk": desk, "ticket": number, "channel": channel}
    account.about |= {name: value for name, value in named.items() if value}


def take(desk: str, number: str) -> Usage:
    """Return what was used for a desk and not taken before."""
    about(desk, number)
    if _meter is None:
        return {}
    _meter.read_time()
    account = _meter.account
    taken, account.used = account.used, {}
    with _lock:
        _add(taken, _carried.pop(desk, {}))
    return taken


@contextmanager
def spent(desk: str, number: str) -> Iterator[Usage]:
    """Take what was used for a commit; if the commit fails, the desk's next one gets it."""
    taken = take(desk, number)
    try:
        yield taken
    except BaseException:
        _carry(desk, taken)
        raise


def forget() -> None:
    """Forget what is carried over, as a new container has nothing."""
    _carried.clear()


def _leave(account: _Account) -> None:
    """Carry what is left of an account over to its desk's next commit."""
    if account.desk:
        _carry(account.desk, account.used)
    account.about, account.used = {}, {}


def _carry(desk: str, used: Usage) -> None:
    with _lock:
        if len(_carried) < MOST_DESKS or desk in _carried:
            _add(_carried.setdefault(desk, {}), used)


def _add(to: Usage, quantities: Mapping[str, float]) -> None:
    for price, quantity in quantities.items():
        to[price] = to.get(price, 0) + quantity


def _ask_capacity(params: dict[str, Any], model: Any, **_: Any) -> None:
    if "ReturnConsumedCapacity" in model.input_shape.members:
        params.setdefault("ReturnConsumedCapacity", "TOTAL")


def _count_parts(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Keep how many parts a text message has, each of which is paid."""
    from functions.core.text.sms_parts import sms_parts

    context[_SMS_PARTS] = sms_parts(params["Message"])


def _called(model: Any, parsed: dict[str, Any], context: Any = None, **_: Any) -> None:
    """Count a call that succeeded."""
    if "Error" in parsed:
        return
    service = model.service_model.service_name
    price = PRICE_OF.get((service, model.name))
    if price is not None:
        count(price, (context or {}).get(_SMS_PARTS, 1))
    if service != "dynamodb":
        return
    kind = "dynamodb.read_unit" if model.name in _READS else "dynamodb.write_unit"
    consumed = parsed.get("ConsumedCapacity") or []
    for table in consumed if isinstance(consumed, list) else [consumed]:
        count(kind, table["CapacityUnits"])
