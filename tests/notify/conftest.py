"""What the tests of notify share: the desk `standard` and a deployment in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from functions.core.domain.rules import Playbook, load
from functions.core.platform import aws, container
from functions.core.storage.store import Store
from functions.notify.deliver import once
from functions.notify.dispatch import Ways
from functions.notify.handler import _ways
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.notify.deployment import AGENT, NOON, PLACE, REGION, Post, World, make_services

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "standard.yaml"
KEPT = (aws.client, aws.parameter, aws.of_this_minute, container.store, once.client)


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """The desk `standard` as it is delivered."""
    return load(PLAYBOOK)


def _deployment(playbook: Playbook) -> None:
    make_services()
    store = Store(aws.dynamodb(), PLACE.table)
    store.put_playbook(playbook, NOON)
    store.put_agent(AGENT)


@pytest.fixture
def world(playbook: Playbook) -> Iterator[World]:
    """A deployment on moto, with nothing kept from the test before."""
    for cached in KEPT:
        cached.cache_clear()
    with aws_in_memory(REGION):
        restore_or_make(("notify", playbook.model_dump_json()), lambda: _deployment(playbook))
        yield World(Store(aws.dynamodb(), PLACE.table), playbook)
    for cached in KEPT:
        cached.cache_clear()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def ways(world: World, post: Post) -> Ways:
    """The room on moto's table and KMS, with providers that do as they are told."""
    return replace(
        _ways(PLACE),
        store=world.store,
        send_mail=post.mail,
        send_sms=post.sms,
        announce=post.announce,
    )
