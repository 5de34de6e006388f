"""Each webhook is claimed, sent and marked, and never in the way of what people are told (G5).

The states are those of `functions.core.domain.delivery`, one delivery for each event and endpoint.
Unlike a message to a person a webhook may be sent again where nobody knows whether it went out: its
id is the same each time, so the receiver tells a repetition (E11). What runs differently:

- All that a batch says to people goes first; `Patience` bounds how long endpoints are waited for.
- A claim that a dead run left behind is tried again instead of parked.
- Whatever the endpoint answers but 2xx and 410 is tried again for a day, since receivers are
  misconfigured and mended; then, and where the address is none to send to, it is parked (G3).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import uuid4

from functions.core.domain.delivery import WEBHOOK_RETRY_AFTER, Delivery
from functions.core.domain.erasure import without_person
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.events import Commit
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.domain.webhooks import (
    RECIPIENT,
    WEBHOOK_TYPES,
    Endpoint,
    MessageId,
    sign_standard_webhook,
    wanted,
)
from functions.core.platform.logging import logger
from functions.core.storage.store import Store, read_commit
from functions.notify import outcomes
from functions.notify.deliver.failures import Permanent, SendFailure

SHARE = timedelta(seconds=15)
"""How long a container waits for endpoints in any minute; people's messages have the rest."""

FAILURES = 3
"""After how many failures in a row an endpoint is left alone for `REST`."""

REST = timedelta(minutes=1)

GONE_WITH_A_RUN = "a run claimed it and ended"

INSIDE: Any = {
    "event": True,
    "raw": True,
    "customer": {"hash"},
    "attachments": {"__all__": {"key"}},
}
"""What of an event stays inside: its type, which the message has, keys in the bucket, the hash."""

Refusal = Literal["resting", "busy"]

log = logger("notify")


class Patience:
    """How long the endpoints may be waited for, as one container sees them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute = clock()
        self._spent = 0.0
        self._failures: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}

    def refusal(self, endpoint: str) -> Refusal | None:
        """Why an endpoint is not to be tried now: it rests, or this minute's time is used up."""
        at = self._clock()
        if at - self._minute >= 60:
            self._minute, self._spent = at, 0.0
        if at < self._rests_until.get(endpoint, at):
            return "resting"
        return "busy" if self._spent >= SHARE.total_seconds() else None

    @contextmanager
    def waiting(self, endpoint: str) -> Iterator[None]:
        """An attempt: what it takes is counted, and whether the endpoint failed again."""
        began = self._clock()
        try:
            yield
        except SendFailure:
            failed = self._failures[endpoint] = self._failures.get(endpoint, 0) + 1
            if failed >= FAILURES:
                self._rests_until[endpoint] = self._clock() + REST.total_seconds()
            raise
        else:
            self._failures.pop(endpoint, None)
        finally:
            self._spent += self._clock() - began


@dataclass(frozen=True)
class Hooks:
    """What webhooks need of the world.

    `secrets(desk, name, now)` gives an endpoint's valid secrets, `post(url, body, headers)` the
    answer's status; both raise a `SendFailure`. `announce` puts what is parked before an operator;
    `in_time` says whether the function has time left to wait for an endpoint.
    """

    store: Store
    secrets: Callable[[str, str, datetime], tuple[str, ...]]
    post: Callable[[str, bytes, Mapping[str, str]], str]
    announce: Callable[[dict[str, str], str], None]
    patience: Patience
    in_time: Callable[[], bool]


def is_hook(delivery_id: str) -> bool:
    """Whether a delivery's id is a webhook's."""
    return f"#{RECIPIENT}" in delivery_id


def deliver(record: Any, hooks: Hooks, now: datetime) -> None:
    """The webhooks of one record of the table's stream.

    What cannot be read is left to those who tell people of it: they have parked it.

    Raises:
        TryAgain: the record has to come again.
    """
    try:
        image: Any = record["dynamodb"].get("NewImage", {})
        _, desk, number = image["pk"]["S"].split("#", 2)
        kind, _, rest = image["sk"]["S"].partition("#")
    except (AttributeError, KeyError, TypeError, ValueError):
        return
    if kind == "EVENT" and record.get("eventName") == "INSERT":
        playbook = hooks.store.playbook(desk, now)
        if not playbook.webhooks:
            return
        try:
            commit = read_commit(image)
        except DeadLetter:
            return
        tell(commit, playbook, hooks, now)
    elif kind == "DELIVERY" and image.get("state", {}).get("S") == "due" and is_hook(rest):
        again(desk, number, rest, hooks, now)


