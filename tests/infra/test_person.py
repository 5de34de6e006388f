"""`deskbell person`: let people in, change what they may do, end their access."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from functions.administration.people import HandedOver, People
from functions.administration.user_pool import UserPool
from functions.core.domain import commands as c
from functions.core.domain.roster import Agent
from functions.core.platform import aws
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from infra.console.main import app
from infra.console.people import people_of
from infra.deploy.trail import OperatorTrail
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import (
    DEPLOYMENT,
    simulator as simulator,  # the deployment on moto
    storage as storage,
)
from tests.inprocess.test_standard import StandardJourney

pytestmark = pytest.mark.requirement("G4")
PASSWORD = "Correct-Horse-9"
TECHNICAL = "技术支持组"


@pytest.fixture
def pool(simulator: Simulator) -> str:
    """A user pool with the foundation's client; nobody is in it."""
    cognito = boto3.client("cognito-idp")
    made = str(cognito.create_user_pool(PoolName=DEPLOYMENT.prefix)["UserPool"]["Id"])
    client = cognito.create_user_pool_client(
        UserPoolId=made,
        ClientName="c",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter("settings"),
        Value=json.dumps({"user_pool_id": made, "user_pool_client_id": client}),
        Type="String",
        Overwrite=True,
    )
    aws.parameter.cache_clear()
    return made


def console(*arguments: str, told: str = "", fails: bool = False) -> str:
    done = CliRunner().invoke(app, ["person", *arguments, "--stage", DEPLOYMENT.stage], input=told)
    said = done.output + str(done.exception or "")
    assert bool(done.exit_code) == fails, said
    return said


def add(username: str, desk: str = "standard", *more: str) -> None:
    role = more or ("--role", "agent", "--team", TECHNICAL)
    console("add", desk, username, *role, told=PASSWORD)


def sign_in(simulator: Simulator, username: str, password: str = PASSWORD) -> Any:
    body = {"username": username, "password": password}
    return simulator.http("POST", "/session", body)


def user(pool: str, username: str) -> Any:
    return boto3.client("cognito-idp").admin_get_user(UserPoolId=pool, Username=username)


def on_roster(storage: Storage, username: str, desk: str = "standard") -> Agent:
    found = storage.roster.get(desk, username)
    assert found is not None
    return found


def test_an_added_person_signs_in_and_is_listed(
    simulator: Simulator, storage: Storage, pool: str
) -> None:
    more: tuple[str, ...] = (
        "--role", "agent", "--further-role", "qa", "--team", TECHNICAL, "--level", "1",
    )  # fmt: skip
    more += ("--skill", "vip", "--product", "CRM", "--display-name", "客服-张")
    more += ("--email", "zhang@example.com", "--shift", "mon-tue 09:00-12:00 13:30-18:00")
    add("neu-1", "standard", *more, "--shift", "sun 22:00-06:00")
    opened = sign_in(simulator, "neu-1").json
    assert opened["agent"]["desks"] == {"standard": {"role": "qa", "team": TECHNICAL}}
    found = on_roster(storage, "neu-1")
    assert (found.level, found.skills, found.products) == (1, ("vip",), ("CRM",))
    assert (found.display_name, found.email) == ("客服-张", "zhang@example.com")
    assert found.shift == {
        **{day: [["09:00", "12:00"], ["13:30", "18:00"]] for day in ("mon", "tue")},
        "sun": [["22:00", "06:00"]],
    }
    assert (
        found.capacity == storage.playbooks.get("standard", datetime.now(UTC)).assignment.capacity
    )
    (row,) = [
        line for line in console("list", "--desk", "standard").splitlines() if "neu-1" in line
    ]
    assert row.split("\t")[1:4] == ["neu-1", "agent qa", TECHNICAL]
    assert row.split("\t")[5:] == ["offline", "客服-张"]


def test_a_person_of_every_desk(simulator: Simulator, storage: Storage, pool: str) -> None:
    add("chef", "*", "--role", "admin")
    assert sign_in(simulator, "chef").json["agent"]["desks"] == {
        "*": {"role": "admin", "team": None}
    }
    claims = {"cognito:username": "chef", "cognito:groups": "*:admin"}
    answer = simulator.http("GET", "/agent/desks/standard/tickets?queue=all", claims=claims)
    assert answer.status == 200
    assert console("remove", "*", "chef")
    simulator.forget_roster()
    answer = simulator.http("GET", "/agent/desks/standard/tickets?queue=all", claims=claims)
    assert answer.status == 401


