"""Events, one immutable class each, in the past tense; their registry; the commit that holds them.

A change of a ticket is one `Commit`: a new version and the events that made it. Commits are the
history, the audit trail and the outbox at once: the table's stream delivers them to the router and
to notify.

An event class is the only declaration of an event. Its class keywords and fields are

- `label`: its name in a timeline, in zh-CN and en;
- `webhook`: the public type of its webhook message, None for bookkeeping;
- `wakes_router`: the router acts on it (notify on every event); `router_after_step`: only if one of
  the desk's own steps caused it;
- `customer`: whether customers see it: `never`, as a change of `status`, or as a `message` that
  passed between them and the desk;
- `record` and `says`: its kind in the handling record (B7), and the field with its text;
- `direction`: `in` or `out` for messages between customer and desk;
- the marks of `functions.core.domain.privacy` on its fields: what is masked, kept or erased;
- `changes`: its changes to the ticket.

Stored events carry `SCHEMA_VERSION`. Fields are only ever added, with defaults, so older events
stay readable; a commit of a newer schema is dead-lettered instead of misread. Event names are
stored and shown in timelines, so they never change (`docs/decisions/0020`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import SerializeAsAny

from functions.core.domain.privacy import TermName
from functions.core.domain.ticket import Ticket, TicketChanges, Value

SCHEMA_VERSION = 1

Visibility = Literal["never", "status", "message"]
RecordKind = Literal["step", "communication", "solution"]

EVENTS: dict[str, type[Event]] = {}
"""Event name → class, in the order of a ticket's life."""

E = TypeVar("E", bound="Event")

Actor = TermName
"""`customer`, `system`, or an agent's username."""

MACHINES = frozenset({"customer", "system"})
"""The actors that are not members of the desk."""


class Event(Value):
    """The base of all events; the module's docstring explains the class keywords."""

    event: ClassVar[str]
    label: ClassVar[dict[Literal["zh-CN", "en"], str]]
    webhook: ClassVar[str | None]
    wakes_router: ClassVar[bool]
    router_after_step: ClassVar[bool]
    customer_visibility: ClassVar[Visibility]
    record: ClassVar[RecordKind | None]
    says: ClassVar[str]
    direction: ClassVar[Literal["in", "out"] | None]

    def __init_subclass__(
        cls,
        *,
        label: tuple[str, str],
        webhook: str | None,
        wakes_router: bool = False,
        router_after_step: bool = False,
        customer: Visibility = "never",
        record: RecordKind | None = None,
        says: str = "",
        direction: Literal["in", "out"] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.event = cls.__name__
        cls.label = {"zh-CN": label[0], "en": label[1]}
        cls.webhook = webhook
        cls.wakes_router = wakes_router
        cls.router_after_step = router_after_step
        cls.customer_visibility = customer
        cls.record = record
        cls.says = says
        cls.direction = direction
        EVENTS[cls.event] = cls

    @property
    def triggers(self) -> tuple[str, ...]:
        """The names under which a playbook's `on`, `start` and `stop` may refer to the event."""
        return (self.event,)

    @property
    def words(self) -> str:
        words: str | None = getattr(self, self.says) if self.says else None
        return words or ""

    def changes(self, ticket: Ticket, commit: Commit) -> TicketChanges:
        """The changes that this event makes to the ticket; most events only add to the history."""
        return {}

    def document(self) -> dict[str, Any]:
        return {"event": self.event, **self.model_dump(mode="json")}


class Commit(Value):
    """One change of a ticket: its events in order, with actor and time.

    `sealed`: masking changed the customer's text, and the original is stored sealed.
    `records_before`: entries of the handling record in earlier commits, None if unknown.
    """

    desk: TermName
    number: TermName
    version: int
    at: datetime
    actor: Actor
    events: tuple[SerializeAsAny[Event], ...]
    sealed: bool = False
    records_before: int | None = None

    @property
    def record_entries(self) -> int:
        """The entries that this commit adds to the handling record (B7)."""
        return sum(event.record is not None for event in self.events)

    def of(self, *kinds: type[E]) -> tuple[E, ...]:
        return tuple(event for event in self.events if isinstance(event, kinds))
