"""`deskbell playbook rehearse` on a deployment in this process: what it prints, and writes not."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from functions.core.domain.errors import PlaybookError
from functions.core.playbook import load
from functions.core.playbook.loader import read_yaml
from functions.core.storage.database import Storage
from infra.console.errors import UsageError
from infra.console.main import app
from infra.console.rehearsal import rehearse
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import (
    DEPLOYMENT,
    ROOT,
    erase_customer,
    simulator as simulator,
    storage as storage,
)
from tests.inprocess.test_returns import file_ticket

pytestmark = pytest.mark.requirement("G15")
STANDARD = ROOT / "playbooks" / "standard.yaml"


def changed(folder: Path, **changes: Any) -> Path:
    """Write the standard desk's playbook with other keys."""
    path = folder / "changed.yaml"
    document = read_yaml(STANDARD)[0] | changes
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return path


def console(*arguments: str) -> Any:
    return CliRunner().invoke(
        app, ["playbook", "rehearse", *arguments, "--stage", DEPLOYMENT.stage]
    )


def items(storage: Storage) -> list[Any]:
    return sorted(
        storage.table.client.scan(TableName=storage.table.name)["Items"],
        key=lambda item: (item["pk"]["S"], item["sk"]["S"]),
    )


@pytest.mark.slow
def test_the_console_lists_what_would_differ_and_stores_nothing(
    simulator: Simulator, storage: Storage, tmp_path: Path
) -> None:
    first, second, erased = (file_ticket(simulator, storage) for _ in range(3))
    erase_customer(simulator, datetime.now(UTC), number=erased)
    path = changed(tmp_path, routing=[{"team": "售后组"}])
    before = items(storage)
    lines = [json.loads(line) for line in console(str(path), "--json").output.splitlines()]
    *rows, counts = lines
    assert sorted((row["number"], row.get("what", row.get("not_compared"))) for row in rows) == [
        (first, "team"), (second, "team"), (erased, "erased"),
    ]  # fmt: skip
    assert {row["after"] for row in rows if "after" in row} == {"售后组"}
    assert counts["differences"] == {"team": 2}
    assert (counts["compared"], counts["not_compared"]) == (2, {"erased": 1})
    said = console(str(path)).output
    assert "team: 技术支持组 → 售后组" in said
    assert "2 tickets compared, 2 with differences" in said
    assert "1 not compared: erased" in said
    assert items(storage) == before
    assert "2 tickets compared, 0 with differences" in console(str(STANDARD)).output


def test_only_tickets_of_the_last_days_are_compared(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    now, playbook = datetime.now(UTC), load(STANDARD)
    for days, found in ((1, []), (3, [number])):
        compared = rehearse(storage, playbook, timedelta(days=days), now + timedelta(days=2))
        assert [ticket.number for ticket in compared] == found


def test_an_unreadable_history_does_not_end_it(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    first = next(item for item in items(storage) if item["sk"]["S"].startswith("EVENT#"))
    item = {**first, "schema": {"N": "99"}}
    storage.table.client.put_item(TableName=storage.table.name, Item=item)
    (found,) = rehearse(storage, load(STANDARD), timedelta(days=1), datetime.now(UTC))
    assert (found.number, found.reason) == (number, "unreadable")


def test_what_cannot_be_rehearsed_is_said(simulator: Simulator, tmp_path: Path) -> None:
    other = changed(tmp_path, desk="other")
    assert isinstance(console(str(tmp_path / "none.yaml")).exception, PlaybookError)
    assert isinstance(console(str(other)).exception, UsageError)
    assert isinstance(console(str(changed(tmp_path, types={}))).exception, PlaybookError)
    for days in ("0", "401"):
        assert console(str(STANDARD), "--days", days).exit_code == 2