def test_adding_again_completes_an_interrupted_run(
    storage: Storage, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(UserPool, "create", lambda *_, **__: 1 / 0)
        console("add", "standard", "neu-1", "--role", "qa", told=PASSWORD, fails=True)
    add("neu-1", "standard", "--role", "qa")
    assert user(pool, "neu-1")["Enabled"]


def test_who_works_at_a_second_desk_keeps_the_password(
    simulator: Simulator, storage: Storage, pool: str
) -> None:
    add("neu-1")
    console("add", "*", "neu-1", "--role", "admin", told="Another-Password-1")
    assert set(sign_in(simulator, "neu-1").json["agent"]["desks"]) == {"*", "standard"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "nowhere", "a", "--role", "agent"), "no desk nowhere"),
        (("add", "standard", "a", "--role", "agent", "--team", "x"), "no team x"),
        (("add", "*", "a", "--role", "admin", "--team", TECHNICAL), "has no team"),
        (("add", "standard", "li-1", "--role", "qa"), "change the entry"),
        (("add", "standard", "a", "--role", "agent", "--further-role", "x"), "no role x"),
        (("change", "standard", "nobody", "--role", "qa"), "not on the roster"),
        (("change", "standard", "li-1"), "nothing to change"),
        (("change", "standard", "li-1", "--team", "x"), "no team x"),
        (("change", "standard", "li-1", "--shift", "someday 9"), "no days someday"),
        (("change", "standard", "li-1", "--shift", "mon 9-18"), "HH:MM"),
        (("reset", "li-1"), "--password, --mfa or both"),
        (("remove", "standard", "nobody"), "not on the roster"),
    ],
)
def test_a_wrong_command_changes_nothing(
    storage: Storage, pool: str, arguments: tuple[str, ...], says: str
) -> None:
    before = storage.roster.list("standard")
    assert says in console(*arguments, told=PASSWORD, fails=True)
    assert storage.roster.list("standard") == before
    now = datetime.now(UTC)
    assert not list(storage.audit.list(now - timedelta(days=1), now))


def test_a_password_is_required(storage: Storage, pool: str) -> None:
    assert "standard input" in console("reset", "li-1", "--password", fails=True)


def test_a_new_password_ends_the_old_one(simulator: Simulator, storage: Storage, pool: str) -> None:
    add("neu-1")
    console("reset", "neu-1", "--password", told="Another-Password-1")
    assert sign_in(simulator, "neu-1").status == 401
    assert sign_in(simulator, "neu-1", "Another-Password-1").status == 200


def test_a_lost_authenticator_is_removed(simulator: Simulator, storage: Storage, pool: str) -> None:
    add("neu-1")
    body = {"username": "neu-1", "password": PASSWORD}
    simulator.http("POST", "/session/mfa", body)
    simulator.http("POST", "/session/mfa", {**body, "code": "123456"})
    assert "challenge" in sign_in(simulator, "neu-1").json
    console("reset", "neu-1", "--mfa")
    assert "token" in sign_in(simulator, "neu-1").json


def test_a_role_changes_without_a_new_token(
    simulator: Simulator, storage: Storage, pool: str
) -> None:
    claims = {"cognito:username": "li-1", "cognito:groups": "standard:agent"}
    path = "/agent/desks/standard/tickets?queue=supervisor"
    assert simulator.http("GET", path, claims=claims).status == 403
    console("change", "standard", "li-1", "--role", "supervisor", "--capacity", "0")
    simulator.forget_roster()
    assert simulator.http("GET", path, claims=claims).status == 200
    assert on_roster(storage, "li-1").capacity == 0


# Leaving


def test_who_is_deactivated_is_out_everywhere(
    simulator: Simulator, storage: Storage, pool: str
) -> None:
    add("neu-1")
    opened = sign_in(simulator, "neu-1").json
    console("remove", "standard", "neu-1")
    simulator.forget_roster()
    claims = {"cognito:username": "neu-1", "cognito:groups": "standard:agent"}
    for method, path, body in (
        ("GET", "tickets", None),
        ("PUT", "me/presence", {"online": True}),
        ("POST", "tickets", {"contact": "13800138000", "description": "x"}),
    ):
        answer = simulator.http(method, f"/agent/desks/standard/{path}", body, claims=claims)
        assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    assert sign_in(simulator, "neu-1").status == 401
    body = {"refresh_token": opened["refresh_token"]}
    assert simulator.http("POST", "/session/refresh", body).status == 401
    assert not user(pool, "neu-1")["Enabled"]
    assert console("list").count("removed") == 1


def test_who_leaves_one_of_two_desks_keeps_the_other(
    simulator: Simulator, storage: Storage, pool: str
) -> None:
    add("neu-1")
    add("neu-1", "*", "--role", "qa")
    opened = sign_in(simulator, "neu-1").json
    console("remove", "standard", "neu-1")
    simulator.forget_roster()
    body = {"refresh_token": opened["refresh_token"]}
    assert simulator.http("POST", "/session/refresh", body).status == 401, "sessions end"
    assert user(pool, "neu-1")["Enabled"]
    assert set(sign_in(simulator, "neu-1").json["agent"]["desks"]) == {"*"}
    claims = {"cognito:username": "neu-1", "cognito:groups": "standard:agent,*:qa"}
    answer = simulator.http("GET", "/agent/desks/standard/tickets", claims=claims)
    assert answer.status == 401, "the desk's own entry comes before that of every desk"


