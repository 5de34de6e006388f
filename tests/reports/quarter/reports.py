"""The product's reports of a simulated quarter: its facts in DuckDB, its objects in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import duckdb
from botocore.exceptions import ClientError

from functions.core.domain.journal import ChatEnd, JournalEntry
from functions.core.domain.rules import Playbook
from functions.core.reports.columns import COLUMNS, Fact
from functions.core.reports.facts import chat_fact, facts_of, presence_fact
from functions.core.reports.periods import Period
from functions.core.reports.report import ReportView
from functions.core.storage.reports import StoredReports
from functions.reports.reporting import Reporting
from tests.reports.duck import Duck
from tests.reports.quarter.generator import END, Quarter


class MemoryBucket:
    """The calls of an S3 client that stored reports make."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, Tagging: str = "") -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        return {"Body": BytesIO(self.objects[Key])}


class LoadedDuck:
    """Queries over facts that are read once from the lines that `Duck` writes."""

    def __init__(self, duck: Duck) -> None:
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS)
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute(
            "CREATE TABLE facts AS SELECT * FROM "
            f"read_csv('{duck.folder}/*/*/*.tsv', delim='\t', header=false, quote='', escape='', "
            f"columns={{{columns}}}, null_padding=true, hive_partitioning=true, "
            "hive_types={'desk': VARCHAR, 'day': VARCHAR})"
        )

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        for row in result.fetchall():
            yield {
                name: "" if value is None else str(value)
                for name, value in zip(names, row, strict=True)
            }


def facts(quarter: Quarter) -> Iterator[Fact]:
    """All facts of a quarter, as if each had been written when it was over."""
    for history in quarter.histories():
        yield from facts_of(history, quarter.playbook, END)
    for number, came in enumerate(quarter.presence):
        entry = JournalEntry(number=came.username, version=number, at=came.at, presence=came.online)
        yield presence_fact(entry, END)
    for chat in quarter.chats:
        end = ChatEnd(outcome=chat.outcome, channel=chat.channel)
        yield chat_fact(JournalEntry(number=chat.id, version=1, at=chat.at), end, END)


class Reports:
    """Writes the reports of a quarter, each twenty minutes after its period."""

    def __init__(self, quarter: Quarter, duck: Duck) -> None:
        duck.write([*facts(quarter)])
        self.quarter, self.athena = quarter, LoadedDuck(duck)
        bucket: Any = MemoryBucket()
        self.stored = StoredReports(bucket, "mail")

    @property
    def playbook(self) -> Playbook:
        return self.quarter.playbook

    def write(self, kind: str, name: str) -> ReportView:
        period = Period.parse(kind, name)
        now = period.end(self.playbook.zone) + timedelta(minutes=20)
        storage, desk = self.quarter.storage, self.playbook.desk
        writing = Reporting(storage, self.stored, self.athena, self.playbook, desk, now)
        return writing.write(period)
