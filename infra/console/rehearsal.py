"""Rehearse a changed playbook on all of a desk's tickets of the last days (G15)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from functions.administration.playbooks import rehearsals
from functions.core.domain.rehearsal import Rehearsed
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from infra.console.errors import UsageError
from infra.console.search import numbers


def rehearse(
    storage: Storage, changed: Playbook, last: timedelta, now: datetime
) -> Iterator[Rehearsed]:
    """Yield the comparison of each ticket received within the `last` days, in no order.

    Raises:
        UsageError: the desk has no playbook in force.
    """
    desk = changed.desk
    if storage.playbooks.version(desk) is None:
        raise UsageError(f"the stage has no desk '{desk}', so there is nothing to compare with")
    current = storage.playbooks.get(desk, now)
    yield from rehearsals(storage, numbers(storage, desk, now - last), current, changed, now)
