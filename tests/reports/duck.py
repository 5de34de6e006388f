"""Athena's place in tests: DuckDB over facts as they are written, partitioned by desk and day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from functions.core.reports.columns import COLUMNS, Fact


@dataclass(frozen=True)
class Duck:
    """Runs queries over the facts of one desk, put under the local day of each."""

    folder: Path
    desk: str
    zone: ZoneInfo
    loaded: dict[frozenset[Path], duckdb.DuckDBPyConnection] = field(default_factory=dict)
    """The files that are read, and the database that has read them."""

    def write(self, facts: Sequence[Fact]) -> None:
        """Write facts in one file for each day, beside those of earlier calls."""
        days: dict[str, list[Fact]] = {}
        for fact in facts:
            day = datetime.fromtimestamp(fact.happened, self.zone).date().isoformat()
            days.setdefault(day, []).append(fact)
        for day, found in days.items():
            folder = self.folder / f"desk={self.desk}" / f"day={day}"
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"{len(list(folder.iterdir())):04}.tsv"
            file.write_text("".join(f"{fact.line()}\n" for fact in found), "utf-8")

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        """Run a query; values are texts as in Athena's results, empty if there is none."""
        result = self._connection().execute(sql)
        names = [column[0] for column in result.description or ()]
        for row in result.fetchall():
            yield {
                name: "" if value is None else str(value)
                for name, value in zip(names, row, strict=True)
            }

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """Return a database that has read the files there are."""
        files = frozenset(self.folder.rglob("*.tsv"))
        if files not in self.loaded:
            self.loaded.clear()
            self.loaded[files] = self._load() if files else self._empty()
        return self.loaded[files]

    def _load(self) -> duckdb.DuckDBPyConnection:
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS)
        connection = duckdb.connect(config={"threads": 1})
        connection.execute(
            "CREATE TABLE facts AS SELECT * FROM "
            f"read_csv('{self.folder}/*/*/*.tsv', delim='\t', header=false, quote='', escape='', "
            f"columns={{{columns}}}, null_padding=true, hive_partitioning=true, "
            "hive_types={'desk': VARCHAR, 'day': VARCHAR})"
        )
        return connection

    def _empty(self) -> duckdb.DuckDBPyConnection:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
        connection = duckdb.connect(config={"threads": 1})
        connection.execute(f"CREATE TABLE facts ({columns}, desk VARCHAR, day VARCHAR)")
        return connection
