"""Check the invariants of a stage's table (contract, `deskbell verify`; G6).

Each ticket is read whole and checked by itself. What looks wrong is read again after a pause, since
the system goes on working meanwhile; only what is still wrong is reported.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from functions.core.domain import events as e
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import DeadLetter, NotFound, TryAgain
from functions.core.domain.lifecycle import apply
from functions.core.domain.privacy import free_texts
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage import chats, customers
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from functions.core.storage.items import (
    queue_key,
    read_commit,
    read_delivery,
    read_ticket,
    task_item,
    ticket_of_key,
)
from functions.core.storage.journal import KEPT_FOR
from functions.core.storage.segments import Segments
from functions.core.storage.table import Item
from functions.core.text.masking import mask_but

Check = Callable[[], list[str]]

UNFINISHED_AFTER = timedelta(minutes=15)
"""The age at which a claimed or due delivery is no longer in progress."""

UNINDEXED_FOR = timedelta(hours=1)
"""The time within which a ticket's first record reaches the journal."""

UNCOUNTED_FOR = timedelta(minutes=20)
"""The time within which a commit gets its fact: two runs of the function `reports`."""


@dataclass
class Verification:
    """A check of all desks of one table.

    Args:
        pause: waits before something is read again.
        segments: what search reads; it is not checked without.
        facts: what reports count; only checked if given, for the commits of the last 35 days.
    """

    storage: Storage
    now: datetime
    pause: Callable[[], None]
    segments: Segments | None = None
    facts: FactStore | None = None
    tickets: int = 0
    _numbers: set[tuple[str, str]] = field(default_factory=set)
    _erased: set[tuple[str, str]] = field(default_factory=set)
    _playbooks: dict[str, Playbook | None] = field(default_factory=dict)
    _commits: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))

    def broken_invariants(self) -> Iterator[str]:
        checks = {
            chats.SORT_KEY: self._chat_problems,
            customers.SORT_KEY: self._customer_problems,
        }
        records: list[tuple[str, str, str]] = []
        agents: list[tuple[str, str]] = []
        serials: dict[tuple[str, str], int] = {}
        drawn: Counter[tuple[str, str]] = Counter()
        for item in self._items():
            pk, sk = item["pk"]["S"], item["sk"]["S"]
            if sk == "TICKET":
                yield from self._verify_ticket(pk, drawn)
            elif pk.startswith("SEEN#") and item.get("number", {}).get("S"):
                records.append((pk, pk.split("#")[1], item["number"]["S"]))
            elif pk.startswith("LINK#"):
                records.append((pk, item["desk"]["S"], item["number"]["S"]))
            elif sk in checks:
                yield from self._confirmed(partial(checks[sk], pk))
            elif sk.startswith("AGENT#"):
                agents.append((pk.removeprefix("DESK#"), sk.removeprefix("AGENT#")))
            elif sk == "SERIAL":
                _, desk, period = pk.split("#", 2)
                serials[desk, period] = int(item["n"]["N"])
        yield from self._lost(records)
        for manifest in self.storage.manifests.list():
            yield from self._journal_problems(manifest.desk)
            yield from self._confirmed(partial(self._search_problems, manifest.desk))
            yield from self._confirmed(partial(self._fact_problems, manifest.desk))
        for desk, username in agents:
            yield from self._confirmed(partial(self._load_problems, desk, username))
        for (desk, period), count in drawn.items():
            if serials.get((desk, period), 0) < count:
                yield (
                    f"{desk}: {count} tickets of {period or 'all time'}, but only "
                    f"{serials.get((desk, period), 0)} serials were drawn"
                )

    def _lost(self, records: Iterable[tuple[str, str, str]]) -> Iterator[str]:
        """Find short links and idempotency records of tickets that do not exist."""
        for pk, desk, number in records:
            known = (desk, number) in self._numbers
            if not known and self.storage.tickets.find(desk, number) is None:
                what = "short link" if pk.startswith("LINK#") else "idempotency record"
                yield f"{pk}: the {what} names {number}, which does not exist"

    def _items(self) -> Iterator[Item]:
        table, start = self.storage.table, None
        while True:
            more: Any = {"ExclusiveStartKey": start} if start else {}
            page = table.client.scan(
                TableName=table.name,
                ProjectionExpression="pk, sk, #n, #number, #desk",
                ExpressionAttributeNames={"#n": "n", "#number": "number", "#desk": "desk"},
                **more,
            )
            yield from page["Items"]
            start = page.get("LastEvaluatedKey")
            if start is None:
                return

    def _confirmed(self, check: Check) -> list[str]:
        problems = check()
        if not problems:
            return []
        self.pause()
        again = check()
        return [problem for problem in again if problem in problems]

    def _playbook(self, desk: str) -> Playbook | None:
        if desk not in self._playbooks:
            try:
                self._playbooks[desk] = self.storage.playbooks.get(desk, self.now)
            except NotFound:
                self._playbooks[desk] = None
        return self._playbooks[desk]

    def _load_problems(self, desk: str, username: str) -> list[str]:
        agent = self.storage.roster.get(desk, username)
        held, cursor = 0, None
        while agent is not None:
            partition = f"{desk}#agent#{username}"
            page, cursor = self.storage.tickets.queue_page([partition], cursor)
            held += sum(ticket.in_hand_of == username for ticket in page)
            if cursor is None:
                break
        if agent is None or agent.load == held:
            return []
        return [f"{desk}/{username}: the load is {agent.load}, {held} tickets are in hand"]

    def _customer_problems(self, pk: str) -> list[str]:
        """Compare a customer's record with the items of its identities."""
        _, desk, customer = pk.split("#")
        record = self.storage.customers.get(desk, customer)
        return [
            f"{pk}: {each.kind} {each.shown} names another record, or none"
            for each in (record.identities if record else ())
            if self.storage.customers.id_of(desk, each.hash) != customer
        ]

    def _chat_problems(self, pk: str) -> list[str]:
        """Check that the ticket of a chat exists, and that a chat without one will be closed."""
        chat = self.storage.chats.get(*chats.chat_of_key(pk))
        if chat is None:
            return []
        if chat.number is not None:
            known = self.storage.tickets.find(chat.desk, chat.number) is not None
            return [] if known else [f"{pk}: its ticket {chat.number} does not exist"]
        open_ended = chat.outcome is None and chat.looks_at is None
        return [f"{pk}: nothing will close it"] if open_ended else []

    def _journal_problems(self, desk: str) -> Iterator[str]:
        playbook, since = self._playbook(desk), self.now - KEPT_FOR
        public = playbook.public_contacts if playbook else ()
        for journal in (self.storage.journal, self.storage.questions):
            for _, entry in journal.entries(desk, since, self.now + timedelta(days=1)):
                if any(mask_but(text, public) != text for text in entry.texts):
                    where = f"{journal.kind}#{desk}: {entry.number}, version {entry.version}"
                    yield f"{where}, holds personal data outside the seal"

    def _search_problems(self, desk: str) -> list[str]:
        """Compare what a desk's search finds with its tickets."""
        manifest = self.storage.manifests.get(desk, consistent=True)
        if manifest is None or self.segments is None:
            return []
        try:
            found = {
                number for each in self.segments.get(manifest.segments) for number in each.lines
            }
        except TryAgain as error:
            return [f"{desk}: a segment is missing: {error}"]
        erased = {number for of, number in self._erased if of == desk}
        problems = [f"{desk}/{number}: was erased, but search has it" for number in found & erased]
        for number in {number for of, number in self._numbers if of == desk} - found - erased:
            ticket = self.storage.tickets.find(desk, number)
            indexed = manifest.through - UNINDEXED_FOR
            if ticket and not ticket.erased and ticket.received_at < indexed:
                problems.append(
                    f"{desk}/{number}: search does not find it: deskbell search rebuild"
                )
        return problems

    def _fact_problems(self, desk: str) -> list[str]:
        """Find the commits of the last weeks that have no fact."""
        playbook = self._playbook(desk)
        if self.facts is None or playbook is None:
            return []
        day = (self.now - KEPT_FOR).astimezone(playbook.zone).date()
        missing = set(self._commits[desk])
        while day <= self.now.astimezone(playbook.zone).date():
            missing -= {(fact.number, fact.version) for fact in self.facts.read(desk, day)}
            day += timedelta(days=1)
        return [
            f"{desk}/{number}: version {version} has no fact: deskbell reports rebuild"
            for number, version in sorted(missing)
        ]

    # One ticket

    def _verify_ticket(self, pk: str, drawn: Counter[tuple[str, str]]) -> list[str]:
        desk, number = ticket_of_key(pk)
        self.tickets += 1
        self._numbers.add((desk, number))
        playbook = self._playbook(desk)
        if playbook is None:
            return [f"{desk}/{number}: there is no playbook of this desk"]

        def check() -> list[str]:
            items = self.storage.tickets.items(desk, number, consistent=True)
            return [f"{desk}/{number}: {problem}" for problem in self._problems(items, playbook)]

        ticket = self._read(pk)
        if ticket is not None:
            if ticket.erased:
                self._erased.add((desk, number))
            local = ticket.received_at.astimezone(playbook.zone)
            drawn[desk, playbook.number.period(local)] += 1
        return self._confirmed(check)

    def _read(self, pk: str) -> Ticket | None:
        item = self.storage.table.get(pk, "TICKET", consistent=True)
        try:
            return read_ticket(item) if item else None
        except DeadLetter:
            return None

    def _problems(self, items: list[Item], playbook: Playbook) -> Iterator[str]:
        (stored,) = [item for item in items if item["sk"]["S"] == "TICKET"]
        try:
            ticket = read_ticket(stored)
        except DeadLetter as error:
            yield str(error)
            return
        commits: list[e.Commit] = []
        deliveries: list[tuple[Delivery, Item]] = []
        for item in items:
            sk = item["sk"]["S"]
            try:
                if sk.startswith("EVENT#"):
                    commits.append(read_commit(item))
                elif sk.startswith("DELIVERY#"):
                    deliveries.append((read_delivery(item), item))
            except DeadLetter as error:
                yield f"{sk}: {error}"
        self._commits[ticket.desk] |= {
            (commit.number, commit.version)
            for commit in commits
            if self.now - KEPT_FOR < commit.at < self.now - UNCOUNTED_FOR
        }
        yield from _history_problems(ticket, commits)
        yield from _index_problems(ticket, stored)
        yield from _task_problems(ticket, items)
        for delivery, item in deliveries:
            yield from self._delivery_problems(delivery, item)
        texts = (ticket, *(x for c in commits for x in c.events), *(d for d, _ in deliveries))
        for value in texts:
            for path, text in free_texts(value).items():
                if mask_but(text, playbook.public_contacts) != text:
                    yield f"{type(value).__name__}.{path} holds personal data outside the seal"
        for customer in _customers(ticket, commits):
            if not _MASKED.fullmatch(customer):
                yield "a contact is not masked"

    def _delivery_problems(self, delivery: Delivery, item: Item) -> Iterator[str]:
        listed = "due_pk" in item
        if delivery.state == "retrying" and not listed:
            yield f"{item['sk']['S']}: is to be retried, but no sweep would find it"
        if delivery.state != "retrying" and listed:
            yield f"{item['sk']['S']}: is {delivery.state}, but the sweep finds it"
        unfinished = delivery.state in {"claimed", "due"}
        if unfinished and self.now - delivery.at > UNFINISHED_AFTER:
            yield f"{item['sk']['S']}: {delivery.state} since {delivery.at.isoformat()}"