def tell(commit: Commit, playbook: Playbook, hooks: Hooks, now: datetime) -> None:
    """Tell each endpoint of the events of a commit that it wants."""
    trouble: TryAgain | None = None
    for name, position, event in wanted(commit.events, playbook.webhooks):
        delivery = draft(commit, playbook, name, position, event, now)
        try:
            if refusal := _refusal(delivery, hooks):
                hooks.store.claim(_put_off(delivery, refusal, now))
            elif hooks.store.claim(delivery) or _is_ours(delivery, hooks, now):
                _send(delivery, commit, playbook, hooks, now)
        except TryAgain as error:
            trouble = error  # the others are told all the same
    if trouble is not None:
        raise trouble


def again(desk: str, number: str, delivery_id: str, hooks: Hooks, now: datetime) -> None:
    """The next attempt of a delivery that is due."""
    before = hooks.store.delivery(desk, number, f"DELIVERY#{delivery_id}")
    if before is None or before.state not in {"due", "claimed"}:
        return
    if before.state == "claimed":
        _look_at_claim(before, hooks, now)
        return
    playbook = hooks.store.playbook(desk, now)
    commit = hooks.store.commit_at(desk, number, before.version)
    if _name(before) not in playbook.webhooks:
        outcomes.park(before, "the playbook has no such webhook any more", hooks, now, "due")
        return
    if commit is None or int(before.about) >= len(commit.events):
        outcomes.park(before, "the event that asked for it is gone", hooks, now, "due")
        return
    refusal = _refusal(before, hooks)
    if refusal == "resting" and before.attempts >= len(WEBHOOK_RETRY_AFTER):
        cause = f"gave up after {before.attempts} attempts: {_PUT_OFF[refusal]}"
        outcomes.park(before, cause, hooks, now, "due")
        return
    if refusal:
        outcomes.mark(_put_off(before, refusal, now), "due", hooks)
        return
    claimed = before.model_copy(
        update={"state": "claimed", "claimed_at": now, "at": now, "claim": uuid4().hex}
    )
    if hooks.store.move(claimed, "due") or _is_ours(claimed, hooks, now):
        _send(claimed, commit, playbook, hooks, now)


def draft(
    commit: Commit, playbook: Playbook, name: str, position: int, event: Any, now: datetime
) -> Delivery:
    """The delivery of one event to one endpoint, claimed by this run."""
    return Delivery(
        desk=commit.desk,
        number=commit.number,
        version=commit.version,
        event=event.event,
        message=WEBHOOK_TYPES[event.event],
        recipient=f"{RECIPIENT}{name}",
        about=str(position),
        channel="webhook",
        to=Endpoint.of(playbook.webhooks[name].url).host,
        claimed_at=now,
        at=now,
        claim=uuid4().hex,
    )


def message_id(delivery: Delivery) -> str:
    """The delivery's `webhook-id`."""
    return str(
        MessageId(
            delivery.desk,
            delivery.number,
            delivery.version,
            int(delivery.about),
            _name(delivery),
        )
    )


def body_of(event: Any, commit: Commit, ticket: Ticket) -> bytes:
    """The message: what happened, masked as it is stored, and the ticket as it is now (G4)."""
    said = event.model_dump(mode="json", exclude=INSIDE)
    return encode(
        WEBHOOK_TYPES[event.event],
        commit.at,
        {
            "desk": commit.desk,
            "number": commit.number,
            "version": commit.version,
            "actor": commit.actor,
            "event": said,
            "ticket": ticket.model_dump(mode="json", include=_TICKET),
        },
    )


