"""No internal item of a ticket reaches a page of its customer, whatever link opens it (G4, H1).

Each item is in an event or a field of the ticket, as it would be, with words that nothing else has.
"""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from functions.core.domain import events as e
from functions.core.domain.rules import LOCALES, Locale, Playbook
from functions.core.domain.ticket import Attachment, Customer, Slip, Ticket
from functions.core.platform.web import Request
from functions.core.playbook import load
from functions.portal.context import PortalContext
from functions.portal.page import CustomerPage
from functions.portal.status import status_view, submitter_view
from functions.portal.status_page import Shown, status_page
from functions.portal.submissions import open_calls
from tests.core.sample_desk import DESK, NOON, both
from tests.notify.sample_events import received, ticket
from tests.portal.conftest import DEPLOYMENT, ROOT

pytestmark = pytest.mark.requirement("H1", "G4", "A14", "B13")

SECRET = "TOPSECRET"
PROOFS = ("customer", "submitter", "contact")
AGENT = "agent-1"


@pytest.fixture(scope="module")
def desk() -> Playbook:
    """A desk whose internal words are the secret."""
    secret = both(SECRET)
    step = {
        "label": both("检测"),
        "source": ["in_progress"],
        "fields": {"found": {"label": secret}},
    }
    seen = {**step, "customer_sees": True, "customer_label": both("已检测")}
    return load(
        {
            **DESK,
            "priorities": {**DESK["priorities"], "high": {"label": secret}},
            "tags": {**DESK["tags"], "hidden": {"label": secret, "keywords": ["x"]}},
            "teams": {**DESK["teams"], "store": {"label": secret}},
            "statuses": {
                **DESK["statuses"],
                "awaiting_department": {"label": secret, "customer_label": both("处理中")},
            },
            "steps": {"check": seen, "inside": {**step, "label": secret}},
        }
    )


FILE = Attachment(name=f"{SECRET}.pdf", content_type="application/pdf", size=9, key="files/x/a")
ITEMS: dict[str, tuple[tuple[e.Event, ...], dict[str, Any]]] = {
    "internal priority": ((), {"priority": "high"}),
    "internal tag": ((), {"tags": ("hidden",)}),
    "internal status": ((), {"status": "awaiting_department"}),
    "reason of a priority": ((e.PriorityChanged(priority="high", reason=SECRET),), {}),
    "escalation": (
        (e.TicketQueued(team="technical", queue="supervisor", reason=SECRET),),
        {"queue": "supervisor"},
    ),
    "note": ((e.NoteAdded(text=SECRET, attachments=(FILE,)),), {}),
    "agent's login": ((e.ReplySent(text="您好"),), {"handler": SECRET}),
    "reviewer": ((e.ReviewAssigned(reviewer=SECRET),), {"reviewer": SECRET}),
    "findings of a review": ((e.CallbackRecorded(cause=SECRET, note=SECRET),), {}),
    "details of a step": (
        (e.StepTaken(step="check", fields={"found": SECRET}, customer_sees=True),),
        {"facts": {"found": SECRET}},
    ),
    "internal step": (
        (e.StepTaken(step="inside", fields={"found": SECRET}, attachments=(FILE,)),),
        {},
    ),
    "cost": (
        (e.StepTaken(step="check", fields={"cost": f"128 {SECRET}"}, customer_sees=True),),
        {"facts": {"cost": f"128 {SECRET}"}},
    ),
    "approval": (
        (
            e.ApprovalRequested(step="inside", fields={"found": SECRET}, by=SECRET),
            e.ApprovalGiven(step="inside", approved=False, reason=SECRET),
        ),
        {},
    ),
    "another department": (
        (e.StepTaken(step="inside", asks=Slip(step="inside", team="store")),),
        {"slips": (Slip(step="inside", team="store"),)},
    ),
    "mood": (
        (
            e.TicketClassified(
                type="fault", tags=("login",), priority="low", mood=SECRET, rules=(SECRET,)
            ),
            e.FollowUpClassified(mood=SECRET, rules=(SECRET,), proposed_type="inquiry"),
        ),
        {"mood": SECRET},
    ),
    "customer class": (
        (e.CustomerClassed(customer_class=SECRET),),
        {"customer": Customer(contact="****0", kind="phone", hash="h", customer_class=SECRET)},
    ),
    "keyed hash and id": (
        (),
        {"customer": Customer(contact="****0", kind="phone", hash=SECRET, id=SECRET)},
    ),
    "legal hold": ((e.HoldSet(held=True, reason=SECRET),), {"held": True}),
    "opened original": (
        (e.OriginalOpened(message=1, reason=SECRET), e.ContactOpened(reason=SECRET)),
        {},
    ),
    "returned mail": ((e.ContactBounced(permanent=True, cause=SECRET),), {}),
    "reason of the end": ((e.TicketClosed(reason=SECRET),), {"status": "closed"}),
    "call": ((e.CallRequested(), e.CallRecorded(outcome=SECRET, calls=(4,))), {}),
    "phone call": ((e.PhoneCallAttached(call=SECRET, text=SECRET, missed=True),), {}),
    "linked ticket": ((e.TicketLinked(number=SECRET),), {"related": (SECRET,)}),
    "another customer's ticket": (
        (e.TicketMerged(other=SECRET, same_customer=False, reason=SECRET),),
        {"status": "merged"},
    ),
    "another customer's words": (
        (e.CustomerWrote(text=SECRET, channel="web", via="CS9", stranger=True),),
        {},
    ),
    "key of the original mail": ((e.CustomerWrote(text="好", channel="mail", raw=SECRET),), {}),
    "timer": ((e.TimerBreached(kind="resolution", due_at=NOON, count=SECRET.count("T")),), {}),
}
"""Item → the events that hold it, and the fields of the ticket."""


