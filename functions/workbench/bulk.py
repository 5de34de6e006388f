"""Several tickets at once: what each would say to an action, and carrying it out one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from functions.core.domain.errors import (
    FieldError,
    InvalidInput,
    Phrase,
    Refused,
    TryAgain,
)
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.services import agent_actions

MAX_TICKETS = 50
"""The most tickets that are handled at once."""

ACTIONS: Mapping[str, str] = {
    "assign": "assign",
    "tag": "confirm-type",
    "priority": "priority",
    "reply": "reply",
    "note": "note",
    "close": "close",
}
"""Choice → the agents' action that it is. A tag belongs to a ticket's type, and is set with it."""

Outcome = Literal["ready", "unchanged", "refused", "missing", "done", "busy", "failed"]

log = logger("bulk")


@dataclass(frozen=True)
class Order:
    """An order for several tickets: one of `ACTIONS` and its fields."""

    choice: str
    fields: Mapping[str, str]

    @property
    def action(self) -> str:
        return ACTIONS[self.choice]

    def body(self, ticket: Ticket) -> dict[str, Any]:
        """Return the body of the action for a ticket.

        Raises:
            InvalidInput: a field is missing; no ticket would accept it.
        """
        fields = self.fields
        if self.choice == "assign":
            kind, _, name = self._required("recipient").partition(":")
            return {kind: name, "reason": fields.get("reason", "")}
        if self.choice == "tag":
            tag = self._required("tag")
            return {"type": ticket.type, "tags": list(dict.fromkeys((*ticket.tags, tag)))}
        if self.choice == "priority":
            return {"priority": self._required("priority"), "reason": fields.get("reason", "")}
        if self.choice == "close":
            return {"reason": self._required("reason"), "silent": bool(fields.get("silent"))}
        return {"text": self._required("text")}

    def is_so(self, ticket: Ticket) -> bool:
        """Return whether a ticket has the tag already; confirming its type again says nothing."""
        return self.choice == "tag" and self.fields.get("tag") in ticket.tags

    def _required(self, name: str) -> str:
        value = self.fields.get(name, "").strip()
        if not value:
            raise InvalidInput(
                "Some fields are invalid.",
                (FieldError(name, "this field is required"),),
            )
        return value


@dataclass(frozen=True)
class Result:
    """The outcome of an order for one ticket, or what it would be.

    Attributes:
        version: the ticket's, which carrying out the order requires.
        reasons: why it was refused.
    """

    number: str
    ticket: Ticket | None
    outcome: Outcome
    version: int = 0
    reasons: Sequence[str] = ()


def numbers_of(values: Sequence[str]) -> list[str]:
    """Return the numbers of a form, each once.

    Raises:
        InvalidInput: there are more than `MAX_TICKETS`.
    """
    numbers = list(dict.fromkeys(filter(None, values)))
    if len(numbers) > MAX_TICKETS:
        raise InvalidInput(
            Phrase(
                "At most {limit} tickets at once, not {count}.",
                limit=MAX_TICKETS,
                count=len(numbers),
            )
        )
    return numbers


def checked(
    context: agent_actions.ActionContext, order: Order, numbers: Sequence[str], now: datetime
) -> list[Result]:
    """Return what each ticket says to an order, by the checks of the action itself.

    Raises:
        InvalidInput: a field is missing.
    """
    desk = context.principal.desk
    tickets = {each.number: each for each in context.storage.tickets.load_many(desk, numbers)}
    return [_checked(context, order, number, tickets.get(number), now) for number in numbers]


def _checked(
    context: agent_actions.ActionContext,
    order: Order,
    number: str,
    ticket: Ticket | None,
    now: datetime,
) -> Result:
    if ticket is None:
        return Result(number, None, "missing")
    body = order.body(ticket)
    if order.is_so(ticket):
        return Result(number, ticket, "unchanged", ticket.version)
    try:
        changes = agent_actions.check(context, ticket, order.action, _json(body), now)
    except Refused as refused:
        return Result(number, ticket, "refused", ticket.version, reasons(refused))
    return Result(number, ticket, "ready" if changes else "unchanged", ticket.version)


def carried_out(
    context: agent_actions.ActionContext,
    order: Order,
    versions: Mapping[str, int],
    batch: str,
    now: datetime,
) -> Iterator[Result]:
    """Carry out an order on one ticket after the other, and yield what came of each.

    Args:
        versions: the version of each ticket that the person saw in the preview.
        batch: a name of this run; repeated, nothing is done twice.
    """
    desk = context.principal.desk
    read = context.storage.tickets.load_many(desk, list(versions))
    tickets = {each.number: each for each in read}
    for number, version in versions.items():
        ticket = tickets.get(number)
        if ticket is None:
            yield Result(number, None, "missing")
            continue
        body = {**order.body(ticket), "version": version}
        result = attempted(context, number, order.action, body, now, f"bulk-{batch}")
        yield result if result.ticket else replace(result, ticket=ticket, version=version)


def attempted(
    context: agent_actions.ActionContext,
    number: str,
    action: str,
    body: Mapping[str, Any],
    now: datetime,
    key: str,
) -> Result:
    """Carry out an action and return what came of it; `ticket` only if it was done.

    Args:
        key: a name of this attempt; repeated, nothing is done twice.
    """
    try:
        after = agent_actions.act(context, number, action, _json(body), now, key)
    except Refused as refused:
        return Result(number, None, "refused", reasons=reasons(refused))
    except TryAgain:
        return Result(number, None, "busy")
    except Exception:
        # One ticket's failure must not hide what came of the others.
        log.exception("bulk.failed")
        return Result(number, None, "failed")
    return Result(number, after, "done", after.version)


def reasons(refused: Refused) -> list[str]:
    """Return why something was refused: each invalid field's message, else the refusal itself."""
    errors = refused.errors if isinstance(refused, InvalidInput) else ()
    return [error.message for error in errors] or [refused.detail]


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
