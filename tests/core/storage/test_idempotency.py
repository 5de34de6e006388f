"""Idempotency records: a repeated request finds its first ticket."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from functions.core.domain.errors import NotFound
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from tests.core.sample_desk import NOON
from tests.core.storage.samples import file_with

pytestmark = pytest.mark.requirement("G1")
RECORD = IdempotencyRecord("testdesk", "form", "order-42")


def test_a_repeated_request_returns_the_first_ticket(storage: Storage, playbook: Playbook) -> None:
    idempotency = IdempotencyRecord("testdesk", "webhook", "msg_1", body="digest")
    file_with(storage, playbook, "CS1", idempotency=idempotency)
    with pytest.raises(Duplicate) as duplicate:
        file_with(storage, playbook, "CS2", idempotency=idempotency)
    found = duplicate.value.record
    assert found is not None
    assert (found.number, found.body) == ("CS1", "digest")
    with pytest.raises(NotFound):
        storage.tickets.load("testdesk", "CS2")
    assert storage.contacts.known("testdesk", idempotency, "h1").idempotency == found
    other = IdempotencyRecord("testdesk", "webhook", "msg_2")
    assert storage.contacts.known("testdesk", other, "h1").idempotency is None
    assert storage.idempotency.get(other) is None


def test_twenty_concurrent_repetitions_make_one_ticket(
    storage: Storage, playbook: Playbook
) -> None:
    def send(index: int) -> bool:
        try:
            file_with(storage, playbook, f"CS{index}", idempotency=RECORD)
        except Duplicate:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(20))) == 1


def test_a_record_is_kept_for_the_given_time(storage: Storage) -> None:
    assert storage.idempotency.put_once(RECORD, NOON, timedelta(days=2))
    assert not storage.idempotency.put_once(RECORD, NOON, timedelta(days=2))
    found = storage.table.get(RECORD.pk, "SEEN", consistent=True)
    assert found is not None
    assert int(found["expires_at"]["N"]) == int((NOON + timedelta(days=2)).timestamp())


def test_keys_are_separate_per_desk_and_channel(storage: Storage) -> None:
    assert storage.idempotency.put_once(RECORD, NOON, timedelta(days=2))
    for other in (
        IdempotencyRecord("other", "form", RECORD.id),
        IdempotencyRecord("testdesk", "mail", RECORD.id),
    ):
        assert storage.idempotency.put_once(other, NOON, timedelta(days=2))


def test_the_first_known_reference_wins(storage: Storage) -> None:
    """A mail that refers to two earlier ones joins the ticket of the nearer."""
    for number in ("CS1", "CS2"):
        idempotency = IdempotencyRecord("testdesk", "mail", f"<{number}@a>", number=number)
        assert storage.idempotency.put_once(idempotency, NOON, timedelta(days=2))
    asked = [
        IdempotencyRecord("testdesk", "mail", f"<{number}@a>") for number in ("CS9", "CS2", "CS1")
    ]
    found = storage.idempotency.get_first(asked)
    assert found is not None
    assert found.number == "CS2"
