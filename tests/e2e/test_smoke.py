"""The smoke test on a running system, which has no mailbox simulator."""

import pytest

from infra.console.smoke import USERNAME
from tests.e2e import console_commands
from tests.e2e.running_system import System

pytestmark = pytest.mark.requirement("F7", "G3")


def test_every_function_works_and_nothing_is_left(system: System) -> None:
    """Dead letters of the other tests, which share the system, are reported."""
    ended, said = console_commands.run(system.data, "smoke", "--desk", "standard")
    lines = [line for line in said.splitlines() if line.startswith(("ok", "failed", "skipped"))]
    by_state: dict[str, list[str]] = {"ok": [], "failed": [], "skipped": []}
    for line in lines:
        by_state[line.split()[0]].append(line)
    assert ended == bool(by_state["failed"]), said
    assert all("dead letters" in line for line in by_state["failed"]), said
    assert {line.split()[1] for line in by_state["skipped"]} == {"bounce:", "complaint:"}
    (worked,) = [line for line in said.splitlines() if line.startswith("functions that worked: ")]
    for function in ("intake_mail", "notify", "router", "survey_review_expire", "unseal"):
        assert function in worked
    (person,) = [line for line in system.command("person", "list").splitlines() if USERNAME in line]
    assert person.split("\t")[5] == "removed"
    answer = system.http(
        "GET", "/agent/desks/standard/tickets?queue=unassigned", token=system.sign_in()
    )
    assert "smoke" not in answer.text
