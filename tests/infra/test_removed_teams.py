"""A playbook that drops a team strands none of its tickets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.core.domain import commands as c
from functions.core.domain.events import TicketReopened
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.items import read_ticket
from infra.console.commands import playbooks
from infra.console.main import app
from infra.deploy.removed_teams import reroute
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import (
    DEPLOYMENT,
    simulator as simulator,
    storage as storage,
)
from tests.inprocess.test_returns import file_ticket

pytestmark = pytest.mark.requirement("F2", "G3")
REMOVED, LEFT = "技术支持组", "通用咨询组"


def without_team(playbook: Playbook) -> Playbook:
    """The standard desk whose technicians were merged into the general team."""
    document: Any = playbook.model_dump_json().replace(f'"{REMOVED}"', f'"{LEFT}"')
    return Playbook.model_validate_json(document).model_copy(
        update={"teams": {k: v for k, v in playbook.teams.items() if k != REMOVED}}
    )


@pytest.fixture
def desk(simulator: Simulator, storage: Storage) -> Playbook:
    """One ticket in hand and two that wait for the team, which the playbook then drops."""
    storage.roster.set_presence("standard", "li-1", online=True)
    file_ticket(simulator, storage)
    storage.roster.set_presence("standard", "li-1", online=False)
    file_ticket(simulator, storage)
    file_ticket(simulator, storage)
    playbook = without_team(storage.playbooks.get("standard", datetime.now(UTC)))
    storage.playbooks.put(playbook, datetime.now(UTC))
    simulator.expire_playbooks()
    storage.playbooks.cache.clear()
    return playbook


def tickets(storage: Storage) -> list[Ticket]:
    items = storage.table.client.scan(TableName=storage.table.name)["Items"]
    found = [read_ticket(item) for item in items if item["sk"]["S"] == "TICKET"]
    return sorted(found, key=lambda ticket: ticket.number)


def test_waiting_tickets_are_routed_by_the_new_rules(
    simulator: Simulator, storage: Storage, desk: Playbook
) -> None:
    assert [ticket.team for ticket in tickets(storage)] == [REMOVED] * 3
    moved = reroute(storage, desk, (REMOVED,), datetime.now(UTC))
    assert sorted((each.team, each.to, each.handler or "") for each in moved) == [
        (REMOVED, LEFT, ""), (REMOVED, LEFT, ""), (REMOVED, LEFT, "li-1"),
    ]  # fmt: skip
    simulator.pump()
    in_hand, *waiting = tickets(storage)
    assert (in_hand.handler, in_hand.team) == ("li-1", REMOVED)
    assert [(ticket.team, ticket.status) for ticket in waiting] == [(LEFT, "queued")] * 2
    assert not reroute(storage, desk, (REMOVED,), datetime.now(UTC))[1:]  # the one in hand


def test_a_ticket_in_hand_goes_on_by_the_new_rules(
    simulator: Simulator, storage: Storage, desk: Playbook
) -> None:
    """Reopened, it waits for a team that exists."""
    number = tickets(storage)[0].number
    now = datetime.now(UTC)
    for command in (c.Resolve("已重置"), c.Reopen("还是不行")):
        change(storage, "standard", number, command, desk, now, actor="li-1")
    simulator.pump()
    ticket = storage.tickets.load("standard", number)
    assert (ticket.status, ticket.team) == ("queued", LEFT)
    history = storage.tickets.history("standard", number)
    assert [x.team for commit in history for x in commit.of(TicketReopened)] == [LEFT]


def test_an_agent_of_a_removed_team_makes_no_dead_letter(
    simulator: Simulator, storage: Storage, desk: Playbook, caplog: pytest.LogCaptureFixture
) -> None:
    storage.roster.set_presence("standard", "li-1", online=True)
    simulator.pump()
    # Neither given up nor retried until it is.
    assert not [r for r in caplog.records if r.getMessage().startswith(("router.", "record."))]
    assert tickets(storage)[1].team == REMOVED  # `playbook apply` routes it, not this


def test_apply_lists_and_routes_them(
    storage: Storage, desk: Playbook, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Again after the time in which functions may still use the former playbook."""
    former = storage.playbooks.document("standard", 1)
    storage.playbooks.put(Playbook.stored(former), datetime.now(UTC))
    waits: list[float] = []

    monkeypatch.setattr("time.sleep", waits.append)
    path = tmp_path / "standard.json"
    path.write_text(desk.model_dump_json(exclude_defaults=True), "utf-8")
    number = tickets(storage)[1].number
    said = CliRunner().invoke(app, ["playbook", "apply", str(path), "--stage", DEPLOYMENT.stage])
    assert said.exit_code == 0, said.output
    assert f"removed: {REMOVED}" in said.output
    assert f"{number}: {REMOVED} → {LEFT}\n" in said.output
    assert f"{tickets(storage)[0].number}: {REMOVED} → {LEFT}, stays with li-1" in said.output
    assert waits == [playbooks.IN_FORCE_SECONDS]
