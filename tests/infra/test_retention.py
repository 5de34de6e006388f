"""Legal hold and erasure: every place that holds personal data, in spite of interruptions."""

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from typer.testing import CliRunner

from functions.administration.retention import Archive, erase, hold
from functions.core.domain import commands as c, events as e
from functions.core.domain.delivery import Delivery
from functions.core.domain.drafts import Draft, Outgoing
from functions.core.domain.errors import ActionNotAllowed, NotFound, TryAgain
from functions.core.domain.journal import entry_of
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.playbook import load
from functions.core.reports.facts import facts_of
from functions.core.reports.periods import Period
from functions.core.services.archiving import write_document
from functions.core.services.command_service import change
from functions.core.services.indexing import SearchIndex
from functions.core.storage.database import Storage
from functions.core.storage.facts import FOLDER as FACTS, FactStore
from functions.core.storage.model_summaries import ModelSummary
from functions.core.storage.reports import StoredReports
from functions.core.storage.segments import FOLDER, Segments
from functions.core.storage.tickets import Change
from functions.core.text.contacts import contact_hash, normalise_contact
from functions.core.text.search import Segment, shown
from functions.core.text.tokens import derive
from functions.survey.archive import archive
from functions.survey.tasks import Task
from infra.console.main import app
from infra.console.retention import records_of
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import DESK, NOON, TABLE, agent, both, committed, make_table, request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.requirement("B10")
MAIL_BUCKET = "deskbell-test-mail-123456789012-us-east-1"
ARCHIVE = "deskbell-test-archive-123456789012-us-east-1"
ROOT = bytes(range(32))
CONTACT = "li.example@example.com"
OTHER = "wang.example@example.com"
SECRETS = ("李样本", "li.example", "13800138000", "SN-7788", "发票-99", "地址一号", "KFR-35")
TEXT = " ".join(SECRETS)
PHOTO = "files/testdesk/photo"
SOON = NOON + timedelta(hours=1)
STEP = {
    "label": both("维修"),
    "source": ["in_progress"],
    "fields": {
        "note": {"label": both("n")},
        "parts": {"label": both("p"), "kind": "list"},
    },
}
ERASURE: Any = {"reason": "asked by letter", "actor": "admin", "now": SOON}


class Interrupted(BaseException):
    """Ends the process in the middle."""


class Counting:
    """A client that ends the process when its budget of writing calls is used up."""

    def __init__(self, client: Any, budget: list[int]) -> None:
        self._client = client
        self._budget = budget

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not name.startswith(("put_", "delete_", "update_", "transact_write")):
            return method

        def call(**arguments: Any) -> Any:
            self._budget[0] -= 1
            if self._budget[0] < 0:
                raise Interrupted
            return method(**arguments)

        return call


@pytest.fixture(scope="module")
def repairs() -> Playbook:
    """The small desk with one step."""
    return load({**DESK, "steps": {"repair": STEP}})


@pytest.fixture
def at(repairs: Playbook) -> Iterator[Archive]:
    """Yield a stage in memory with two tickets of one person and one of another."""
    import boto3

    with aws_in_memory():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        make_table(dynamodb)
        for bucket in (MAIL_BUCKET, ARCHIVE):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        found = Archive(Storage.on(dynamodb, TABLE), s3, MAIL_BUCKET, ARCHIVE, lambda: ROOT)
        found.storage.playbooks.put(repairs, NOON)
        found.storage.roster.put(agent(capacity=50))
        for number, contact in (("CS1", CONTACT), ("CS2", CONTACT), ("CS3", OTHER)):
            live(found, repairs, number, contact)
        found.storage.contacts.set_class("testdesk", digest(CONTACT), "vip")
        found.storage.manifests.start("testdesk", NOON)
        index_of(found).add_new("testdesk", SOON)
        yield found


def index_of(at: Archive) -> SearchIndex:
    return SearchIndex(at.storage, Segments(at.s3, at.mail_bucket), at.root)


def digest(contact: str) -> str:
    return contact_hash(normalise_contact(contact), "testdesk", derive(ROOT, "contact"))


