"""Shared fixtures of the storage tests: a ticket, and a table whose replica lags behind."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from tests.core.lagging_replica import Lagging
from tests.core.sample_desk import TABLE, agent, file_ticket


@pytest.fixture
def lagging(dynamodb: Any) -> Iterator[Lagging]:
    """A client whose eventually consistent reads come from a replica that lags behind."""
    client = Lagging(dynamodb)
    yield client
    client.close()


@pytest.fixture
def behind(lagging: Lagging) -> Storage:
    """The storage that the lagging client reads."""
    return Storage.on(cast("Any", lagging), TABLE)


@pytest.fixture
def ticket(storage: Storage, playbook: Playbook) -> Ticket:
    """CS1, and an agent who could take it."""
    storage.roster.put(agent())
    return file_ticket(storage, playbook, "CS1")
