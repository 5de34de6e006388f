"""Carry out `deskbell reports`: show reports, compare figures, make facts again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice

import boto3

from functions.core.platform.athena import Athena
from functions.core.reports.facts import facts_of
from functions.core.reports.periods import Period
from functions.core.reports.report import BehindView, ComparisonView, ReportView
from functions.core.storage.facts import FactStore
from functions.core.storage.reports import StoredReports
from functions.reports import reporting
from infra.console.errors import UsageError
from infra.console.parallel import in_order
from infra.console.search import numbers
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of

AT_ONCE = 500
"""The tickets whose facts are written together; their numbers are near, and so are their days."""


def rebuild(stage: str, desk: str) -> int:
    """Write the facts of every ticket of a desk again, one object for each day; return how many.

    What the tickets' changes used is kept from the facts before; facts of tickets or changes that
    the table does not have, since it was restored, are gone afterwards.

    Raises:
        NotFound: there is no such desk.
        TryAgain: something else rewrites the facts of a day; run it again.
    """
    storage, began, made = storage_of(stage), datetime.now(UTC), 0
    playbook = storage.playbooks.get(desk, began)
    store = facts_of_stage(stage)
    left = iter(sorted(numbers(storage, desk)))
    while some := list(islice(left, AT_ONCE)):
        now = datetime.now(UTC)  # before the reading, so that what a later run writes counts
        histories = in_order(partial(storage.tickets.history, desk), some)
        facts = [fact for _, read in histories for fact in facts_of(read.result(), playbook, now)]
        store.write(playbook, facts, now)
        made += len(facts)
    for day in list(store.days(desk)):
        store.compact(playbook, day, datetime.now(UTC), began)
    return made


def facts_of_stage(stage: str) -> FactStore:
    return FactStore(boto3.client("s3"), deployment_of(stage).mail_bucket)


def get(stage: str, desk: str, kind: str, period: str) -> ReportView:
    """Return a report.

    Raises:
        InvalidInput: there is no such kind or period.
        NotFound: the report has not been written.
    """
    return _stored(stage).get(desk, Period.parse(kind, period))


def behind(stage: str, desk: str, kind: str, period: str, figure: str) -> Iterator[BehindView]:
    """Yield the rows behind a figure, of all pages.

    Raises:
        InvalidInput: there is no such kind or period, or no rows behind such a figure.
        NotFound: the report has not been written.
    """
    stored, cursor = _stored(stage), None
    while True:
        page = stored.page(desk, Period.parse(kind, period), figure, cursor)
        yield from page["tickets"]
        cursor = page["cursor"]
        if cursor is None:
            return


def lines(report: ReportView) -> list[tuple[str, str, str]]:
    """Return the figures of a report as figure, part and value."""
    return [
        (name, part, value)
        for name, figure in report["figures"].items()
        for part, value in _parts("", figure)
    ]


def _parts(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _parts(f"{name}.{index}", inner)
    else:
        yield name, _written(value)


def day_of(text: str) -> date:
    """Read a day.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"use a day such as 2026-11-28, not '{text}'") from error


def compare(stage: str, desk: str, day: date, days: int) -> ComparisonView:
    """Compare the figures of as many days before and after a date, in the desk's zone and language.

    Raises:
        NotFound: there is no such desk.
    """
    playbook = storage_of(stage).playbooks.get(desk, datetime.now(UTC))
    return reporting.compare(Athena(deployment_of(stage)), playbook, day, days, playbook.locale)


def changes(found: ComparisonView) -> list[tuple[str, ...]]:
    """Return the lines of a comparison."""
    return [
        (
            each["label"],
            _written(each["before"]),
            _written(each["after"]),
            "" if each["change"] is None else f"{each['change']:+.1%}",
            str(each["n_before"]),
            str(each["n_after"]),
        )
        for each in found["figures"]
    ]


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 100 else f"{value:.0f}"
    return "" if value is None else str(value)


def _stored(stage: str) -> StoredReports:
    return StoredReports(boto3.client("s3"), deployment_of(stage).mail_bucket)