def live(at: Archive, playbook: Playbook, number: str, contact: str) -> None:
    """Give a ticket mails, files, deliveries and an archived document; CS1 has every event and two
    versions.
    """
    text = TEXT if contact == CONTACT else "somebody else's words"
    name = "李样本" if contact == CONTACT else "somebody"
    mail, photo = f"mail/{number}", f"{PHOTO}-{number}"
    bodies = {mail: text, f"quarantine/testdesk/{number}": text, f"quarantine/-/{number}": text}
    upload = f"uploads/testdesk/{number}/unfinished"
    if number == "CS1":
        bodies |= {photo: text, upload: text, f"mail/{number}-2": text}
    for key, body in bodies.items():
        at.s3.put_object(Bucket=at.mail_bucket, Key=key, Body=body.encode())
    customer = Customer(
        name=name, contact=contact, kind="email", hash=digest(contact), id=f"id of {name}"
    )
    received = request(
        customer=customer, description=text, text=text, subject=text, raw=mail, order=text,
        product=e.Product(name=text[:40], model=text[:40], serial=text[:40]),
        proof_of_purchase=text,
    )  # fmt: skip
    events = decide(None, c.Receive(number, received), playbook, NOON)
    after = apply(None, committed(None, events, NOON, number))
    opened = Change(None, after, events, "1", sealed=text.encode())
    at.storage.tickets.commit_all((opened,), actor="customer")
    for recipient, state in (("customer", "sent"), ("team", "retrying")):
        at.storage.deliveries.claim(
            Delivery.model_validate(
                {
                    "desk": "testdesk", "number": number, "version": 1, "event": "TicketReceived",
                    "message": "ack", "recipient": recipient, "channel": "email", "text": text,
                    "to": contact if recipient == "customer" else "team", "subject": text,
                    "state": state, "claimed_at": NOON, "at": NOON, "cause": f"SES: {text}",
                }
            )
        )  # fmt: skip
    file = e.Attachment(name=f"{name}.jpg", content_type="image/jpeg", size=3, key=photo)
    rounds: tuple[tuple[c.Command, ...], ...] = (
        (
            c.Assign("technical", "agent-1"),
            c.RequestInformation(text),
            c.CustomerMessage(text, "mail", raw=f"mail/{number}-2", attachments=(file,)),
            c.Note(text),
            c.TakeStep("repair", {"note": text, "parts": "压缩机"}),
            c.Resolve(text),
            c.AnswerSurvey(2, text),
            c.RecordCallback(text, text),
        ),
        (c.Reopen(text), c.Assign("technical", "agent-1"), c.Resolve(text), c.AnswerSurvey(5)),
    )
    if number != "CS1":
        rounds = ((c.Assign("technical", "agent-1"), c.Resolve(text), c.AnswerSurvey(5)),)
    for resolution, commands in enumerate(rounds, 1):
        for command in commands:
            change(at.storage, "testdesk", number, command, playbook, NOON, actor="agent-1")
        summary = ModelSummary(text, resolution, NOON, "small")
        at.storage.model_summaries.keep("testdesk", number, summary)
        run = Task(desk="testdesk", number=number, resolution=resolution)
        assert archive(at.storage, at.archive_buckets, run, NOON)
    facts = facts_of(at.storage.tickets.history("testdesk", number), playbook, NOON)
    if contact == CONTACT:
        facts = [replace(fact, product="KFR-35", usage=("lambda~1",)) for fact in facts]
    FactStore(at.s3, at.mail_bucket).write(playbook, facts, NOON)
    for entry in filter(None, map(entry_of, at.storage.tickets.history("testdesk", number))):
        at.storage.journal.write("testdesk", entry, NOON)


def stored(at: Archive) -> str:
    """Return all items and objects with their keys, names and versions as one text."""
    return repr([*items(at), *objects(at)])


def items(at: Archive) -> list[Any]:
    return list(at.storage.table.client.scan(TableName=TABLE)["Items"])


def objects(at: Archive) -> list[tuple[str, str]]:
    found = []
    for bucket in (MAIL_BUCKET, ARCHIVE):
        for item in at.s3.list_object_versions(Bucket=bucket).get("Versions", []):
            where: Any = {"Bucket": bucket, "Key": item["Key"], "VersionId": item["VersionId"]}
            body = at.s3.get_object(**where)["Body"].read()
            if item["Key"].startswith(FACTS):
                body = gzip.decompress(body)
            if item["Key"].startswith(FOLDER):
                body = "\n".join(shown(each.text) for each in Segment.from_bytes(body)).encode()
            # An item holds the bytes of a text; the document the text itself.
            found.append((item["Key"], body.decode()))
    return found