def pages(desk: Playbook, item: str, locale: Locale) -> list[str]:
    """Return the ticket's page as each kind of link shows it."""
    events, changes = ITEMS[item]
    first = received(type="fault", priority="low", description="无法登录")
    assigned = e.TicketAssigned(team="technical", handler=changes.get("handler", AGENT))
    history = [
        e.Commit(
            desk=desk.desk, number="CS1", version=version, at=NOON + timedelta(minutes=version),
            actor=changes.get("handler", AGENT), events=found,
        )
        for version, found in enumerate([(first,), (assigned,), *((each,) for each in events)], 1)
    ]  # fmt: skip
    fields: dict[str, Any] = {
        "desk": desk.desk, "number": "CS1", "type": "fault", "tags": ("login",), "priority": "low",
        "team": "technical",
    }  # fmt: skip
    about = ticket(**{**fields, **changes})
    return [_page(desk, about, history, proof, locale) for proof in PROOFS]


def _page(
    desk: Playbook, about: Ticket, history: list[e.Commit], proof: Any, locale: Locale
) -> str:
    if proof == "submitter":
        view = submitter_view(about, history, history[0], desk, locale)
    else:
        link = (lambda file: "./file") if proof == "customer" else None
        view = status_view(about, history, desk, locale, link)
    view["before"] = None
    parameter = {"contact": "8000"} if proof == "contact" else {"key": "k"}
    request = Request("GET", DEPLOYMENT, NOON)
    context = PortalContext(Mock(), ROOT, Mock(), Mock(), Mock())
    page = CustomerPage(request, context, desk, locale, parameter)
    shown = Shown(about, view, parameter, open_calls(about, proof))
    return str(status_page(page, shown).body)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("item", ITEMS)
def test_an_internal_item_reaches_no_page_of_the_customer(
    desk: Playbook, item: str, locale: Locale
) -> None:
    for page in pages(desk, item, locale):
        assert 'data-status="' in page
        assert SECRET not in page


def test_what_customers_are_told_reaches_those_who_may_read_it(desk: Playbook) -> None:
    """So the test above would find it."""
    ITEMS["reply"] = ((e.ReplySent(text=SECRET),), {})
    try:
        shown = [SECRET in page for page in pages(desk, "reply", "zh-CN")]
    finally:
        del ITEMS["reply"]
    assert shown == [True, False, False]


def test_everything_that_people_wrote_is_escaped(desk: Playbook) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    file = FILE.model_copy(update={"name": attack})
    ITEMS["attack"] = (
        (
            e.ReplySent(text=attack, attachments=(file,)),
            e.CustomerWrote(text=attack, channel="web", by_submitter=True),
            e.StepTaken(step="check", attachments=(file,), customer_sees=True),
            e.TicketResolved(summary=attack, resolution=1),
        ),
        {"handler_name": attack, "summary": attack},
    )
    try:
        found = pages(desk, "attack", "zh-CN")
    finally:
        del ITEMS["attack"]
    for page in found:
        assert "<script" not in page
        assert "<img" not in page
    assert [page.count("&lt;script&gt;") > 0 for page in found] == [True, True, True]
