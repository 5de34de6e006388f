"""Shared fixtures of the notify tests: the desk `standard` and a deployment in memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from functions.core.deliver import once
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.playbook import load
from functions.core.storage.database import Storage
from functions.notify.dispatch import Dispatcher
from functions.notify.wiring import dispatcher as notify_dispatcher
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.notify.deployment import (
    AGENT,
    DEPLOYMENT,
    NOON,
    REGION,
    Harness,
    Providers,
    make_services,
)

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "standard.yaml"
KEPT = (aws.client, aws.parameter, aws.parameter_of_minute, container.storage, once.client)


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """Return the playbook of the desk `standard`."""
    return load(PLAYBOOK)


def _deployment(playbook: Playbook) -> None:
    make_services()
    storage = Storage.on(aws.dynamodb(), DEPLOYMENT.table)
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(AGENT)


@pytest.fixture
def harness(playbook: Playbook) -> Iterator[Harness]:
    """A deployment on moto, with nothing kept from the test before."""
    for cached in KEPT:
        cached.cache_clear()
    with aws_in_memory(REGION):
        restore_or_make(("notify", playbook.model_dump_json()), lambda: _deployment(playbook))
        yield Harness(Storage.on(aws.dynamodb(), DEPLOYMENT.table), playbook)
    for cached in KEPT:
        cached.cache_clear()


@pytest.fixture
def providers() -> Providers:
    return Providers()


@pytest.fixture
def dispatcher(harness: Harness, providers: Providers) -> Dispatcher:
    """The dispatcher on moto's table and KMS, with simulated providers."""
    real = notify_dispatcher(DEPLOYMENT)
    return replace(
        real,
        storage=harness.storage,
        now=NOON,
        sender=replace(real.sender, send_mail=providers.mail, send_sms=providers.sms),
        enqueue_dead_letter=providers.enqueue_dead_letter,
    )