def _history_problems(ticket: Ticket, commits: list[e.Commit]) -> Iterator[str]:
    versions = [commit.version for commit in commits]
    if versions != list(range(1, len(versions) + 1)):
        yield f"the events are not contiguous: {_gaps(versions)}"
        return
    if not versions or versions[-1] != ticket.version:
        yield f"version {ticket.version}, but the last event is {versions[-1] if versions else 0}"
        return
    try:
        again: Ticket | None = None
        for commit in commits:
            again = apply(again, commit)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield f"its events cannot be applied: {type(error).__name__}: {error}"
        return
    if again is None:
        return
    same: dict[str, Any] = {"wakes_at": ticket.wakes_at, "tasks": ticket.tasks}
    if ticket.records is None:  # written by a version that recorded neither
        same |= {"records": None, "entered_by": ticket.entered_by}
    if ticket.title is None:  # written by a version that kept no title
        same |= {"title": None}
    again = again.model_copy(update=same)
    different = [name for name in Ticket.model_fields if _differs(ticket, again, name)]
    if different:
        yield f"its events give another {', '.join(different)}"


def _differs(ticket: Ticket, again: Ticket, name: str) -> bool:
    return bool(getattr(ticket, name) != getattr(again, name))


def _gaps(versions: list[int]) -> str:
    expected = set(range(1, max(versions, default=0) + 1))
    missing = sorted(expected - set(versions))
    return f"{missing[:5]} missing" if missing else f"{versions[:5]}"