def left(at: Archive) -> list[str]:
    """Return the secrets that are stored somewhere, as text or as bytes."""
    everything = stored(at).casefold()
    return [
        x
        for x in SECRETS
        if x.casefold() in everything or repr(x.encode())[2:-1].casefold() in everything
    ]


def figures(at: Archive) -> Counter[Any]:
    """Return the figures of the reports: types, tags, statuses, scores, times, events, parts,
    deliveries.
    """
    found: Counter[Any] = Counter()
    for number in ("CS1", "CS2", "CS3"):
        ticket = at.storage.tickets.load("testdesk", number)
        found[(ticket.type, ticket.tags, ticket.priority, ticket.channel)] += 1
        found[(ticket.status, ticket.score, ticket.team, ticket.handler)] += 1
        found[(ticket.received_at, ticket.resolved_at, ticket.first_response_at)] += 1
        found[(ticket.resolutions, ticket.customer.customer_class)] += 1
        for commit in at.storage.tickets.history("testdesk", number):
            for event in commit.events:
                if event.event == "PersonErased":
                    continue
                parts = getattr(event, "fields", {}).get("parts")
                score = getattr(event, "score", None)
                files = len(getattr(event, "attachments", ()))
                found[(event.event, commit.at, commit.actor, score, parts, files)] += 1
        for delivery in at.storage.deliveries.list("testdesk", number):
            found[(delivery.state, delivery.channel, delivery.message)] += 1
    return found


def erased_entries(at: Archive, number: str) -> list[tuple[str, str]]:
    return [
        (commit.actor, event.reason)
        for commit in at.storage.tickets.history("testdesk", number)
        for event in commit.of(e.PersonErased)
    ]


def tags(at: Archive, number: str) -> list[dict[str, str]]:
    key = f"archive/testdesk/2026/{number}.json"
    versions = at.s3.list_object_versions(Bucket=ARCHIVE, Prefix=key).get("Versions", [])
    return [
        {
            tag["Key"]: tag["Value"]
            for tag in at.s3.get_object_tagging(
                Bucket=ARCHIVE, Key=key, VersionId=version["VersionId"]
            )["TagSet"]
        }
        for version in versions
    ]


class TestHold:
    """A hold keeps a record beyond its retention period."""

    def test_hold_and_release_tag_every_version(self, at: Archive) -> None:
        """Lifecycle rules apply to versions that are not held."""
        assert tags(at, "CS1") == [{"retention-years": "5", "hold": "false"}] * 2
        ticket = hold(at, "testdesk", "CS1", held=True, reason="lawsuit", actor="admin", now=SOON)
        assert ticket.held
        assert tags(at, "CS1") == [{"retention-years": "5", "hold": "true"}] * 2
        assert tags(at, "CS2")[0]["hold"] == "false"
        hold(at, "testdesk", "CS1", held=False, reason="settled", actor="admin", now=SOON)
        assert tags(at, "CS1") == [{"retention-years": "5", "hold": "false"}] * 2
        said = [
            (commit.actor, event.held, event.reason)
            for commit in at.storage.tickets.history("testdesk", "CS1")
            for event in commit.of(e.HoldSet)
        ]
        assert said == [("admin", True, "lawsuit"), ("admin", False, "settled")]

    @pytest.mark.requirement("B10", "D10")
    def test_a_ticket_s_files_are_held_and_released_with_it(self, at: Archive) -> None:
        for held in (True, False):
            hold(at, "testdesk", "CS1", held=held, reason="x", actor="admin", now=SOON)
            found = at.s3.get_object_tagging(Bucket=MAIL_BUCKET, Key=f"{PHOTO}-CS1")["TagSet"]
            assert {tag["Key"]: tag["Value"] for tag in found} == tags(at, "CS1")[0]
            assert tags(at, "CS1")[0]["hold"] == str(held).lower()

    def test_a_repeated_hold_tags_again_without_another_event(self, at: Archive) -> None:
        """After an interruption between commit and tag."""
        for _ in range(2):
            hold(at, "testdesk", "CS1", held=True, reason="x", actor="admin", now=SOON)
        entries = [k for k in at.storage.tickets.history("testdesk", "CS1") if k.of(e.HoldSet)]
        assert len(entries) == 1
        key = "archive/testdesk/2026/CS1.json"
        at.s3.delete_object_tagging(Bucket=ARCHIVE, Key=key)
        hold(at, "testdesk", "CS1", held=True, reason="x", actor="admin", now=SOON)
        assert [tag["hold"] for tag in tags(at, "CS1")] == ["true"] * 2

    def test_a_ticket_archived_while_held_is_held(self, at: Archive, repairs: Playbook) -> None:
        hold(at, "testdesk", "CS1", held=True, reason="x", actor="admin", now=SOON)
        write_document(
            at.storage, at.archive_buckets, at.storage.tickets.load("testdesk", "CS1"), repairs
        )
        assert [tag["hold"] for tag in tags(at, "CS1")] == ["true"] * 3

    def test_a_hold_during_the_archive_s_write_is_noticed(
        self, at: Archive, repairs: Playbook
    ) -> None:
        """The archive reads the ticket again after writing and is retried."""
        before = at.storage.tickets.load("testdesk", "CS1")
        hold(at, "testdesk", "CS1", held=True, reason="x", actor="admin", now=SOON)
        stale = before.model_copy(update={"version": before.version + 1})
        with pytest.raises(TryAgain, match="meanwhile"):
            write_document(at.storage, at.archive_buckets, stale, repairs)

    def test_an_unknown_ticket_cannot_be_held(self, at: Archive) -> None:
        with pytest.raises(NotFound):
            hold(at, "testdesk", "CS9", held=True, reason="x", actor="admin", now=SOON)


