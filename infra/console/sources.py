"""Read the exports of other help desks, one ticket after the other, in their own words.

Zendesk: the full JSON export (a ticket a line, with `comments`), or pages of the API with `users`
beside `tickets`. Zammad: `GET /api/v1/tickets/…?expand=true` with `articles` in each. Freshdesk:
`GET /api/v2/tickets/…?include=requester,stats` with `conversations` in each, or the account's
export (`helpdesk_ticket`). CSV: a row a ticket, and further rows of the same number for its
messages. Each JSON file is one document, a list, or one document a line. Nothing is fetched:
attachments are named by their addresses.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

from functions.core.mail.html import to_text

Source = Literal["zendesk", "zammad", "freshdesk", "csv"]
_BLOCK = 1 << 16
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class SourceMessage:
    """A message or note as the other help desk has it; `files` are names with addresses."""

    at: str
    text: str
    by_customer: bool = False
    public: bool = True
    author: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceTicket:
    """A ticket in the words of the other help desk; times are text, as they came."""

    key: str
    reference: str
    received_at: str
    status: str
    contact: str
    description: str
    subject: str = ""
    name: str = ""
    customer_id: str = ""
    type: str = ""
    priority: str = ""
    channel: str = ""
    agent: str = ""
    ended_at: str = ""
    score: str = ""
    comment: str = ""
    rated_at: str = ""
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    messages: tuple[SourceMessage, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


class Read(NamedTuple):
    """The content of one place of a file: a ticket, or the reason why there is none."""

    where: str
    ticket: SourceTicket | None
    problem: str = ""


def read(source: Source, path: Path) -> Iterator[Read]:
    """Yield the tickets of a file; one that cannot be read does not end the others."""
    if source == "csv":
        yield from _rows(path)
        return
    convert = _CONVERT[source]
    for where, document, people in _documents(path):
        if isinstance(document, str):
            yield Read(where, None, document)
            continue
        try:
            yield Read(where, convert(document, people))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            yield Read(where, None, f"not a ticket of {source}: {type(error).__name__} {error}")


# JSON


def _documents(path: Path) -> Iterator[tuple[str, Any, Mapping[str, Fields]]]:
    """Yield place, ticket (or a problem as text) and the people that its page names."""
    people: dict[str, Fields] = {}
    with path.open(encoding="utf-8-sig") as file:
        for where, value in _values(file):
            if not isinstance(value, dict):
                yield where, value if isinstance(value, str) else "not a ticket", people
                continue
            for user in value.get("users") or ():
                people[str(user["id"])] = user
            if "tickets" in value:
                for index, ticket in enumerate(value["tickets"], 1):
                    yield f"{where}, ticket {index}", ticket, people
            elif any(name in value for name in ("ticket", "helpdesk_ticket")):
                yield where, value.get("ticket") or value["helpdesk_ticket"], people
            elif not set(value) <= {"users", "count", "next_page", "end_time", "end_of_stream"}:
                yield where, value, people


def _values(file: TextIO) -> Iterator[tuple[str, Any]]:
    """Yield the values of a JSON document, list or lines, of which one is held at a time."""
    first = file.readline()
    if not first.lstrip().startswith("["):
        try:
            json.loads(first)
        except ValueError:  # one document over many lines, or a bad first line
            rest = file.read() if first.strip() == "{" else ""
            if rest:
                yield "document", _parsed(first + rest)
                return
        yield from _lines(first, file)
        return
    decoder = json.JSONDecoder()
    held, index, ended = first.lstrip()[1:], 0, False
    while True:
        held = held.lstrip(", \t\r\n")
        if held.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(held)
        except ValueError:
            more = file.read(max(_BLOCK, len(held)))
            if not more:
                if held and not ended:
                    yield f"item {index + 1}", "the list ends in the middle of a ticket"
                return
            held += more
            continue
        index += 1
        yield f"item {index}", value
        held = held[end:]


def _lines(first: str, file: TextIO) -> Iterator[tuple[str, Any]]:
    number, line = 1, first
    while line:
        if line.strip():
            yield f"line {number}", _parsed(line)
        number, line = number + 1, file.readline()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _word(found: Fields, *names: str) -> str:
    """Return the first of these fields that says something, as text."""
    return next(filter(None, (_text(found.get(name)) for name in names)), "")


def _plain(value: Any, *, html: bool) -> str:
    text = _text(value)
    return to_text(text).strip() if html and "<" in text else text


def _files(found: Any, name: str, address: str) -> tuple[str, ...]:
    return tuple(
        " ".join(filter(None, (_text(file.get(name)), _text(file.get(address)))))
        for file in found or ()
    )


# Zendesk


def _zendesk(ticket: Fields, people: Mapping[str, Fields]) -> SourceTicket:
    requester = _person(ticket, "requester", people)
    assignee = _person(ticket, "assignee", people)
    customer = str(ticket.get("requester_id") or requester.get("id") or "")
    comments = sorted(ticket.get("comments") or (), key=lambda one: _word(one, "created_at"))
    messages = [_comment(one, customer, people) for one in comments]
    first = _first(messages)
    internal = bool(messages) or not ticket.get("is_public", True)
    tags = tuple(map(str, ticket.get("tags") or ()))
    rating = ticket.get("satisfaction_rating") or {}
    metrics = ticket.get("metric_set") or {}
    return SourceTicket(
        key=str(ticket["id"]),
        reference=str(ticket["id"]),
        received_at=ticket["created_at"],
        status="merged" if "closed_by_merge" in tags else _text(ticket["status"]),
        contact=_word(requester, "email", "phone"),
        name=_word(requester, "name"),
        customer_id=_word(requester, "external_id"),
        # The description is the first comment, also of an internal one.
        description=first.text or ("" if internal else _word(ticket, "description")),
        subject=_word(ticket, "subject"),
        type=_word(ticket, "type"),
        priority=_word(ticket, "priority"),
        channel=_text((ticket.get("via") or {}).get("channel")),
        agent=_word(assignee, "email") or _word(ticket, "assignee_id"),
        ended_at=_word(metrics, "solved_at") or _word(ticket, "solved_at", "updated_at"),
        score=_word(rating, "score"),
        comment=_word(rating, "comment"),
        rated_at=_word(rating, "updated_at"),
        tags=tags,
        files=first.files,
        messages=tuple(messages),
        fields={
            str(one["id"]): _word(one, "value")
            for one in ticket.get("custom_fields") or ticket.get("fields") or ()
        },
    )


def _first(messages: list[SourceMessage]) -> SourceMessage:
    """Take the request out of the messages: the first one that is not internal."""
    public = (index for index, one in enumerate(messages) if one.public)
    index = next(public, None)
    return SourceMessage("", "") if index is None else messages.pop(index)


def _person(ticket: Fields, role: str, people: Mapping[str, Fields]) -> Fields:
    return ticket.get(role) or people.get(str(ticket.get(f"{role}_id")), {})


def _comment(one: Fields, customer: str, people: Mapping[str, Fields]) -> SourceMessage:
    author = one.get("author") or people.get(str(one.get("author_id")), {})
    identity = str(one.get("author_id") or author.get("id") or "")
    public = bool(one.get("public", True))
    ends = author.get("role", "end-user" if identity == customer else "agent") == "end-user"
    text = one.get("plain_body") or one.get("body") or one.get("html_body")
    return SourceMessage(
        at=one["created_at"],
        text=_plain(text, html=not (one.get("plain_body") or one.get("body"))),
        by_customer=public and (identity == customer or ends),
        public=public,
        author=_word(author, "email") or identity,
        files=_files(one.get("attachments"), "file_name", "content_url"),
    )


# Zammad


def _zammad(ticket: Fields, people: Mapping[str, Fields]) -> SourceTicket:
    articles = sorted(ticket.get("articles") or (), key=lambda one: _word(one, "created_at"))
    messages = [_article(one, str(ticket["id"])) for one in articles]
    customer = ticket.get("customer") or ""
    known = people.get(str(ticket.get("customer_id")), {})
    if isinstance(customer, dict):
        known = customer
    written = known.get("email") or known.get("mobile") or known.get("phone") or customer
    name = f"{_text(known.get('firstname'))} {_text(known.get('lastname'))}".strip()
    first = _first(messages)
    owner = _word(ticket, "owner")
    return SourceTicket(
        key=str(ticket["id"]),
        reference=_word(ticket, "number") or str(ticket["id"]),
        received_at=ticket["created_at"],
        status=_text(ticket["state"]),
        contact=_text(written),
        name=name,
        description=first.text,
        subject=_word(ticket, "title"),
        type=_word(ticket, "group"),
        priority=_word(ticket, "priority"),
        channel=_word(ticket, "create_article_type"),
        agent="" if owner == "-" else owner,
        ended_at=_word(ticket, "close_at", "updated_at"),
        tags=tuple(map(str, ticket.get("tags") or ())),
        files=first.files,
        messages=tuple(messages),
        fields={
            name: _text(value)
            for name, value in ticket.items()
            if isinstance(value, str | int | float)
        },
    )


def _article(one: Fields, ticket: str) -> SourceMessage:
    internal = bool(one.get("internal"))
    path = f"/api/v1/ticket_attachment/{ticket}/{one['id']}"
    return SourceMessage(
        at=one["created_at"],
        text=_plain(one.get("body"), html=one.get("content_type") == "text/html"),
        by_customer=_word(one, "sender").casefold() == "customer",
        public=not internal,
        author=_word(one, "created_by"),
        files=tuple(
            f"{_text(file.get('filename'))} {path}/{file.get('id')}"
            for file in one.get("attachments") or ()
        ),
    )


# Freshdesk

_FRESH_STATUS = {
    "2": "open", "3": "pending", "4": "resolved", "5": "closed",
    "6": "waiting on customer", "7": "waiting on third party",
}  # fmt: skip
_FRESH_PRIORITY = {"1": "low", "2": "medium", "3": "high", "4": "urgent"}
_FRESH_CHANNEL = {
    "1": "email", "2": "portal", "3": "phone", "7": "chat", "9": "feedback widget",
    "10": "outbound email",
}  # fmt: skip


def _freshdesk(ticket: Fields, people: Mapping[str, Fields]) -> SourceTicket:
    requester = _person(ticket, "requester", people)
    responder = _person(ticket, "responder", people)
    stats = ticket.get("stats") or {}
    number = _word(ticket, "display_id", "id")
    notes = [one.get("note") or one for one in ticket.get("notes") or ()]
    said = [*(ticket.get("conversations") or ()), *notes]
    rating = _rating(ticket)
    status, priority = _text(ticket["status"]), _word(ticket, "priority")
    source = _word(ticket, "source")
    removed = next((word for word in ("spam", "deleted") if ticket.get(word)), "")
    return SourceTicket(
        key=number,
        reference=number,
        received_at=ticket["created_at"],
        status=removed or _word(ticket, "status_name") or _FRESH_STATUS.get(status, status),
        contact=_word(requester, "email", "mobile", "phone"),
        name=_word(requester, "name"),
        customer_id=_word(requester, "unique_external_id"),
        description=_word(ticket, "description_text")
        or _plain(ticket.get("description"), html=True),
        subject=_word(ticket, "subject"),
        type=_word(ticket, "type", "ticket_type"),
        priority=_word(ticket, "priority_name") or _FRESH_PRIORITY.get(priority, priority),
        channel=_FRESH_CHANNEL.get(source) or _word(ticket, "source_name") or source,
        agent=_word(responder, "email", "name") or _word(ticket, "responder_name", "responder_id"),
        ended_at=_word(stats, "resolved_at", "closed_at") or _word(ticket, "updated_at"),
        score=_text((rating.get("ratings") or {}).get("default_question")),
        comment=_word(rating, "feedback"),
        rated_at=_word(rating, "created_at"),
        tags=tuple(
            _word(tag, "name") if isinstance(tag, dict) else str(tag)
            for tag in ticket.get("tags") or ()
        ),
        files=_files(ticket.get("attachments"), "name", "attachment_url"),
        messages=tuple(_said(one, people) for one in said),
        fields={
            name: _text(value)
            for name, value in (ticket.get("custom_fields") or {}).items()
            if value is not None
        },
    )


def _rating(ticket: Fields) -> Fields:
    found = ticket.get("satisfaction_rating") or ticket.get("satisfaction_ratings") or {}
    ratings: list[Fields] = found if isinstance(found, list) else [found]
    return max(ratings, key=lambda one: _word(one, "created_at"))


def _said(one: Fields, people: Mapping[str, Fields]) -> SourceMessage:
    incoming, private = bool(one.get("incoming")), bool(one.get("private"))
    author = people.get(str(one.get("user_id")), {})
    return SourceMessage(
        at=one["created_at"],
        text=_word(one, "body_text") or _plain(one.get("body"), html=True),
        by_customer=incoming and not private,
        public=not private,
        author=_word(author, "email") or _word(one, "user_id"),
        files=_files(one.get("attachments"), "name", "attachment_url"),
    )


_CONVERT: dict[str, Callable[[Fields, Mapping[str, Fields]], SourceTicket]] = {
    "zendesk": _zendesk,
    "zammad": _zammad,
    "freshdesk": _freshdesk,
}


# CSV

_TRUE = {"", "1", "true", "yes", "y", "public", "是", "公开"}
_CUSTOMER = {"customer", "client", "end-user", "requester", "客户", "顾客"}


def _rows(path: Path) -> Iterator[Read]:
    """Yield the tickets of a CSV file with the columns that docs/migration.md names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = enumerate(csv.DictReader(file), 2)
        for number, group in groupby(rows, key=lambda row: _text(row[1].get("number"))):
            found = list(group)
            line, first = found[0]
            if not number:
                yield from (Read(f"row {at}", None, "no number") for at, _ in found)
                continue
            yield Read(f"row {line}", _of_row(number, first, [row for _, row in found]))


