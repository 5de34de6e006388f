"""A ticket on the running system is found within seconds, and not after its customer's erasure."""

import pytest

from tests.e2e.running_system import System, wait_until

WORD = "蓝牙音箱"


@pytest.mark.requirement("H3")
def test_a_new_ticket_is_found_and_an_erased_one_is_not(system: System) -> None:
    desk = system.session().desk("standard")

    def found() -> list[str]:
        return [ticket["number"] for ticket in desk.search(WORD)]

    number = system.file("13812340987", f"{WORD}没有声音")["number"]
    wait_until(lambda: found() == [number], "the ticket is found", 10)
    assert "can be found" in system.command("search", "rebuild", "standard")
    assert found() == [number]
    system.command("ticket", "erase", "standard", "--number", number, "--reason", "asked for it")
    assert found() == []
