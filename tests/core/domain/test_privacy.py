"""Each text field declares what it may tell about the customer; masking and erasure follow it."""

import dataclasses
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from functions.core.domain import commands as c, events as e
from functions.core.domain.commands.base import Body
from functions.core.domain.delivery import Delivery
from functions.core.domain.playbook_types import STEP_FIELD_HOLDS, StepFieldKind
from functions.core.domain.privacy import (
    FREE_TEXT,
    PERSONAL,
    TERM,
    FreeText,
    PersonalText,
    TermName,
    blanks,
    declared,
    erased_fields,
    free_texts,
    holds_plain_text,
    marks_of,
    rewritten,
)
from functions.core.domain.roster import Agent
from functions.core.domain.ticket import (
    Attachment,
    Customer,
    Merged,
    Pending,
    RefusedFile,
    Ticket,
    Value,
)
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("G4", "B10")


def below(kind: type[Any]) -> list[type[Any]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))]


# The roster (`Agent`) holds the desk's own people; classes of tests are not the product's.
STORED = [
    kind for kind in below(Value) if kind.__module__.startswith("functions.") and kind is not Agent
]
BODIES = [kind for kind in below(Body) if kind.__module__.startswith("functions.")]
COMMANDS = [*c.ACTIONS.values(), c.Receive]


def undeclared(kind: type[BaseModel]) -> list[str]:
    return [
        name
        for name, field in kind.model_fields.items()
        if not any(isinstance(mark, type(TERM)) for mark in field.metadata)
        and holds_plain_text(field.annotation)
    ]


def test_every_stored_text_declares_what_it_holds() -> None:
    """Tickets, events, commits, deliveries, and all that they contain; the bodies of actions."""
    for kind in (*STORED, *BODIES):
        assert undeclared(kind) == [], kind.__name__


def test_every_text_of_a_command_declares_what_it_holds() -> None:
    for kind in COMMANDS:
        hints = get_type_hints(kind, include_extras=True)
        fields = {field.name for field in dataclasses.fields(kind)}
        assert [name for name in fields if holds_plain_text(hints[name])] == [], kind.__name__


def test_every_kind_of_a_step_s_field_declares_what_it_holds() -> None:
    assert set(STEP_FIELD_HOLDS) == set(get_args(StepFieldKind))
    assert STEP_FIELD_HOLDS["text"] is FREE_TEXT


def test_the_stored_classes_are_all_looked_at() -> None:
    parts = {Ticket, Customer, Attachment, RefusedFile, Pending, Merged, Delivery, e.Commit}
    assert parts | {e.Product, *e.EVENTS.values()} <= {*STORED, e.Product}


class Part(Value):
    note: FreeText
    code: TermName = ""


class Whole(Value):
    """A class with every kind of declaration, and one text without."""

    text: FreeText
    optional: FreeText | None = None
    key: PersonalText | None = None
    term: TermName = ""
    forgotten: str = ""
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    terms: tuple[TermName, ...] = ()
    size: int = 0


WHOLE = Whole(
    text="a", optional="b", key="k", term="t", forgotten="f", size=3, terms=("x",),
    part=Part(note="c", code="C"), parts=(Part(note="d"), Part(note="e", code="E")),
)  # fmt: skip


def test_a_text_without_a_declaration_counts_as_personal() -> None:
    assert undeclared(Whole) == ["forgotten"]
    assert declared(Whole)["forgotten"] is PERSONAL
    assert erased_fields(Whole) == {"text", "optional", "key", "forgotten"}


def test_an_erasure_follows_the_declarations_into_nested_objects() -> None:
    assert WHOLE.model_copy(update=blanks(WHOLE)) == Whole(
        text="", term="t", size=3, terms=("x",),
        part=Part(note="", code="C"), parts=(Part(note=""), Part(note="", code="E")),
    )  # fmt: skip


def test_free_text_is_rewritten_by_path_and_nothing_else_is() -> None:
    assert free_texts(WHOLE) == {
        "text": "a", "optional": "b", "part.note": "c", "parts.0.note": "d", "parts.1.note": "e",
    }  # fmt: skip
    after = rewritten(WHOLE, lambda path, text: f"{path}={text}")
    assert after.parts[1] == Part(note="parts.1.note=e", code="E")
    assert (after.key, after.term, after.forgotten) == ("k", "t", "f")


def test_an_erased_ticket_keeps_terms_only() -> None:
    """Every field that is not a term, a number or a time is filled, and gone afterwards."""
    secret = "li.example"
    ticket = Ticket(
        desk="testdesk", number="CS1", version=3, status="resolved", channel="web", locale="en",
        type="inquiry", priority="medium", received_at=NOON, updated_at=NOON,
        customer=Customer(name=secret, contact=secret, kind="email", hash=secret, id=secret,
                          undeliverable=secret, customer_class="vip"),
        summary=secret, title=secret, product=secret, order=secret, related=(secret,),
        facts={"note": secret},
        pending=Pending(step="s", status="queued", fields={"note": secret}, attachments=(
            Attachment(name=secret, content_type="text/plain", size=1, key=secret),)),
    )  # fmt: skip
    filled = {name for name in erased_fields(Ticket) if secret in repr(getattr(ticket, name))}
    assert filled == erased_fields(Ticket)
    after = ticket.changed(**ticket.person_erased())
    assert secret not in after.model_dump_json()
    assert (after.customer.customer_class, after.type, after.erased) == ("vip", "inquiry", True)


def test_an_annotation_has_its_marks_wherever_they_stand() -> None:
    assert marks_of(FreeText | None) == {FREE_TEXT}
    assert marks_of(tuple[TermName, ...]) == {TERM}
    assert marks_of(dict[str, int]) == set()
