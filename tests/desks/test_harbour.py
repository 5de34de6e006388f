"""A desk that is written by docs/playbooks.md alone and unknown to the code."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

import pytest
import yaml

from functions.core.domain.classification import classify
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Condition, Effect, Playbook, Section, TimerEffects, Vague
from functions.core.playbook import load
from tests.docs.test_playbook_docs import KEYS, ONCE
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.registered_desk import registering_desk

HERE = Path(__file__).parent
HARBOUR = HERE / "harbour.yaml"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def member(username: str, team: str, **more: object) -> Agent:
    role = {"zg": "supervisor", "zj": "qa"}.get(username.partition("-")[0], "agent")
    about = {"desk": "harbour", "username": username, "role": role, "team": team, "capacity": 3}
    return Agent.model_validate({**about, **more})


ROSTER = (
    member("yard-1", "yard"),
    member("bill-1", "billing"),
    member("bill-9", "billing", level=1),
    member("sv-1", "surveyors", skills=("survey",), products=("steel",), languages=("en",)),
    member("sv-2", "surveyors", skills=("survey",), products=("fruit",)),
    member("zg-1", "duty"),
    member("zj-1", "quality"),
)


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    with deployed("harbour", ROSTER, HERE) as found:
        yield found


@pytest.fixture(scope="module")
def harbour() -> Playbook:
    return load(HARBOUR)


def test_harbour_uses_every_documented_key() -> None:
    """All but what excludes its SNS: a provider that sends registered texts only."""
    registering, texts = registering_desk(), registering_desk()["sms"]
    code = {"id": "SMS_2", "text": "验证码{{ code }}"}
    registering["sms"] |= {
        "registered": {name: {"zh-CN": text} for name, text in texts["registered"].items()},
        "new_message": {"zh-CN": texts["new_message"]},
        "verification_code": {"zh-CN": code},
    }
    desks = (yaml.safe_load(HARBOUR.read_text("utf-8")), registering)
    used = {key for desk in desks for key in _keys(desk, Playbook, "")}
    # The language may be left out, and the documentation does.
    used |= {key.replace("registered.*.*", "registered.*") for key in used}
    assert KEYS - used == set()


def _keys(value: Any, part: type[Section], at: str) -> Iterator[str]:
    """The keys that a part of a playbook uses, named as the documentation names them."""
    for key, inner in value.items():
        # YAML 1.1 reads `on` as true; Deskbell's own reader does not.
        name = "on" if key is True else key
        path = f"{at}.{name}" if at else name
        yield path
        if path == "calendar":
            yield from (f"calendar.{below}" for below in inner)
            continue
        yield from _below(inner, part.model_fields[name].annotation, path)


def _below(value: Any, annotation: Any, path: str) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        if isinstance(value, dict):
            yield from _keys(value, annotation, ONCE.get(annotation, path))
        return
    for argument in get_args(annotation):
        if get_origin(annotation) is dict and isinstance(value, dict):
            for inner in value.values():
                yield from _below(inner, argument, f"{path}.*")
        elif get_origin(annotation) is tuple and isinstance(value, list):
            for inner in value:
                yield from _below(inner, argument, f"{path}[]")
        else:
            yield from _below(value, argument, path)


def test_sections_that_occur_in_several_places_are_found() -> None:
    assert set(ONCE) == {Condition, Effect, TimerEffects, Vague}


@pytest.mark.parametrize(
    ("text", "more", "kind", "tags", "priority", "rules"),
    [
        ("Where is my reefer container?", {}, "TRK", ("TRK-reefer",), "today", ()),
        (
            "container MSKU1 please",
            {"channel": "phone"},
            "TRK",
            ("TRK-container",),
            "week",
            ("phone-can-wait",),
        ),
        (
            "invoice, it is outrageous",
            {"amount": 9000.0},
            "FEE",
            ("FEE-demurrage",),
            "now",
            ("large-sum", "upset", "upset-fees"),
        ),
        ("a suggestion", {}, "IDEA", (), "week", ("ideas",)),
        ("a suggestion", {"customer_class": "vip"}, "IDEA", (), "today", ("ideas", "vip-up")),
        ("where is it", {"product": "Chemical drums"}, "DMG", (), "now", ("chemicals",)),
    ],
)
def test_harbour_s_rules_apply_in_order(
    harbour: Playbook,
    text: str,
    more: dict[str, Any],
    kind: str,
    tags: tuple[str, ...],
    priority: str,
    rules: tuple[str, ...],
) -> None:
    found = classify(text, harbour, **more)
    assert (found.type, found.tags, found.priority, found.rules) == (kind, tags, priority, rules)


def test_harbour_s_night_shift_and_numbers_are_right(harbour: Playbook) -> None:
    friday = datetime(2026, 3, 13, 23, 0, tzinfo=AMSTERDAM)
    assert harbour.hours.is_open(friday)
    assert harbour.hours.add(friday, timedelta(hours=4)) == datetime(
        2026, 3, 16, 7, 0, tzinfo=AMSTERDAM
    )
    assert harbour.hours.is_workday(date(2026, 12, 19))
    assert harbour.number.write(friday, 7) == "HB26-00007"
    assert harbour.number.period(friday) == "2026"


@pytest.mark.slow
def test_a_damage_report_reaches_the_archive(journey: SimulatedJourney) -> None:
    """Skills, product and language; a visit with a time; an answer; confirmation and call-back."""
    journey.online("yard-1", "sv-1", "sv-2")
    journey.file("Two crates of bananas are crushed, I am fed up", locale="en")
    assert (journey.ticket.handler, journey.ticket.type) == ("sv-2", "DMG")
    assert journey.messages_to("customer") == ["received", "upset"]
    assert journey.view("sv-2")["suggestion"]["text"].startswith(
        "We are very sorry.\n\nPlease leave"
    )

    journey.act("sv-2", "accept")
    assert journey.timer("first_response")["state"] == "met"
    arrives = (journey.ticket.updated_at + timedelta(hours=3)).replace(microsecond=0)
    journey.act(
        "sv-2",
        "survey-visit",
        surveyor="yard",
        arrives_at=arrives.isoformat(),
        gear=["lamp", "saw"],
    )
    shown = arrives.astimezone(AMSTERDAM).strftime("%H:%M")
    assert shown in journey.message_text("customer", "visit")
    assert shown in journey.message_text("field:surveyor", "visit")
    assert journey.due("collaboration") == arrives
    journey.tick(arrives)
    assert "hurry" in journey.messages_to("field:surveyor")
    assert journey.try_action("sv-1", "surveyed", finding="x").status == 403  # the yard was asked
    journey.act("yard-1", "surveyed", finding="Crushed by the crane; 2 crates")
    assert journey.ticket.facts["gear"] == "lamp、saw"
    journey.act("sv-2", "resolve", summary="Compensated")

    # The customer confirms, and somebody calls back; then the record is whole.
    assert journey.status()["status"] == "awaiting_confirmation"
    journey.act_as_customer("confirmation", solved=True)
    assert (journey.ticket.status, journey.ticket.team) == ("in_review", "yard")
    journey.act("yard-1", "callback", cause="all is well")
    document, tags = journey.archived()
    assert tags["retention-years"] == "7"
    assert document["ticket"]["facts"]["finding"].startswith("Crushed")


def test_a_fee_beyond_an_agent_s_authority_needs_approval(journey: SimulatedJourney) -> None:
    """A step resolves the ticket; unsolved, it goes to a senior agent."""
    journey.online("bill-1")
    journey.file("demurrage is wrong", locale="en")
    journey.act("bill-1", "waive-fee", amount="300", grounds="Gate was closed")
    assert journey.ticket.status == "awaiting_department"
    journey.act("zg-1", "approve", approved=True)
    assert (journey.ticket.status, journey.ticket.summary) == (
        "awaiting_confirmation",
        "Gate was closed",
    )
    journey.online("bill-9")
    journey.act_as_customer("confirmation", solved=False, reason="still on the invoice")
    assert (journey.ticket.handler, journey.ticket.level) == ("bill-9", 1)


def test_vague_unclear_and_collected_requests_take_their_routes(journey: SimulatedJourney) -> None:
    """A vague request is asked about twice; an unclear one goes to a supervisor; an idea is
    collected.
    """
    journey.online("yard-1")
    journey.file("it is delayed", locale="en")
    assert "vessel" in journey.message_text("customer", "ask")
    journey.act_as_customer("messages", text="I do not know why, just late")
    assert "Where is the cargo now" in journey.message_text("customer", "ask")
    journey.file("hello", locale="en")
    assert journey.ticket.queue == "supervisor"
    journey.file("a suggestion: longer opening hours", locale="en")
    assert (journey.ticket.status, journey.ticket.team) == ("queued", "yard")