def encode(kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """A message in the form of the scheme: `{"type", "timestamp", "data"}`, UTF-8 JSON."""
    message = {"type": kind, "timestamp": at.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def headers(
    id: str,  # noqa: A002 - the scheme's word
    body: bytes,
    secrets: tuple[str, ...],
    now: datetime,
) -> dict[str, str]:
    """The scheme's three headers, signed with every secret that is valid."""
    stamp = int(now.timestamp())
    signed = " ".join(sign_standard_webhook(secret, id, stamp, body) for secret in secrets)
    return {"webhook-id": id, "webhook-timestamp": str(stamp), "webhook-signature": signed}


def waits(delivery_id: str) -> tuple[timedelta, ...]:
    """The waits between a delivery's attempts, the same whenever they are asked for."""
    return tuple(
        wait * (1 - _share(f"{delivery_id}#{step}") / 10)
        for step, wait in enumerate(WEBHOOK_RETRY_AFTER)
    )


_TICKET = {
    "version", "status", "type", "tags", "priority", "channel", "locale", "queue", "team",
    "handler", "level", "received_at", "updated_at", "expected_response_by", "first_response_at",
    "resolved_at", "archived_at", "summary", "score",
}  # fmt: skip


def _share(text: str) -> float:
    """A number from 0 to below 1 that follows from a text and looks like chance."""
    return int.from_bytes(sha256(text.encode()).digest()[:4], "big") / 2**32


def _name(delivery: Delivery) -> str:
    return delivery.recipient.removeprefix(RECIPIENT)


def _endpoint(delivery: Delivery) -> str:
    return f"{delivery.desk}#{_name(delivery)}"


def _refusal(delivery: Delivery, hooks: Hooks) -> Refusal | None:
    return hooks.patience.refusal(_endpoint(delivery)) if hooks.in_time() else "busy"


def _put_off(delivery: Delivery, why: Refusal, now: datetime) -> Delivery:
    """The delivery for later, untried.

    That its endpoint rests is the endpoint's failure and counts as an attempt; that this function
    had no time does not.
    """
    attempts, wait = delivery.attempts, _SOON * (1 + 4 * _share(delivery.id))
    if why == "resting":
        attempts, wait = attempts + 1, waits(delivery.id)[attempts]
    update = {"state": "retrying", "attempts": attempts, "next_at": now + wait, "at": now}
    put_off = delivery.model_copy(update={**update, "cause": _PUT_OFF[why]})
    log.warning("delivery.put_off", extra={**outcomes.about(put_off), "cause": put_off.cause})
    return put_off


_SOON = timedelta(minutes=1)
_PUT_OFF = {
    "resting": f"not tried: {FAILURES} attempts in a row failed just before",
    "busy": "not tried: no time was left for webhooks",
}


def _is_ours(claimed: Delivery, hooks: Hooks, now: datetime) -> bool:
    """Whether a refused claim was our own, written by a request that the network repeated."""
    found = hooks.store.delivery(claimed.desk, claimed.number, f"DELIVERY#{claimed.id}")
    if found is None:
        raise TryAgain("a delivery refused its claim and is gone")
    if found.state == "claimed" and found.claim == claimed.claim:
        return True
    if found.state == "claimed":
        _look_at_claim(found, hooks, now)
    return False


def _look_at_claim(found: Delivery, hooks: Hooks, now: datetime) -> None:
    """Another run has claimed it: wait for its outcome, or try again what it left behind."""
    if now - found.claimed_at < outcomes.CLAIM_HOLDS:
        raise outcomes.UnderWay(f"{found.number}: another run is sending {found.id}")
    left = {"state": "retrying", "next_at": now, "at": now, "cause": GONE_WITH_A_RUN}
    outcomes.mark(found.model_copy(update=left), "claimed", hooks)


def _send(
    delivery: Delivery, commit: Commit, playbook: Playbook, hooks: Hooks, now: datetime
) -> None:
    """Send a claimed delivery and mark what came of it."""
    tried = delivery.model_copy(
        update={"attempts": delivery.attempts + 1, "at": now, "next_at": None, "cause": None}
    )
    try:
        answered = _go(delivery, commit, playbook, hooks, now)
    except Permanent as error:
        outcomes.park(tried, str(error), hooks, now)
    except (SendFailure, TryAgain) as error:
        outcomes.later(tried, str(error), hooks, now, waits(delivery.id))
    else:
        sent = tried.model_copy(update={"state": "sent", "provider_id": answered})
        outcomes.mark(sent, "claimed", hooks)
        log.info("delivery.sent", extra=outcomes.about(sent))


def _go(delivery: Delivery, commit: Commit, playbook: Playbook, hooks: Hooks, now: datetime) -> str:
    ticket = hooks.store.load_since(delivery.desk, delivery.number, delivery.version)
    if ticket.erased:  # what is not blanked yet is not to be said any more (B10)
        commit = without_person(commit, playbook)
    body = body_of(commit.events[int(delivery.about)], commit, ticket)
    secrets = hooks.secrets(delivery.desk, _name(delivery), now)
    signed = headers(message_id(delivery), body, secrets, now)
    with hooks.patience.waiting(_endpoint(delivery)):
        return hooks.post(playbook.webhooks[_name(delivery)].url, body, signed)