class TestErase:
    """Erasure of a person; statistics and an entry remain."""

    def test_the_console_reports_which_tickets_it_erased(
        self, at: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Silence would read as done, though a letter may misspell the address."""
        monkeypatch.setattr("infra.console.retention.records_of", lambda stage: at)
        told = ["--contact", "nobody@example.com", "--reason", "asked", "--stage", "test"]
        done = CliRunner().invoke(app, ["ticket", "erase", "testdesk", *told])
        assert (done.exit_code, done.output) == (0, "this contact has no tickets\n")
        done = CliRunner().invoke(
            app, ["ticket", "erase", "testdesk", "--number", "CS1", *told[2:]]
        )
        assert (done.exit_code, done.output) == (0, "CS1: erased\n")

    @pytest.mark.slow
    def test_erasure_leaves_no_personal_data(self, at: Archive) -> None:
        """In no item, object or version; the figures are unchanged."""
        before = figures(at)
        assert left(at) == list(SECRETS)
        found = erase(at, "testdesk", contact=" LI.Example@Example.com ", **ERASURE)
        assert (sorted(found.numbers), found.held) == (["CS1", "CS2"], ())
        assert left(at) == []
        assert figures(at) == before
        for number in found.numbers:
            assert erased_entries(at, number) == [("admin", "asked by letter")]
            assert at.storage.tickets.first_commit("testdesk", number).sealed is None
        assert at.storage.contacts.tickets("testdesk", digest(CONTACT)) == []
        assert not [item for item in items(at) if digest(CONTACT) in repr(item)]

    @pytest.mark.requirement("B10", "G6")
    def test_what_weekly_reports_quote_of_a_customer_is_erased(self, at: Archive) -> None:
        reports, week = StoredReports(at.s3, at.mail_bucket), Period.parse("weekly", "2026-W10")
        quoted = [
            {"phrasings": [{"text": "发票-99", "from": "CS1"}, {"text": "how", "from": "CS3"}]}
        ]
        reports.put(week, cast("Any", {"desk": "testdesk", "questions": quoted}), {})
        erase(at, "testdesk", number="CS1", **ERASURE)
        left = reports.get("testdesk", week)["questions"]
        assert [each["phrasings"] for each in left] == [[{"text": "how", "from": "CS3"}]]
        kept = at.s3.list_object_versions(Bucket=at.mail_bucket, Prefix="reports/")["Versions"]
        assert Counter(version["Key"] for version in kept).most_common(1)[0][1] == 1

    @pytest.mark.slow
    def test_the_archive_document_records_the_erasure(self, at: Archive) -> None:
        """It has one version, with the entry and the figures."""
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        [document] = [body for key, body in objects(at) if key.endswith("/CS1.json")]
        assert '"PersonErased"' in document
        assert "asked by letter" in document
        assert '"score": 2' in document
        assert "压缩机" in document
        assert tags(at, "CS1") == [{"retention-years": "5", "hold": "false"}]

    @pytest.mark.slow
    def test_erasure_leaves_other_customers_data_alone(self, at: Archive) -> None:
        before = [item for item in items(at) if "CS3" in repr(item)]
        files = [found for found in objects(at) if "CS3" in found[0]]
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        assert [item for item in items(at) if "CS3" in repr(item)] == before
        assert [found for found in objects(at) if "CS3" in found[0]] == files

    @pytest.mark.slow
    def test_a_person_is_found_by_a_ticket_s_number(self, at: Archive) -> None:
        found = erase(at, "testdesk", number="CS1", **ERASURE)
        assert found.numbers == ("CS1",)
        assert not at.storage.tickets.load("testdesk", "CS2").erased
        own = [item for item in items(at) if "CS1" in item["pk"]["S"]]
        assert not [secret for secret in SECRETS if secret in repr(own)]
        # The other ticket still tells whose it is, so what is known of the contact stays.
        assert at.storage.contacts.known("testdesk", None, digest(CONTACT)).customer_class == "vip"
        erase(at, "testdesk", number="CS2", **ERASURE)
        assert at.storage.contacts.known("testdesk", None, digest(CONTACT)).customer_class is None
        assert left(at) == []

    @pytest.mark.slow
    def test_the_facts_stay_but_for_the_product(self, at: Archive) -> None:
        """And so does what the ticket's changes used."""
        facts = FactStore(at.s3, at.mail_bucket)
        before = facts.read("testdesk", NOON.date())
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        after = facts.read("testdesk", NOON.date())
        assert {fact.product for fact in before} == {"KFR-35", ""}
        assert [replace(fact, product="", written=0) for fact in before] == [
            replace(fact, written=0) for fact in after
        ]

    @pytest.mark.slow
    def test_a_repeated_erasure_changes_nothing(self, at: Archive) -> None:
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        first = left(at), figures(at), [key for key, _ in objects(at)]
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        for number in ("CS1", "CS2"):
            erase(at, "testdesk", number=number, **ERASURE)
        assert (left(at), figures(at), [key for key, _ in objects(at)]) == first
        assert [len(erased_entries(at, number)) for number in ("CS1", "CS2")] == [1, 1]

    @pytest.mark.slow
    @pytest.mark.requirement("G4")
    def test_the_reason_for_an_erasure_is_masked(self, at: Archive) -> None:
        told = {**ERASURE, "reason": "mail of li.example@example.com"}
        erase(at, "testdesk", contact=CONTACT, **told)
        assert left(at) == []

    @pytest.mark.slow
    @pytest.mark.parametrize("by", ["contact", "number"])
    def test_an_erasure_interrupted_anywhere_is_completed_by_the_next_run(
        self, at: Archive, by: str
    ) -> None:
        """Each run ends a few calls later than the one before."""
        wanted: dict[str, Any] = {"contact": CONTACT} if by == "contact" else {"number": "CS1"}
        before = figures(at)
        steps, interrupted = 0, 0
        while True:
            budget = [steps]
            storage = Storage.on(cast("Any", Counting(at.storage.table.client, budget)), TABLE)
            s3 = cast("S3Client", Counting(at.s3, budget))
            try:
                erase(replace(at, storage=storage, s3=s3), "testdesk", **wanted, **ERASURE)
            except Interrupted:
                interrupted += 1
                steps = (steps + 1) % 11
                continue
            break
        assert interrupted >= 5
        assert figures(at) == before
        assert len(erased_entries(at, "CS1")) == 1
        if by == "contact":
            assert left(at) == []
            assert not [item for item in items(at) if item["sk"]["S"] == "ERASURE"]
        else:
            own = [repr(x) for x in (*items(at), *objects(at)) if "CS1" in repr(x)]
            assert not [secret for secret in SECRETS if secret in "".join(own)]

    @pytest.mark.slow
    def test_held_tickets_are_not_erased(self, at: Archive) -> None:
        """After the release they are."""
        hold(at, "testdesk", "CS1", held=True, reason="lawsuit", actor="admin", now=SOON)
        found = erase(at, "testdesk", contact=CONTACT, **ERASURE)
        assert (found.numbers, found.held) == (("CS2",), ("CS1",))
        assert left(at) == list(SECRETS)
        assert at.storage.contacts.known("testdesk", None, digest(CONTACT)).customer_class == "vip"
        with pytest.raises(ActionNotAllowed):
            erase(at, "testdesk", number="CS1", **ERASURE)
        hold(at, "testdesk", "CS1", held=False, reason="settled", actor="admin", now=SOON)
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        assert left(at) == []

    @pytest.mark.slow
    def test_erasing_a_ticket_without_a_document_creates_none(
        self, at: Archive, repairs: Playbook
    ) -> None:
        customer = Customer(name="李样本", contact=CONTACT, kind="email", hash=digest(CONTACT))
        received = request(customer=customer, description=TEXT)
        events = decide(None, c.Receive("CS4", received), repairs, NOON)
        after = apply(None, committed(None, events, NOON, "CS4"))
        opened = Change(None, after, events, "1", sealed=b"x")
        at.storage.tickets.commit_all((opened,), actor="customer")
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        assert left(at) == []
        assert at.storage.tickets.load("testdesk", "CS4").status == "received"
        assert not [key for key, _ in objects(at) if "CS4" in key]

    def test_a_document_written_during_the_erasure_is_erased(
        self, at: Archive, repairs: Playbook
    ) -> None:
        """The archive had read the ticket before."""
        before = at.storage.tickets.load("testdesk", "CS1")
        stale = before.model_copy(update={"version": before.version + 1})
        at.storage.playbooks.cache.clear()
        change(at.storage, "testdesk", "CS1", c.ErasePerson("x"), repairs, SOON, actor="admin")
        versions = len(tags(at, "CS1"))
        with pytest.raises(TryAgain):
            write_document(at.storage, at.archive_buckets, stale, repairs)
        assert len(tags(at, "CS1")) == versions

    @pytest.mark.slow
    @pytest.mark.requirement("E11")
    @pytest.mark.parametrize(
        "under_way", [{"state": "claimed"}, {"covers": ("000001#handler_told#handler",)}]
    )
    def test_an_erasure_during_a_delivery_has_to_be_repeated(
        self, at: Archive, under_way: dict[str, Any]
    ) -> None:
        """The delivery may still store its text."""
        [sent] = [
            d for d in at.storage.deliveries.list("testdesk", "CS1") if d.recipient == "customer"
        ]
        claimed = sent.model_copy(update={"claimed_at": SOON, **under_way})
        assert at.storage.deliveries.move(claimed, "sent")
        with pytest.raises(TryAgain, match="is being sent"):
            erase(at, "testdesk", contact=CONTACT, **ERASURE)
        assert at.storage.deliveries.move(sent, claimed.state)  # with its words
        assert left(at)
        erase(at, "testdesk", contact=CONTACT, **ERASURE)
        assert left(at) == []

    def test_an_unknown_contact_erases_nothing(self, at: Archive) -> None:
        found = erase(at, "testdesk", contact="nobody@example.com", **ERASURE)
        assert found.numbers == ()

    @pytest.mark.parametrize(
        "who", [{}, {"number": "CS1", "contact": CONTACT}, {"contact": "nobody"}]
    )
    def test_erasure_needs_either_a_contact_or_a_number(self, at: Archive, who: Any) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - any wording
            erase(at, "testdesk", **who, **ERASURE)
        with pytest.raises(NotFound):
            erase(at, "testdesk", number="CS9", **ERASURE)


def test_records_are_found_by_the_stage_s_name(at: Archive) -> None:
    found = records_of("test")
    assert (found.mail_bucket, found.archive_bucket) == (MAIL_BUCKET, ARCHIVE)
    assert found.storage.tickets.load("testdesk", "CS1").number == "CS1"


@pytest.mark.requirement("B10", "H3")
def test_an_erasure_deletes_the_drafts_of_all_agents_on_the_ticket(at: Archive) -> None:
    """Sealed as they are: nobody can open them any more, and the sweep sends none."""
    draft = Draft(desk="testdesk", number="CS1", agent="agent-1", text=TEXT, saved_at=NOON)
    outgoing = Outgoing(id="x", action="reply", text=TEXT, seen=1, send_at=SOON)
    for number in ("CS1", "CS3"):
        for username, waiting in (("agent-1", None), ("agent-2", outgoing)):
            given = {"number": number, "agent": username, "outgoing": waiting}
            at.storage.drafts.put(draft.changed(**given), ROOT, NOON)
    erase(at, "testdesk", number="CS1", **ERASURE)
    kept = {item["pk"]["S"] for item in items(at) if item["sk"]["S"].startswith("DRAFT#")}
    assert kept == {"TICKET#testdesk#CS3"}
    due = [each for shard in range(4) for each in at.storage.tickets.due(shard, SOON)]
    assert [each.pk for each in due if each.sk.startswith("DRAFT#")] == ["TICKET#testdesk#CS3"]
