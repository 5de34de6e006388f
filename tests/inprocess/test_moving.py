"""Moving in from other help desks, and out: nobody is told, and an export reads back the same."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
import yaml
from botocore.client import BaseClient
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from functions.core.domain import events as e
from functions.core.domain.roster import Agent
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.reports.facts import facts_of
from functions.core.storage import imports
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.storage.segments import forget_segments
from functions.core.storage.table import Table
from infra.console.main import app
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from tests.inprocess.conftest import DEPLOYMENT, ROOT
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.permissions import needed

EXPORTS = ROOT / "tests" / "fixtures" / "imports"
SOON = datetime.now(UTC) + timedelta(hours=1)
STAFF = (("li-1", "技术支持组", "agent"), ("zg-1", "主管组", "supervisor"))


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    roster = [
        Agent(desk="standard", username=name, role=role, team=team, capacity=5,
              email="anna@example.com" if name == "li-1" else "", display_name="客服-李")
        for name, team, role in STAFF
    ]  # fmt: skip
    forget_segments()
    with deployed("standard", roster) as found:
        found.storage.manifests.start("standard", datetime.now(UTC))
        yield found


def console(*arguments: str) -> str:
    stage = () if "decrypt" in arguments else ("--stage", DEPLOYMENT.stage)
    done = CliRunner().invoke(app, [*arguments, *stage])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def bring_in(
    source: str, name: str, folder: Path, desk: str = "standard", **mapping: dict[str, Any]
) -> str:
    """Import a fixture by its first guess, with changes; return what was shown by both runs."""
    file = folder / name
    if not file.exists():
        shutil.copy(EXPORTS / name, file)
    command = ("import", "--from", source, str(file), "--desk", desk)
    guessed = console(*command)
    words = folder / f"{name}.mapping.yaml"
    content = yaml.safe_load(words.read_text("utf-8"))
    for kind, changes in mapping.items():
        content[kind] |= changes
    words.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return guessed + console(*command, "--mapping", str(words))


def imported(storage: Storage, source: str, *keys: str) -> list[Ticket]:
    found = []
    for key in keys:
        record = storage.idempotency.get(IdempotencyRecord("standard", f"import-{source}", key))
        assert record is not None, key
        found.append(storage.tickets.load("standard", record.number))
    return found


def history(storage: Storage, ticket: Ticket) -> list[tuple[str, str]]:
    return [
        (event.event, commit.actor)
        for commit in storage.tickets.history("standard", ticket.number)
        for event in commit.events
    ]


def test_tickets_of_zendesk_come_in_with_their_past_and_nobody_is_told(
    journey: SimulatedJourney, tmp_path: Path
) -> None:
    storage = journey.storage
    journey.online("li-1")
    said = bring_in("zendesk", "zendesk.jsonl", tmp_path, types={"problem": "报障"})
    assert (
        "6 tickets read: 4 imported, 0 were there, 0 skipped by the mapping, 2 not imported" in said
    )
    assert "line 3: not JSON" in said
    assert "line 5, ticket 35439: no contact" in said
    solved, taken, new, spam = imported(storage, "zendesk", "35436", "35437", "35438", "35440")

    # the past, with its own times, agents, rating; what ended stays ended
    assert history(storage, solved) == [
        ("TicketReceived", "customer"), ("TicketImported", "customer"),
        ("TicketClassified", "customer"), ("TicketAssigned", "system"), ("NoteAdded", "li-1"),
        ("ReplySent", "li-1"), ("CustomerWrote", "customer"), ("TicketResolved", "li-1"),
        ("SurveyAnswered", "customer"), ("TicketArchived", "system"),
    ]  # fmt: skip
    assert (solved.status, solved.type, solved.priority, solved.score) == (
        "archived",
        "报障",
        "高",
        5,
    )
    assert solved.number.startswith("CS20240304")
    assert solved.resolved_at == datetime(2024, 3, 5, 8, tzinfo=UTC)
    assert solved.timers == {}
    assert (spam.status, new.status, taken.status) == ("closed", "queued", "in_progress")
    assert (taken.handler, solved.tags) == ("li-1", ())
    agent = storage.roster.get("standard", "li-1")
    assert agent is not None
    assert agent.load == 1

    # timers begin at the import; the first answer was given
    assert new.timers["first_response"].started_at is not None
    assert datetime.now(UTC) - new.timers["first_response"].started_at < timedelta(minutes=5)
    assert "first_response" not in taken.timers

    # masked and sealed as if received
    first = storage.tickets.first_commit("standard", solved.number)
    assert first.commit is not None
    (request,) = first.commit.of(e.TicketReceived)
    assert "13800138000" not in request.description
    assert "https://company.zendesk.com/attachments/token/abc/" in request.words
    assert first.sealed
    assert first.commit.sealed
    assert solved.customer.hash == new.customer.hash != taken.customer.hash

    # nobody is told, by no function
    journey.simulator.pump()
    for ticket in (solved, taken, new, spam):
        assert storage.deliveries.list("standard", ticket.number) == []
        assert storage.tickets.load("standard", ticket.number) == ticket
    assert not journey.simulator.workflows.executions

    # on the board, though no function has heard of them
    feed = storage.changes.entries("standard", datetime.now(UTC) - timedelta(hours=1), SOON)
    assert {entry.number for _, entry in feed} >= {taken.number, new.number}

    # found by the old number; reports leave it out; the table is in order
    answer = journey.as_agent("zg-1", "GET", "/tickets?q=35436")
    assert [row["number"] for row in answer.json["tickets"]] == [solved.number]
    facts = facts_of(
        storage.tickets.history("standard", solved.number), journey.playbook, datetime.now(UTC)
    )
    assert {(fact.excluded, fact.handling) for fact in facts} == {("imported", 0)}
    console("verify")

    # a second run changes nothing
    again = bring_in("zendesk", "zendesk.jsonl", tmp_path, types={"problem": "报障"})
    assert "0 imported, 4 were there" in again
    # and an imported ticket lives on as any other
    journey.number = taken.number
    journey.act("li-1", "reply", text="请提供订单号")
    assert journey.messages_to("customer") == ["reply"]


def test_an_imported_commit_wakes_nobody() -> None:
    events = (e.NoteAdded(text="x"), e.CustomerWrote(text="y", channel="mail"))
    assert e.readers(events) == "both"
    assert e.readers(events, imported=True) == "none"


@pytest.mark.parametrize(
    ("source", "name", "counts", "kinds"),
    [
        ("zammad", "zammad.json", "2 tickets read: 2 imported",
         {"19": ("archived", "22019", 8), "20": ("queued", "22020", 4)}),
        ("freshdesk", "freshdesk.json", "2 tickets read: 2 imported",
         {"20": ("archived", "20", 9), "21": ("queued", "21", 5)}),
        ("csv", "tickets.csv", "4 tickets read: 2 imported",
         {"A-1": ("archived", "A-1", 10), "A-2": ("queued", "A-2", 4)}),
    ],
)  # fmt: skip
def test_other_formats_come_in(
    journey: SimulatedJourney,
    tmp_path: Path,
    source: str,
    name: str,
    counts: str,
    kinds: dict[str, tuple[str, str, int]],
) -> None:
    assert counts in bring_in(source, name, tmp_path)
    for key, (status, reference, events) in kinds.items():
        (ticket,) = imported(journey.storage, source, key)
        found = history(journey.storage, ticket)
        shown = [event for event, _ in found if event != "TimersSet"]
        assert (ticket.status, len(shown)) == (status, events), shown
        commit = journey.storage.tickets.commit_at("standard", ticket.number, 1)
        assert commit is not None
        assert commit.of(e.TicketImported)[0].reference == reference
    console("verify")


def test_an_interrupted_import_goes_on(
    journey: SimulatedJourney, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket of many messages takes several transactions; the second one fails at first."""
    messages = [
        {"id": n, "author_id": 1, "body": f"第{n}条", "public": True,
         "created_at": f"2024-05-01T{n // 60:02}:{n % 60:02}:00Z"}
        for n in range(120)
    ]  # fmt: skip
    ticket = {"id": 7, "created_at": "2024-05-01T00:00:00Z", "status": "solved", "subject": "很长",
              "requester": {"id": 1, "email": "c-9@example.com"}, "comments": messages}  # fmt: skip
    (tmp_path / "long.jsonl").write_text(json.dumps(ticket), "utf-8")
    original = imports._parts
    monkeypatch.setattr(imports, "_parts", lambda past: [*original(past)][:1])
    bring_in("zendesk", "long.jsonl", tmp_path)
    (half,) = imported(journey.storage, "zendesk", "7")
    assert half.version == imports.AT_ONCE
    monkeypatch.setattr(imports, "_parts", original)
    (tmp_path / "long.jsonl").write_text(json.dumps(ticket | {"comments": messages[:-1]}), "utf-8")
    assert "was begun with another content" in bring_in("zendesk", "long.jsonl", tmp_path)
    (tmp_path / "long.jsonl").write_text(json.dumps(ticket), "utf-8")
    assert "1 imported" in bring_in("zendesk", "long.jsonl", tmp_path)
    (whole,) = imported(journey.storage, "zendesk", "7")
    assert (whole.number, whole.version, whole.status) == (half.number, 122, "archived")
    console("verify")


