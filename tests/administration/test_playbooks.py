"""The tickets that a page's rehearsal takes, and the people who may rehearse and apply."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.administration import acts
from functions.core.domain.acts import ActRequest, ActResult
from functions.core.domain.journal import entry_of
from functions.core.domain.roster import Role
from functions.core.platform.settings import Deployment
from functions.core.playbook import load
from functions.core.playbook.loader import dump_yaml
from functions.core.storage.database import Storage
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import DESK, NOON, agent, file_ticket, make_table
from tests.permissions import allows
from tests.written import Written, written

pytestmark = pytest.mark.requirement("G15", "H7")
DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")


@pytest.fixture
def storage() -> Iterator[Storage]:
    """A table with one desk."""
    import boto3

    with aws_in_memory():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_table(client)
        found = Storage.on(client, "deskbell-test")
        found.playbooks.put(load(DESK), NOON)
        yield found


def ask(storage: Storage, role: Role, act: str, **given: Any) -> ActResult:
    storage.roster.put(agent("somebody", role=role))
    return answered(storage, act, **given)


def answered(storage: Storage, act: str, **given: Any) -> ActResult:
    asked = ActRequest(
        act=f"playbooks.{act}", desk="testdesk", username="somebody", locale="en", given=given
    )
    return acts.answer(asked, DEPLOYMENT, storage, NOON)


def test_the_newest_openings_of_a_period_come_first_and_once(storage: Storage) -> None:
    """The journal has every commit, and a repeated record twice."""
    playbook = load(DESK)
    for days, number in ((3, "CS1"), (1, "CS3"), (2, "CS2"), (40, "CS0")):
        at = NOON - timedelta(days=days)
        file_ticket(storage, playbook, number, at)
        entry = entry_of(storage.tickets.history("testdesk", number)[0])
        assert entry is not None
        storage.journal.write("testdesk", entry, at)
        storage.journal.write("testdesk", entry, at + timedelta(minutes=1))
        later = entry.model_copy(update={"version": 2})
        storage.journal.write("testdesk", later, at + timedelta(hours=1))
    since = NOON - timedelta(days=30)
    assert storage.journal.openings("testdesk", since, NOON, 9) == ["CS3", "CS2", "CS1"]
    assert storage.journal.openings("testdesk", since, NOON, 2) == ["CS3", "CS2"]


@pytest.mark.parametrize(
    ("role", "rehearses", "applies"),
    [
        ("agent", False, False),
        ("qa", False, False),
        ("finance", False, False),
        ("supervisor", True, False),
        ("admin", True, True),
    ],
)
def test_each_act_has_its_roles(
    storage: Storage, role: Role, rehearses: bool, applies: bool
) -> None:
    text = dump_yaml(DESK | {"routing": [{"team": "general"}]})
    rehearsal = ask(storage, role, "rehearse", text=text, days=30)
    applied = ask(storage, role, "apply", text=text, replaces=1)
    assert (rehearsal.refusal is None, applied.refusal is None) == (rehearses, applies)
    assert storage.playbooks.version("testdesk") == (2 if applies else 1)
    for refusal in filter(None, (rehearsal.refusal, applied.refusal)):
        assert refusal.kind == "Forbidden"


def test_the_policy_allows_what_applying_writes(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.roster.put(agent("somebody", role="admin"))
    writes: list[Written] = []
    client = storage.table.client
    transact = client.transact_write_items

    def noted(**given: Any) -> Any:
        writes.extend(written("TransactWriteItems", given))
        return transact(**given)

    monkeypatch.setattr(client, "transact_write_items", noted)
    text = dump_yaml(DESK | {"routing": [{"team": "general"}]})
    assert answered(storage, "apply", text=text, replaces=1).refusal is None
    assert {write.key.partition("#")[0] for write in writes} == {"AUDIT", "DESK", "MAILBOX"}
    for write in writes:
        assert allows("administration", write.action, write.key, write.attributes), write


@pytest.mark.parametrize(("days", "found"), [(1, 1), (-9, 1), (30, 2), (400, 2)])
def test_a_rehearsal_has_a_period_of_a_day_to_a_month(
    storage: Storage, days: int, found: int
) -> None:
    for ago, number in ((0.5, "CS1"), (29, "CS2"), (33, "CS3")):
        at = NOON - timedelta(days=ago)
        file_ticket(storage, load(DESK), number, at)
        entry = entry_of(storage.tickets.history("testdesk", number)[0])
        assert entry is not None
        storage.journal.write("testdesk", entry, at)
    text = dump_yaml(DESK | {"routing": [{"team": "general"}]})
    result = ask(storage, "supervisor", "rehearse", text=text, days=days).result
    assert (result["found"], result["compared"]) == (found, found)


def test_the_file_is_checked_again(storage: Storage) -> None:
    """The caller of the function need not have gone through the page."""
    refused = ask(storage, "admin", "apply", text="desk: testdesk\n", replaces=1).refusal
    assert refused is not None
    assert refused.kind == "InvalidInput"
    assert "playbook:1: name: this key is missing" in refused.detail
    assert storage.playbooks.version("testdesk") == 1
