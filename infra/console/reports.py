"""Make the facts that reports count again from the table (`deskbell reports rebuild`)."""

from datetime import UTC, datetime
from itertools import islice

import boto3

from functions.core.domain.rules import Playbook
from functions.core.reports.facts import facts_of
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from infra.console.search import numbers
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of

AT_ONCE = 500
"""The tickets whose facts are written together; their numbers are near, and so are their days."""


def rebuild(stage: str, desk: str) -> int:
    """Make all facts of a desk's tickets again; return how many.

    Raises:
        NotFound: there is no such desk.
        TryAgain: something else rewrites the facts of a day; run it again.
    """
    storage = storage_of(stage)
    playbook = storage.playbooks.get(desk, datetime.now(UTC))
    return rebuild_facts(storage, facts_of_stage(stage), playbook)


def facts_of_stage(stage: str) -> FactStore:
    return FactStore(boto3.client("s3"), deployment_of(stage).mail_bucket)


def rebuild_facts(storage: Storage, store: FactStore, playbook: Playbook) -> int:
    """Write the facts of every ticket again, and leave one object for each day.

    What the tickets' changes used is kept from the facts before.
    """
    desk, made = playbook.desk, 0
    left = iter(sorted(numbers(storage, desk)))
    while some := list(islice(left, AT_ONCE)):
        now = datetime.now(UTC)  # before the reading, so that what a later run writes counts
        histories = (storage.tickets.history(desk, number) for number in some)
        facts = [fact for history in histories for fact in facts_of(history, playbook, now)]
        store.write(playbook, facts, now)
        made += len(facts)
    for day in list(store.days(desk)):
        store.compact(playbook, day, datetime.now(UTC))
    return made