def _of_row(number: str, row: Fields, rows: list[dict[str, Any]]) -> SourceTicket:
    cell = partial(_word, row)
    return SourceTicket(
        key=number,
        reference=number,
        received_at=cell("created_at"),
        status=cell("status"),
        contact=cell("contact", "email", "phone"),
        name=cell("name"),
        customer_id=cell("customer_id"),
        description=cell("description"),
        subject=cell("subject"),
        type=cell("type"),
        priority=cell("priority"),
        channel=cell("channel"),
        agent=cell("agent"),
        ended_at=cell("solved_at", "closed_at"),
        score=cell("score"),
        comment=cell("comment"),
        tags=tuple(filter(None, map(str.strip, cell("tags").replace(";", ",").split(",")))),
        files=tuple(cell("attachments").split()),
        messages=tuple(_of_line(each) for each in rows if _word(each, "message")),
        fields={name: _text(value) for name, value in row.items() if name},
    )


def _of_line(row: Fields) -> SourceMessage:
    by = _word(row, "message_by")
    return SourceMessage(
        at=_word(row, "message_at"),
        text=_word(row, "message"),
        by_customer=by.casefold() in _CUSTOMER,
        public=_word(row, "public").casefold() in _TRUE,
        author=by,
        files=tuple(_word(row, "message_attachments").split()),
    )
