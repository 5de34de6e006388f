"""A desk, its facts for DuckDB, and where reports are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from functions.core.domain.rules import Playbook
from functions.core.reports.columns import Fact
from functions.core.reports.periods import Period
from functions.core.reports.report import ReportView
from functions.core.storage.database import Storage
from functions.core.storage.reports import StoredReports
from functions.reports.reporting import Reporting
from tests.core.conftest import aws, client, dynamodb, playbook, storage
from tests.reports.buckets import Buckets
from tests.reports.duck import Duck
from tests.reports.histories import SHANGHAI, at

__all__ = ["aws", "client", "dynamodb", "playbook", "storage"]


@pytest.fixture
def reports() -> StoredReports:
    return StoredReports(cast("Any", Buckets()), "mail")


@pytest.fixture
def duck(tmp_path: Path) -> Duck:
    return Duck(tmp_path, "testdesk", SHANGHAI)


Report = Callable[..., ReportView]


@pytest.fixture
def report(storage: Storage, reports: StoredReports, duck: Duck, playbook: Playbook) -> Report:
    """Write facts, and the report of a period an hour after its end."""

    def write(kind: str, name: str, *histories: Iterable[Fact]) -> ReportView:
        duck.write([fact for history in histories for fact in history])
        period = Period.parse(kind, name)
        now = period.end(playbook.zone).replace(minute=20)
        return Reporting(storage, reports, duck, playbook, "testdesk", now).write(period)

    assert at("11-27 00:00").tzinfo is playbook.zone
    return write