def test_who_comes_back_signs_in_again(simulator: Simulator, storage: Storage, pool: str) -> None:
    add("neu-1")
    console("remove", "standard", "neu-1")
    add("neu-1")
    simulator.forget_roster()
    assert sign_in(simulator, "neu-1").status == 200
    assert not on_roster(storage, "neu-1").online


def test_an_interrupted_deactivation_is_completed_and_recorded_once(
    storage: Storage, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("neu-1")
    with monkeypatch.context() as patched:
        patched.setattr(People, "_sign_out", lambda *_: 1 / 0)
        console("remove", "standard", "neu-1", fails=True)
    assert not on_roster(storage, "neu-1").active, "the roster comes first"
    console("remove", "standard", "neu-1")
    today = datetime.now(UTC)
    [(_, left)] = storage.presence.entries("standard", today - timedelta(days=1), today)
    assert (left.number, left.presence) == ("neu-1", False)
    assert not user(pool, "neu-1")["Enabled"]
    now = datetime.now(UTC)
    acts = [entry.act for entry in storage.audit.list(today - timedelta(days=1), now)]
    assert acts.count("person.remove") == 1


@pytest.fixture
def journey(simulator: Simulator, storage: Storage, pool: str) -> StandardJourney:
    return StandardJourney(simulator, storage)


def deactivate(username: str) -> HandedOver:
    trail = OperatorTrail(DEPLOYMENT.stage, "console:test")
    return people_of(trail).remove("standard", username)


def test_a_leaver_s_tickets_go_to_colleagues(journey: StandardJourney) -> None:
    journey.online("li-1")
    numbers = []
    for status in ("assigned", "in_progress", "awaiting_customer"):
        numbers.append(journey.file())
        if status == "in_progress":
            journey.act("li-1", "reply", text="您好")
        if status == "awaiting_customer":
            journey.act("li-1", "request-info", text="版本？")
        assert journey.stored_status == status
    journey.online("li-2")
    left = deactivate("li-1")
    assert sorted(left.to_team) == sorted(numbers)
    journey.simulator.pump()
    for journey.number in numbers:
        # What a ticket waits for, its next handler waits for.
        expected = "awaiting_customer" if journey.number == numbers[-1] else "assigned"
        assert (journey.ticket.handler, journey.ticket.status) == ("li-2", expected)
    assert on_roster(journey.storage, "li-1").load == 0
    assert on_roster(journey.storage, "li-2").load == len(numbers)
    journey.file()
    assert journey.ticket.handler == "li-2"


def test_nobody_left_means_the_supervisors(journey: StandardJourney) -> None:
    journey.online("li-1")
    number = journey.file()
    deactivate("li-2")
    left = deactivate("li-1")
    assert (left.to_team, left.to_supervisors) == ((), (number,))
    assert journey.ticket.queue == "supervisor"
    journey.file()
    assert journey.ticket.queue == "supervisor", "new tickets, too"


def test_a_leaver_s_call_backs_are_named(journey: StandardJourney) -> None:
    journey.online("li-1")
    number = journey.file()
    journey.act("li-1", "resolve", summary="重置密码")
    journey.act_as_customer("survey", score=1)
    journey.act("zg-1", "assign", agent="zj-1")
    assert deactivate("zj-1").reviews == (number,)


def test_an_unmerged_ticket_does_not_return_to_who_has_left(journey: StandardJourney) -> None:
    journey.online("li-1")
    first, second = journey.file(), journey.file()
    journey.number = second
    journey.act("zg-1", "merge", into=first)
    deactivate("li-1")
    journey.number = second
    journey.act("zg-1", "unmerge")
    assert (journey.ticket.handler, journey.ticket.status) == (None, "queued")


def test_a_ticket_that_changes_meanwhile_is_not_taken_from_its_new_handler(
    journey: StandardJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey.online("li-1")
    journey.file()
    storage, now = journey.storage, datetime.now(UTC)
    queue_page = type(storage.tickets).queue_page

    def reassigned(self: Any, partitions: Any, *more: Any) -> Any:
        page = queue_page(self, partitions, *more)
        if page[0] and journey.ticket.handler == "li-1":
            given = c.Assign(TECHNICAL, "li-2", by_person=True)
            playbook = storage.playbooks.get("standard", now)
            change(storage, "standard", journey.number, given, playbook, now, actor="zg-1")
        return page

    monkeypatch.setattr(type(storage.tickets), "queue_page", reassigned)
    assert deactivate("li-1").to_team == ()
    assert journey.ticket.handler == "li-2"