def _index_problems(ticket: Ticket, item: Item) -> Iterator[str]:
    due = ticket.next_due
    if due is not None and (ticket.wakes_at is None or ticket.wakes_at > due):
        listed = ticket.wakes_at.isoformat() if ticket.wakes_at else "nowhere"
        yield f"a timer is due at {due.isoformat()}, but the sweep looks {listed}"
    expected, listed_in = queue_key(ticket), item.get("queue_pk", {}).get("S")
    # A ticket that was just received is in no list, so that no list bounds how many can come.
    if listed_in != expected and not (listed_in is None and ticket.status == "received"):
        yield f"it is not listed in the queue {expected}"


def _task_problems(ticket: Ticket, items: list[Item]) -> Iterator[str]:
    """Find tasks that nobody would find, and listed ones that are done."""
    listed = {item["sk"]["S"]: item["queue_pk"]["S"] for item in items if _lists_task(item)}
    expected = {
        item["sk"]["S"]: item["queue_pk"]["S"]
        for item in (task_item(ticket, task) for task in ticket.tasks)
    }
    for sk in sorted(listed.keys() ^ expected.keys()):
        yield f"{sk}: {'is to be done, but nobody finds it' if sk in expected else 'is done'}"


_MASKED = re.compile(r"[^*@]{0,6}\*+[^*@]{0,6}|[^*@]?\*{3}[^*@]?@[^*]+|\*+[^*]{4}|")
"""A contact as `mask_contact` shows it."""


def _lists_task(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith("TASK#") and "queue_pk" in item)


def _customers(ticket: Ticket, commits: list[e.Commit]) -> Iterator[str]:
    yield ticket.customer.contact
    for commit in commits:
        for event in commit.events:
            for name in ("customer", "former"):
                customer = getattr(event, name, None)
                if customer is not None:
                    yield customer.contact
