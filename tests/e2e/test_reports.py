"""Facts on the running system: completed by the function, read through Athena."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.core.platform import aws
from functions.core.platform.athena import Athena, QueryFailed
from functions.core.platform.settings import Deployment
from functions.core.reports.facts import facts_of
from functions.core.reports.periods import Period
from functions.core.storage.facts import FactStore
from functions.reports.queries import Queries, TimeSpan
from tests.core.reports.sample_life import Life, desk_of_measures
from tests.core.sample_desk import NOON
from tests.e2e.running_system import System, wait_until
from tests.reports.duck import Duck

NEWEST = """
    WITH ordered AS (
        SELECT *,
            row_number() OVER (PARTITION BY kind, number, version ORDER BY written DESC) AS nth
        FROM facts WHERE desk = 'queried' AND day BETWEEN '2026-03-10' AND '2026-03-11'
    ), newest AS (SELECT * FROM ordered WHERE nth = 1)
"""


def of_newest(select: str) -> str:
    return " ".join((NEWEST, select))


@contextmanager
def athena_of(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Athena]:
    account = system.aws("sts").get_caller_identity()["Account"]
    monkeypatch.setattr(aws, "client", system.aws)
    yield Athena(Deployment("aws", "us-east-1", account, "local"))


def test_athena_reads_facts_as_they_are_written(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Types, missing values, lists, windows, and results of several pages."""
    playbook = desk_of_measures(desk="queried")
    lives = [
        Life(playbook, f"CS{n:04}").receive().assign().wait(hours=n % 3 + 1).reply().resolve()
        for n in range(400)
    ]
    with athena_of(system, monkeypatch) as athena:
        store = FactStore(system.aws("s3"), athena.deployment.mail_bucket)
        for written in (NOON, NOON + timedelta(hours=1)):
            facts = [f for life in lives for f in facts_of(life.history, playbook, written)]
            store.write(playbook, facts, written)
        (row,) = athena.rows(
            of_newest(
                "SELECT count(*) AS n, sum(first_response) AS lasted, "
                "count(mood) AS moods, min(status_before) AS before, max(groups) AS labels "
                "FROM newest"
            )
        )
        assert row == {
            "n": "1600", "lasted": str(sum(n % 3 + 1 for n in range(400)) * 3600), "moods": "0",
            "before": "assigned",
            "labels": "type=fault|tag=login|team=technical|agent=li-1|channel=web|priority=medium",
        }  # fmt: skip
        by_group = athena.rows(
            of_newest(
                "SELECT g, count(*) AS n FROM newest "
                "CROSS JOIN UNNEST(split(groups, '|')) AS t(g) GROUP BY g ORDER BY g"
            )
        )
        assert {row["g"]: row["n"] for row in by_group}["agent=li-1"] == "1200"
        met = athena.rows(
            of_newest(
                "SELECT split_part(target, '~', 1) AS of, count(*) AS n FROM newest "
                "CROSS JOIN UNNEST(split(targets, '|')) AS t(target) "
                "WHERE split_part(target, '~', 2) = 'met' GROUP BY 1 ORDER BY 1"
            )
        )
        assert list(met) == [
            {"of": "first_response", "n": "400"}, {"of": "resolution", "n": "400"},
        ]  # fmt: skip
        running = athena.rows(
            of_newest(
                "SELECT number, version, sum(is_open) OVER (PARTITION BY number "
                "ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far "
                "FROM newest ORDER BY number, version"
            )
        )
        assert [row["so_far"] for row in running] == ["1", "2", "3", "3"] * 400
        nobody = "SELECT count(*) AS n FROM facts WHERE desk = 'nobody' AND day = '2026-03-10'"
        assert list(athena.rows(nobody)) == [{"n": "0"}]
        with pytest.raises(QueryFailed, match="nothing"):
            list(athena.rows("SELECT nothing FROM facts WHERE desk = 'queried'"))


def test_the_function_completes_the_facts(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    number = system.file("13812340999", "登录不上")["number"]

    def facts() -> list[str]:
        event = {"time": datetime.now(UTC).isoformat(), "desk": "standard"}
        answer = system.aws("lambda").invoke(
            FunctionName="deskbell-local-reports", Payload=json.dumps(event)
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        rows = athena.rows("SELECT number, flow FROM facts WHERE desk = 'standard'")
        return [row["flow"] for row in rows if row["number"] == number]

    with athena_of(system, monkeypatch) as athena:
        wait_until(lambda: "received" in facts(), "the ticket is in the facts", 30)


def test_each_question_of_a_report_has_the_same_answer_from_athena_and_duckdb(
    system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    playbook = desk_of_measures(desk="compared")
    life = Life(playbook, "CS0001").receive().assign().wait(hours=2).reply().resolve()
    facts = facts_of(life.history, playbook, NOON)
    duck = Duck(tmp_path, "compared", playbook.zone)
    duck.write(facts)
    queries = Queries("compared", playbook.zone)
    day, before = (
        TimeSpan.of(Period.parse("daily", name), playbook.zone)
        for name in ("2026-03-10", "2026-03-09")
    )
    with athena_of(system, monkeypatch) as athena:
        FactStore(system.aws("s3"), athena.deployment.mail_bucket).write(playbook, facts, NOON)
        for sql in (
            queries.statistics([day]),
            queries.details(day, [before], day.start),
            queries.states(day),
            queries.states(day, all_before=True),
            queries.working_time(day, timedelta(minutes=10)),
            queries.counts_by_day(before.start, day.end),
            queries.first_day(day.end),
        ):
            assert _sorted(athena.rows(sql)) == _sorted(duck.rows(sql)) != []


def _sorted(rows: Iterator[dict[str, str]]) -> list[list[tuple[str, str]]]:
    return sorted(sorted(row.items()) for row in rows)
