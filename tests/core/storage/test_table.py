"""Table calls: a throttled call raises TryAgain, and nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.domain.errors import TryAgain
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.core.storage.table import Table, parse_stamp, stamp
from tests.core.sample_desk import NOON, SHANGHAI, TABLE, agent, file_ticket
from tests.core.storage.samples import delivery

pytestmark = pytest.mark.requirement("G3")


class Refusing:
    """A client whose calls fail a number of times before they reach the table."""

    def __init__(self, client: Any, error: ClientError, times: int) -> None:
        self.client, self.error, self.times = client, error, times
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls += 1
            if self.calls <= self.times:
                raise self.error
            return getattr(self.client, name)(**arguments)

        return call


def failing(code: str, reasons: list[str] | None = None) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "…"}}
    if reasons is not None:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(answer, "TransactWriteItems")


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_throttled_call_raises_try_again(dynamodb: Any, playbook: Playbook, code: str) -> None:
    storage = Storage.on(Refusing(dynamodb, failing(code), 10**6), TABLE)  # type: ignore[arg-type]
    calls: list[Any] = [
        lambda: storage.tickets.load("testdesk", "CS1"),
        lambda: file_ticket(storage, playbook, "CS1"),
        lambda: storage.tickets.history("testdesk", "CS1"),
        lambda: storage.tickets.next_serial("testdesk", "p"),
        lambda: storage.tickets.queue_page(["testdesk#new"]),
        lambda: list(storage.tickets.due(0, NOON)),
        lambda: storage.playbooks.get("testdesk", NOON),
        lambda: storage.roster.put(agent()),
        lambda: storage.roster.set_presence("testdesk", "agent-1", online=True),
        lambda: storage.closing_tokens.put("testdesk", "CS1", "survey", "t", 1),
    ]
    for call in calls:
        with pytest.raises(TryAgain):
            call()


def test_another_error_is_raised_as_it_is(dynamodb: Any, playbook: Playbook) -> None:
    error = failing("AccessDeniedException")
    storage = Storage.on(Refusing(dynamodb, error, 9), TABLE)  # type: ignore[arg-type]
    calls: list[Any] = [
        lambda: storage.tickets.load("testdesk", "CS1"),
        lambda: storage.roster.set_presence("testdesk", "agent-1", online=True),
        lambda: file_ticket(storage, playbook, "CS1"),
        lambda: storage.deliveries.claim(delivery()),
    ]
    for call in calls:
        with pytest.raises(ClientError):
            call()


def test_a_transaction_that_conflicts_with_another_is_retried(
    dynamodb: Any, playbook: Playbook
) -> None:
    error = failing("TransactionCanceledException", ["TransactionConflict", "None"])
    client = Refusing(dynamodb, error, 2)
    file_ticket(Storage.on(client, TABLE), playbook, "CS1")  # type: ignore[arg-type]
    assert client.calls == 3


def test_a_transaction_that_keeps_conflicting_raises_try_again(
    dynamodb: Any, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.core.storage.table.time.sleep", lambda seconds: None)
    error = failing("TransactionCanceledException", ["None", "ThrottlingError"])
    storage = Storage.on(Refusing(dynamodb, error, 10**6), TABLE)  # type: ignore[arg-type]
    with pytest.raises(TryAgain, match="ThrottlingError"):
        file_ticket(storage, playbook, "CS1")


def test_a_cancelled_transaction_without_reasons_raises_try_again(
    dynamodb: Any, playbook: Playbook
) -> None:
    error = failing("TransactionCanceledException")
    storage = Storage.on(Refusing(dynamodb, error, 9), TABLE)  # type: ignore[arg-type]
    with pytest.raises(TryAgain):
        file_ticket(storage, playbook, "CS1")


def test_unprocessed_keys_are_read_again(storage: Storage, playbook: Playbook) -> None:
    """UnprocessedKeys of BatchGetItem that stay unread raise TryAgain."""
    for index in range(3):
        file_ticket(storage, playbook, f"CS{index}")
    batch = storage.table.client.batch_get_item
    answers = 0

    def half(**arguments: Any) -> Any:
        nonlocal answers
        answers += 1
        request = arguments["RequestItems"][storage.table.name]
        first, rest = request["Keys"][:1], request["Keys"][1:]
        part: Any = {storage.table.name: {**request, "Keys": first}}
        answer: Any = batch(RequestItems=part)
        if rest:
            answer["UnprocessedKeys"] = {storage.table.name: {**request, "Keys": rest}}
        return answer

    storage.table.client.batch_get_item = half  # type: ignore[method-assign]
    tickets = storage.tickets.load_many("testdesk", ["CS0", "CS1", "CS2"])
    assert sorted(ticket.number for ticket in tickets) == ["CS0", "CS1", "CS2"]
    assert answers == 3

    def none(**arguments: Any) -> Any:
        return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}

    storage.table.client.batch_get_item = none  # type: ignore[method-assign]
    with pytest.raises(TryAgain):
        storage.tickets.load_many("testdesk", ["CS0"])


def test_stored_times_sort_chronologically() -> None:
    early, late = NOON, NOON.astimezone(SHANGHAI) + timedelta(microseconds=1)
    assert stamp(early) < stamp(late)
    assert parse_stamp(stamp(late)) == late


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("", "x"),
        ("x", ""),
        ("x" * 2049, "x"),
        ("字" * 683, "x"),
        ("x", "x" * 1025),
        ("\ud800", "x"),
    ],
)
def test_a_key_that_no_item_can_have_is_not_looked_up(dynamodb: Any, pk: str, sk: str) -> None:
    """DynamoDB answers such a key with an error, the emulators with no item."""
    client: Any = Refusing(dynamodb, failing("ValidationException"), times=9)
    assert Table(client, TABLE).get(pk, sk) is None
    assert client.calls == 0


def test_the_longest_keys_are_looked_up(dynamodb: Any) -> None:
    client: Any = Refusing(dynamodb, failing("x"), times=0)
    assert Table(client, TABLE).get("x" * 2048, "x" * 1024) is None
    assert client.calls == 1
