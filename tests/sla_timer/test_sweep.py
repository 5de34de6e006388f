"""The sweep processes what is due within its minute, whatever else fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import Conflict
from functions.core.domain.events import TimerBreached
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS
from functions.sla_timer import handler
from functions.sla_timer.sweep import SweepFailed, SweepResult, process, sweep
from tests.core.sample_desk import DESK, NOON, agent, file_ticket

HOUR = timedelta(hours=1)


def plenty() -> timedelta:
    """Return a time budget that never runs out."""
    return timedelta(seconds=55)


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """Return a table with one desk."""
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    return storage


def waiting_delivery(state: str = "retrying", at: datetime = NOON + HOUR) -> Delivery:
    """Return a delivery whose next attempt is at `at`."""
    return Delivery(
        desk="testdesk", number="CS1", version=1, event="TicketReceived", message="ack",
        recipient="customer", channel="sms", to="****8000", state=state, attempts=1,
        claimed_at=NOON, at=NOON, next_at=at,
    )  # fmt: skip


class TestTickets:
    @pytest.mark.requirement("F3", "G2")
    def test_a_missed_first_response_is_a_breach(self, desk: Storage, playbook: Playbook) -> None:
        """At the sweep's time."""
        file_ticket(desk, playbook, "CS1", priority="high")
        assert sweep(desk, NOON + 2 * HOUR - timedelta(seconds=1), plenty).done == 1  # a warning
        before = desk.tickets.load("testdesk", "CS1")
        assert before.timers["first_response"].state == "running"
        assert sweep(desk, NOON + 2 * HOUR, plenty) == SweepResult(done=1, failed=0, stopped=False)
        after = desk.tickets.load("testdesk", "CS1")
        assert after.timers["first_response"].state == "breached"
        assert (after.queue, after.updated_at) == ("supervisor", NOON + 2 * HOUR)
        commit = desk.tickets.commit_at("testdesk", "CS1", after.version)
        assert commit is not None
        assert (commit.actor, commit.at) == ("system", NOON + 2 * HOUR)
        assert commit.of(TimerBreached)[0].kind == "first_response"

    @pytest.mark.requirement("A11", "F3")
    def test_a_customer_who_does_not_answer_for_a_day_breaches_the_timer(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        ticket = file_ticket(desk, playbook, "CS1")
        for command in (c.Assign("technical", "agent-1"), c.RequestInformation("?")):
            change(desk, "testdesk", ticket.number, command, playbook, NOON, actor="agent-1")
        sweep(desk, NOON + 24 * HOUR, plenty)
        after = desk.tickets.load("testdesk", "CS1")
        assert after.timers["customer_info"].state == "breached"
        assert after.timers["resolution"].state == "paused"

    @pytest.mark.requirement("A6", "F3")
    def test_an_unconfirmed_type_breaches_after_ten_minutes(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        file_ticket(desk, playbook, "CS1")
        ask = c.AskConfirmation("general", "?")
        change(desk, "testdesk", "CS1", ask, playbook, NOON, actor="system")
        sweep(desk, NOON + timedelta(minutes=9), plenty)
        assert desk.tickets.load("testdesk", "CS1").timers["confirm_type"].state == "running"
        sweep(desk, NOON + timedelta(minutes=10), plenty)
        assert desk.tickets.load("testdesk", "CS1").timers["confirm_type"].state == "breached"

    @pytest.mark.requirement("G2")
    def test_every_ticket_of_every_shard_is_processed(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        for index in range(20):
            file_ticket(desk, playbook, f"CS{index}", priority="high")
        assert sweep(desk, NOON + 2 * HOUR, plenty).done == 20
        states = {
            desk.tickets.load("testdesk", f"CS{index}").timers["first_response"].state
            for index in range(20)
        }
        assert states == {"breached"}

    def test_a_repeated_sweep_does_nothing_more(self, desk: Storage, playbook: Playbook) -> None:
        file_ticket(desk, playbook, "CS1", priority="high")
        for _ in range(3):
            sweep(desk, NOON + 2 * HOUR, plenty)
        assert desk.tickets.load("testdesk", "CS1").version == 2

    def test_two_sweeps_at_once_breach_once(self, desk: Storage, playbook: Playbook) -> None:
        for index in range(6):
            file_ticket(desk, playbook, f"CS{index}", priority="high")
        with ThreadPoolExecutor(3) as pool:
            results = list(pool.map(lambda _: sweep(desk, NOON + 2 * HOUR, plenty), range(3)))
        assert sum(found.failed for found in results) == 0
        for index in range(6):
            commits = desk.tickets.history("testdesk", f"CS{index}")
            assert sum(len(commit.of(TimerBreached)) for commit in commits) == 1

    def test_a_timer_kind_that_the_desk_dropped_is_cancelled(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        file_ticket(desk, playbook, "CS1", priority="high")
        desk.playbooks.put(load({**DESK, "timers": {}}), NOON)
        later = NOON + timedelta(days=30)
        sweep(desk, later, plenty)
        after = desk.tickets.load("testdesk", "CS1")
        assert {timer.state for timer in after.timers.values()} == {"cancelled"}
        assert [due for shard in range(SHARDS) for due in desk.tickets.due(shard, later)] == []


@pytest.mark.requirement("G3")
class TestDeliveries:
    """A delivery to try again comes back through the stream."""

    def test_a_delivery_becomes_due_at_its_time(self, desk: Storage) -> None:
        delivery = waiting_delivery()
        desk.deliveries.claim(delivery)
        sweep(desk, NOON + HOUR - timedelta(seconds=1), plenty)
        assert desk.deliveries.list("testdesk", "CS1") == [delivery]
        assert sweep(desk, NOON + HOUR, plenty).done == 1
        (again,) = desk.deliveries.list("testdesk", "CS1")
        assert (again.state, again.at, again.next_at) == ("due", NOON + HOUR, None)
        assert sweep(desk, NOON + 2 * HOUR, plenty).done == 0

    @pytest.mark.parametrize(
        "now",
        [waiting_delivery("sent"), waiting_delivery(at=NOON + 2 * HOUR), None],
        ids=["sent", "later", "gone"],
    )
    def test_an_index_that_lags_behind_moves_nothing(
        self, desk: Storage, now: Delivery | None
    ) -> None:
        """The index says due; the item has changed since."""
        desk.deliveries.claim(waiting_delivery())
        (due,) = [due for shard in range(SHARDS) for due in desk.tickets.due(shard, NOON + HOUR)]
        if now is None:
            key = {"pk": {"S": due.pk}, "sk": {"S": due.sk}}
            desk.table.client.delete_item(TableName=desk.table.name, Key=key)
        else:
            desk.deliveries.move(now, "retrying")
        process(desk, due, NOON + HOUR)
        assert desk.deliveries.list("testdesk", "CS1") == ([] if now is None else [now])


class TestFailures:
    @pytest.mark.requirement("G2", "G3")
    def test_a_failed_item_does_not_delay_the_others(
        self, desk: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A ticket without its desk, a broken item and a conflict among healthy ones."""
        for number in ("CS1", "CS2", "CS3", "CS4"):
            file_ticket(desk, playbook, number, priority="high")
        orphan = Delivery.model_validate({**waiting_delivery().model_dump(), "desk": "nowhere"})
        desk.deliveries.claim(orphan)
        desk.table.client.update_item(
            TableName=desk.table.name,
            Key={"pk": {"S": "TICKET#testdesk#CS2"}, "sk": {"S": "TICKET"}},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": {"S": "{}"}},
        )
        commit_all = desk.tickets.commit_all

        def commit_or_conflict(changes: Any, **more: Any) -> Any:
            if changes[0].after.number == "CS3":
                raise Conflict("others were faster six times")
            return commit_all(changes, **more)

        monkeypatch.setattr(desk.tickets, "commit_all", commit_or_conflict)
        found = sweep(desk, NOON + 2 * HOUR, plenty)
        assert (found.done, found.failed) == (3, 2)
        monkeypatch.undo()
        for number in ("CS1", "CS4"):
            timer = desk.tickets.load("testdesk", number).timers["first_response"]
            assert timer.state == "breached"
        # Nothing is lost: the one that met a conflict is still due.
        assert sweep(desk, NOON + 2 * HOUR, plenty) == SweepResult(done=1, failed=1, stopped=False)

    def test_a_sweep_stops_before_its_time_is_over(self, desk: Storage, playbook: Playbook) -> None:
        for index in range(20):
            file_ticket(desk, playbook, f"CS{index}", priority="high")
        left = iter([*[timedelta(seconds=55)] * 7, *[timedelta(seconds=4)] * 99])
        found = sweep(desk, NOON + 2 * HOUR, lambda: next(left))
        assert found == SweepResult(done=7, failed=0, stopped=True)
        assert sweep(desk, NOON + 2 * HOUR, plenty, shards=[3, 0, 1, 2]).done == 13


class Context:
    """The context that Lambda passes to a function."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:deskbell-test-sla_timer"
    memory_limit_in_mb = 256

    def get_remaining_time_in_millis(self) -> int:
        return 55_000


class TestHandler:
    """The handler's time is that of the scheduled event (contract, section 3)."""

    @pytest.fixture(autouse=True)
    def _table(self, desk: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("functions.core.platform.container.storage", lambda place: desk)

    @pytest.mark.requirement("F3")
    def test_the_handler_accepts_eventbridges_event(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        file_ticket(desk, playbook, "CS1", priority="high")
        event = {
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
            "time": "2026-03-10T06:00:00Z", "region": "us-east-1", "resources": [], "detail": {},
        }  # fmt: skip
        assert handler.sla_timer(event, Context())["done"] == 1
        assert desk.tickets.load("testdesk", "CS1").updated_at == datetime(
            2026, 3, 10, 6, tzinfo=UTC
        )

    def test_an_invocation_may_give_a_later_time(self, desk: Storage, playbook: Playbook) -> None:
        file_ticket(desk, playbook, "CS1", priority="high")
        assert handler.sla_timer({"time": "2027-01-01T00:00:00+08:00"}, Context())["done"] == 1

    @pytest.mark.requirement("G3")
    def test_the_handler_fails_if_an_item_failed(self, desk: Storage, playbook: Playbook) -> None:
        """The alarm counts the function's errors."""
        file_ticket(desk, playbook, "CS1", priority="high")
        desk.table.client.delete_item(
            TableName=desk.table.name, Key={"pk": {"S": "DESK#testdesk"}, "sk": {"S": "DESK"}}
        )
        with pytest.raises(SweepFailed, match="1 of 1"):
            handler.sla_timer({"time": "2026-03-10T06:00:00Z"}, Context())

    @pytest.mark.parametrize("event", [{}, {"time": "soon"}, {"time": "2026-03-10T06:00:00"}])
    def test_an_event_without_a_time_is_refused(self, event: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            handler.sla_timer(event, Context())

    @pytest.mark.requirement("F3")
    def test_the_sweep_is_scheduled_every_minute(self) -> None:
        from chalice.app import Chalice

        app = Chalice("deskbell")
        app.register_blueprint(handler.bp)
        source: Any = app.event_sources[0]
        assert source.schedule_expression == "rate(1 minute)"
        assert source.handler_string == "functions.sla_timer.handler.sla_timer"
        assert source.name == "sla_timer"
