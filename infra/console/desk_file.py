"""The file of a whole desk: JSON Lines, a ticket a line, which an import reads back as it was.

The first line says `{"format": "deskbell/desk", "schema": 1, "events": 1, "contacts": …}`. Every
other line holds a ticket's number and its commits: version, time, actor, events as they are stored.
It names no desk and holds no key of this stage: a customer is known by the first ticket that has
them (`person`), a file of the desk begins with `files/*/`. `contacts`, sealed or opened, are by the
version of the commit that brought them. Originals, mails and deliveries stay with the stage.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from functions.core.domain import events as e
from functions.core.domain.errors import DeadLetter
from functions.core.domain.ticket import Attachment, Customer
from functions.core.storage.event_codec import dump_events, parse_events
from functions.core.storage.files import FILES
from infra.console.errors import UsageError

FORMAT = "deskbell/desk"
SCHEMA = 1
ContactsIn = Literal["masked", "sealed", "open"]
Opened = Mapping[str, str]
"""A contact as it was sealed: `contact`, `kind`, and `name` if there is one."""

_ERASED = "erased-"
_ANYWHERE = f"{FILES}*/"


class ExportedTicket(NamedTuple):
    """A ticket of a file. `contacts`: version → the contact, opened."""

    where: str
    number: str
    commits: tuple[e.Commit, ...]
    contacts: Mapping[int, Opened]


def head(contacts: ContactsIn, key: str = "") -> str:
    """Return the first line; `key` is the one by which the contacts are sealed."""
    found = {"format": FORMAT, "schema": SCHEMA, "events": e.SCHEMA_VERSION, "contacts": contacts}
    return json.dumps(found | ({"key": key} if key else {}))


@dataclass
class Persons:
    """The names that an export gives to customers instead of their keyed hashes: the number of the
    first ticket that has them, and which of that ticket's customers they are if it has several."""

    names: dict[str, str] = field(default_factory=dict)
    number: str = ""
    count: int = 0

    def name(self, digest: str, number: str) -> str:
        if digest.startswith(_ERASED):
            return digest
        if digest not in self.names:
            self.count = self.count + 1 if number == self.number else 0
            self.number = number
            self.names[digest] = f"{number}.{self.count}" if self.count else number
        return self.names[digest]


def dumped(desk: str, history: Sequence[e.Commit], contacts: Any, persons: Persons) -> str:
    """Return the line of a ticket; `contacts` by version, or all of them sealed."""
    number = history[0].number

    def person(customer: Customer) -> Customer:
        name = persons.name(customer.hash, number)
        return customer.model_copy(update={"hash": name, "record": None})

    commits = [
        {
            "version": commit.version,
            "at": commit.at.isoformat(),
            "actor": commit.actor,
            "events": json.loads(
                dump_events(
                    _changed(commit.events, person, f"{FILES}{desk}/", _ANYWHERE), commit.at
                )
            ),
        }
        for commit in history
    ]
    line: dict[str, Any] = {"number": number, "commits": commits}
    if contacts:
        line["contacts"] = contacts
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def lines(path: Path) -> Iterator[ExportedTicket | str]:
    """Yield the tickets of a file, or what is wrong with a line.

    Raises:
        UsageError: it is no such file, of a later schema, or its contacts are sealed.
    """
    with path.open(encoding="utf-8") as file:
        if read_head(path, file.readline()).get("contacts") == "sealed":
            raise UsageError(f"{path}: open its contacts first: deskbell export decrypt")
        for index, text in enumerate(file, 2):
            try:
                yield _line(f"line {index}", json.loads(text))
            except (DeadLetter, KeyError, TypeError, ValueError, AttributeError) as error:
                yield f"line {index}: not a ticket: {type(error).__name__} {error}"


def read_head(path: Path, first: str) -> dict[str, Any]:
    """Read the first line.

    Raises:
        UsageError: it is not one, or a later version of Deskbell wrote it.
    """
    try:
        found: dict[str, Any] = json.loads(first)
        known = found["format"] == FORMAT
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise UsageError(f"{path} is not a desk's export: its first line names no {FORMAT}")
    if found.get("schema", 0) > SCHEMA or found.get("events", 0) > e.SCHEMA_VERSION:
        raise UsageError(f"{path} was written by a later version of Deskbell")
    return found


def _line(where: str, found: Mapping[str, Any]) -> ExportedTicket:
    commits = tuple(
        e.Commit(
            desk="",
            number=found["number"],
            version=one["version"],
            at=(at := datetime.fromisoformat(one["at"])),
            actor=one["actor"],
            events=parse_events(json.dumps(one["events"]), e.SCHEMA_VERSION, at),
        )
        for one in found["commits"]
    )
    if [commit.version for commit in commits] != [*range(1, len(commits) + 1)] or not commits:
        raise ValueError("its versions are not contiguous")
    contacts = {int(version): one for version, one in found.get("contacts", {}).items()}
    return ExportedTicket(where, found["number"], commits, contacts)


def settled(line: ExportedTicket, desk: str, digest: Callable[[Opened], str]) -> Iterator[e.Commit]:
    """Yield the commits of a line as those of a desk.

    Args:
        digest: returns the keyed hash of an opened contact; a customer whose contact is not in the
            line keeps a name of their own.
    """
    hashes: dict[str, str] = {}
    for commit in line.commits:
        opened = line.contacts.get(commit.version)
        for event in commit.events:
            customer = getattr(event, "customer", None)
            if opened is not None and isinstance(customer, Customer):
                hashes[customer.hash] = digest(opened)

    def person(customer: Customer) -> Customer:
        kept = customer.hash if customer.hash.startswith(_ERASED) else f"moved-{customer.hash}"
        return customer.model_copy(update={"hash": hashes.get(customer.hash, kept)})

    for commit in line.commits:
        events = _changed(commit.events, person, _ANYWHERE, f"{FILES}{desk}/")
        yield commit.model_copy(update={"desk": desk, "events": events})


def _changed(
    events: tuple[e.Event, ...], person: Callable[[Customer], Customer], old: str, new: str
) -> tuple[e.Event, ...]:
    return tuple(_event(event, person, old, new) for event in events)


def _event(event: e.Event, person: Callable[[Customer], Customer], old: str, new: str) -> e.Event:
    """Change the customers and the keys of files in an event; the key of a mail is left out."""
    update: dict[str, Any] = {}
    for name in type(event).model_fields:
        value = getattr(event, name)
        if isinstance(value, Customer):
            update[name] = person(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Attachment):
            update[name] = tuple(_file(file, old, new) for file in value)
    if getattr(event, "raw", None):
        update["raw"] = None
    return event.model_copy(update=update) if update else event


def _file(file: Attachment, old: str, new: str) -> Attachment:
    """A file under another desk's folder; any other key would lead to somebody else's file."""
    key = f"{new}{file.key.removeprefix(old)}" if file.key.startswith(old) else ""
    return file.model_copy(update={"key": key})