def test_tickets_of_one_agent_are_written_in_turn_in_the_order_of_the_file(
    journey: SimulatedJourney, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent's load changes one after the other; a file may have a ticket twice, as overlapping
    exports do."""
    at_once: list[int] = []
    transact, busy = Table.transact, Semaphore(8)

    def counted(table: Table, writes: Any) -> dict[str, str]:
        with busy:
            at_once.append(8 - busy._value)
            time.sleep(0.005)
            return transact(table, writes)

    monkeypatch.setattr(Table, "transact", counted)
    tickets = [
        {"id": n, "created_at": "2024-05-01T00:00:00Z", "status": "open", "subject": f"第{n}单",
         "requester": {"email": f"c-{n % 3}@example.com"},
         "assignee": {"email": "anna@example.com"}}
        for n in range(30)
    ]  # fmt: skip
    fives = [tickets[first : first + 5] for first in range(0, 30, 5)]
    text = "\n".join(json.dumps(ticket) for five in fives for ticket in five * 2)
    (tmp_path / "twice.jsonl").write_text(text, "utf-8")
    assert "60 tickets read: 30 imported, 30 were there" in bring_in(
        "zendesk", "twice.jsonl", tmp_path
    )
    found = imported(journey.storage, "zendesk", *map(str, range(30)))
    assert [ticket.number for ticket in found] == [f"CS20240501{n:03}" for n in range(1, 31)]
    agent = journey.storage.roster.get("standard", "li-1")
    assert agent is not None
    assert agent.load == 30
    assert {*at_once} == {1}
    console("verify")


@pytest.mark.requirement("G3")
def test_the_role_for_an_import_grants_what_it_calls_and_no_more(
    journey: SimulatedJourney, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[str] = set()
    call = vars(BaseClient)["_make_api_call"]

    def noted(client: Any, operation: str, request: dict[str, Any]) -> Any:
        writes = {kind for write in request.get("TransactItems", ()) for kind in write}
        used.update(needed(client.meta.service_model.service_name, operation, writes))
        return call(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    aws.parameter.cache_clear()
    for _ in range(2):
        bring_in("zendesk", "zendesk.jsonl", tmp_path, types={"problem": "报障"})
    role = load_template(INFRA / "templates" / "import.yaml")["Resources"]["Role"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    granted = {action for statement in statements for action in statement["Action"]}
    assert used | {"s3:PutObjectTagging"} == granted  # what it puts is tagged
    assert role["RoleName"] == {"Fn::Sub": "deskbell-${Stage}-import"}


def test_a_dry_run_writes_nothing(journey: SimulatedJourney, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    shutil.copy(EXPORTS / "tickets.csv", file)
    before = items(journey.storage)
    said = console("import", "--from", "csv", str(file), "--desk", "standard", "--dry-run")
    assert "2 imported" in said
    assert "no time: received 'yesterday'" in said
    assert items(journey.storage) == before


def items(storage: Storage) -> int:
    found: int = storage.table.client.scan(TableName=storage.table.name, Select="COUNT")["Count"]
    return found


# Out, and in again


def live(journey: SimulatedJourney) -> None:
    """A desk with many kinds of life: answered, waiting, merged, rated, archived, erased, held."""
    journey.online("li-1")
    for text, contact in (
        ("无法登录，提示网络错误", "li.lei@example.com"),
        ("还是无法登录", "li.lei@example.com"),
        ("怎么开发票", "13900139007"),
        ("APP 崩溃了，打电话 13800138000", "han@example.com"),
    ):
        journey.file(text, contact=contact)
        journey.prove_contact()
    one, other, invoice, crash = sorted(numbers(journey))
    journey.number = one
    journey.act("li-1", "reply", text="请升级到 5.3")
    merged = journey.try_action("li-1", "merge", into=other, reason="同一个问题")
    assert merged.status == 200, merged.text
    journey.number = crash
    journey.act("li-1", "request-info", text="请问型号？")
    journey.act("zg-1", "correct-contact", contact="han.new@example.com")
    journey.number = invoice
    journey.act("zg-1", "assign", agent="li-1")
    journey.act("li-1", "resolve", summary="已发送开票链接")
    path, _, query = journey.link.partition("?")
    rated = journey.http("POST", f"{path}/survey?{query}", {"score": 5, "comment": "很快"})
    assert rated.status < 300, rated.text
    journey.simulator.pump()


def numbers(journey: SimulatedJourney) -> set[str]:
    scanned = journey.storage.table.client.scan(TableName=journey.storage.table.name)["Items"]
    return {i["pk"]["S"].split("#")[2] for i in scanned if i["sk"]["S"] == "TICKET"}


def people() -> list[Agent]:
    return [
        Agent(desk="standard", username=name, role=role, team=team, capacity=5)
        for name, team, role in STAFF
    ]


def write_keys(folder: Path, private: X25519PrivateKey) -> tuple[Path, Path]:
    """Write a key pair in PEM; return the files of the private and the public key."""
    secret, public = folder / "owner.pem", folder / "owner.pub"
    secret.write_bytes(
        private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    )
    public.write_bytes(
        private.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    )
    return secret, public


def test_an_export_reads_back_the_same(tmp_path: Path) -> None:
    masked, sealed, opened = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    secret, public = write_keys(tmp_path, X25519PrivateKey.generate())
    with deployed("standard", people()) as journey:
        journey.storage.manifests.start("standard", datetime.now(UTC))
        live(journey)
        statuses = {n: journey.storage.tickets.load("standard", n).status for n in numbers(journey)}
        assert {*statuses.values()} >= {"merged", "awaiting_customer", "archived"}
        assert "4 tickets" in console("export", "standard", str(masked))
        console(
            "export", "standard", str(sealed), "--with-contacts", "--public-key", str(public),
            "--reason", "迁移到新环境",
        )  # fmt: skip
        (plain, act) = journey.storage.audit.list(
            datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
        )
        assert (act.act, act.after) == ("export.desk", {"contacts": True, "reason": "迁移到新环境"})
        # contacts are opened for a recorded export with contacts only
        asked = {"desk": "standard", "number": min(statuses), "act": 1, "agent": act.actor}
        for changes in ({"exported_at": plain.at}, {"exported_at": act.at, "agent": "console:x"}):
            event = asked | {key: str(value) for key, value in changes.items()}
            opening = journey.simulator.invoke("unseal", event)
            assert opening["refused"] == "there is no such act on record"
    for text in (masked.read_text("utf-8"), sealed.read_text("utf-8")):
        assert not [word for word in ("example.com", "13900139007", "13800138000") if word in text]
    console("export", "decrypt", str(sealed), "--private-key", str(secret), "--out", str(opened))
    assert "han.new@example.com" in opened.read_text("utf-8")
    assert opened.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in masked.read_text("utf-8").splitlines()]
    assert [line["number"] for line in lines[1:]] == sorted(statuses)

    for name, file in (("masked", masked), ("opened", opened)):
        with deployed("standard", people()) as journey:
            journey.storage.manifests.start("standard", datetime.now(UTC))
            command = ("import", "--from", "deskbell", str(file), "--desk", "standard")
            unmasked = tmp_path / "unmasked.jsonl"
            text = file.read_text("utf-8").replace("请升级到 5.3", "请致电 13800138000")
            unmasked.write_text(text, "utf-8")
            said = console("import", "--from", "deskbell", str(unmasked), "--desk", "standard")
            assert "3 imported, 0 were there, 0 skipped by the mapping, 1 not imported" in said
            assert "is unmasked" in said
            assert "1 imported, 3 were there" in console(*command), name
            assert "0 imported, 4 were there" in console(*command), name
            journey.simulator.pump()
            again = tmp_path / f"{name}-again.jsonl"
            console("export", "standard", str(again))
            assert again.read_bytes() == masked.read_bytes(), name
            tickets = {n: journey.storage.tickets.load("standard", n) for n in statuses}
            assert {n: ticket.status for n, ticket in tickets.items()} == statuses
            assert all(not journey.storage.deliveries.list("standard", n) for n in tickets)
            console("verify")
            # the next number does not collide, and who was exported with a contact can be answered
            filed = journey.file("新的问题", contact="new@example.com")
            assert filed not in statuses
            waiting = next(n for n, status in statuses.items() if status == "awaiting_customer")
            journey.number = waiting
            if name == "opened":
                journey.act("li-1", "reply", text="已修复")
                assert journey.messages_to("customer") == ["reply"]


def test_contacts_leave_only_with_a_key_and_a_reason(tmp_path: Path) -> None:
    _, public = write_keys(tmp_path, X25519PrivateKey.generate())
    for more in ((), ("--reason", "x"), ("--public-key", str(public))):
        done = CliRunner().invoke(
            app, ["export", "standard", str(tmp_path / "x"), "--with-contacts", *more]
        )
        assert "--public-key FILE and --reason" in str(done.exception)
