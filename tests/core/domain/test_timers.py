"""Timers: business time, pauses, warnings, breaches and repetitions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain import calendar, commands as c, events as e
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket, Timer
from functions.core.domain.timers import due_if_received, due_next
from functions.core.playbook import load
from tests.core.sample_desk import DESK, SHANGHAI, committed, received, then

pytestmark = pytest.mark.requirement("G2", "F3")


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time in Shanghai in 2026. 10 March is a Tuesday, 1 October a holiday."""
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def assigned(playbook: Playbook, start: datetime, **changes: Any) -> Ticket:
    """Return a ticket that was assigned on receipt."""
    return then(
        received(playbook, start, **changes), c.Assign("technical", "agent-1"), playbook, start
    )


def paused_and_resumed(
    playbook: Playbook, ticket: Ticket, start: datetime, end: datetime
) -> Ticket:
    """Return the ticket after it waited for the customer from `start` to `end`."""
    ticket = then(ticket, c.RequestInformation("型号？"), playbook, start)
    assert ticket.timers["resolution"].state == "paused"
    assert ticket.timers["resolution"].due_at is None
    return then(ticket, c.CustomerMessage("X1", "web"), playbook, end)


def sweep(ticket: Ticket, playbook: Playbook, now: datetime) -> tuple[Ticket, list[Any]]:
    """Return the ticket after a sweep and the warnings and breaches."""
    events = decide(ticket, c.Tick(), playbook, now)
    fired = [x for x in events if isinstance(x, e.TimerWarned | e.TimerBreached)]
    return (apply(ticket, committed(ticket, events, now)) if events else ticket), fired


def with_timers(**timers: dict[str, Any] | None) -> Playbook:
    """Return the desk with some timers changed or removed."""
    rules = {**DESK["timers"], **timers}
    return load({**DESK, "timers": {kind: rule for kind, rule in rules.items() if rule}})


class TestBusinessTime:
    """16 business hours; lunch from 12:00 to 13:30, closed from 18:00 to 09:00."""

    START = at(3, 10, 10)

    def test_the_deadline_counts_opening_hours_only(self, playbook: Playbook) -> None:
        """Tuesday 10:00: 6½ h that day, 7½ h on Wednesday, 2 h on Thursday."""
        timer = received(playbook, self.START).timers["resolution"]
        assert (timer.state, timer.due_at) == ("running", at(3, 12, 11))

    @pytest.mark.parametrize(
        ("pause", "resume", "due"),
        [
            ((3, 10, 11, 30), (3, 10, 14, 30), (3, 12, 14)),
            ((3, 10, 12), (3, 10, 13, 30), (3, 12, 11)),
            ((3, 10, 12, 15), (3, 10, 12, 45), (3, 12, 11)),
            ((3, 10, 11, 30), (3, 10, 12, 45), (3, 12, 11, 30)),
            ((3, 10, 18), (3, 11, 9), (3, 12, 11)),
            ((3, 10, 17), (3, 11, 10), (3, 12, 14, 30)),
        ],
        ids=[
            "over lunch", "exactly lunch", "within lunch", "into lunch", "exactly the night",
            "over the night",
        ],
    )  # fmt: skip
    def test_a_pause_keeps_the_remaining_business_time(
        self, playbook: Playbook, pause: Any, resume: Any, due: Any
    ) -> None:
        ticket = paused_and_resumed(
            playbook, assigned(playbook, self.START), at(*pause), at(*resume)
        )
        assert ticket.timers["resolution"].due_at == at(*due)

    def test_a_pause_over_holidays_and_a_make_up_workday(self, playbook: Playbook) -> None:
        """Closed 1, 2 and 5 October, open on Saturday the 10th (调休)."""
        ticket = assigned(playbook, at(9, 30, 16))
        assert ticket.timers["resolution"].due_at == at(10, 7, 17)
        ticket = paused_and_resumed(playbook, ticket, at(9, 30, 17), at(10, 9, 17))
        timer = ticket.timers["resolution"]
        # 15 h are left: one on Friday the 9th, 7½ on Saturday, 6½ on Monday the 12th.
        assert timer.due_at == at(10, 12, 17)

    @given(
        steps=st.lists(st.integers(min_value=1, max_value=9000), min_size=1, max_size=12),
        start=st.integers(min_value=0, max_value=60 * 24 * 30),
    )
    def test_business_time_adds_up_over_any_pauses(
        self, playbook: Playbook, steps: list[int], start: int
    ) -> None:
        """Spent and remaining business time equal the allowance, to the microsecond."""
        now = at(9, 20, 0) + timedelta(minutes=start, microseconds=start)
        ticket = assigned(playbook, now, priority="low")
        spent = timedelta()
        for minutes in steps:
            later = now + timedelta(minutes=minutes, seconds=7, microseconds=11)
            timer = ticket.timers["resolution"]
            if timer.state == "running":
                spent += playbook.hours.between(now, later)
                if spent >= timer.allowed:
                    return
                ticket = then(ticket, c.RequestInformation("?"), playbook, later)
                assert ticket.timers["resolution"].left == timer.allowed - spent
            else:
                ticket = then(ticket, c.CustomerMessage("!", "web"), playbook, later)
                due = ticket.timers["resolution"].due_at
                assert due is not None
                assert playbook.hours.between(later, due) == timer.allowed - spent
            now = later


@pytest.mark.requirement("A7")
class TestPriority:
    """Another priority has another allowance; spent time stays spent."""

    def test_a_shorter_allowance_moves_the_deadline_forward(self, playbook: Playbook) -> None:
        ticket = then(
            received(playbook, at(3, 10, 10)), c.SetPriority("high"), playbook, at(3, 10, 11)
        )
        assert ticket.timers["first_response"].due_at == at(3, 10, 12)
        assert ticket.expected_response_by == at(3, 10, 12)
        assert ticket.timers["resolution"].due_at == at(3, 10, 15, 30)

    def test_a_longer_allowance_moves_the_deadline_back(self, playbook: Playbook) -> None:
        ticket = received(playbook, at(3, 10, 10), priority="high")
        ticket = then(ticket, c.SetPriority("low"), playbook, at(3, 10, 11))
        assert ticket.timers["first_response"].due_at == at(3, 11, 10)

    def test_an_allowance_that_is_spent_is_due_at_once(self, playbook: Playbook) -> None:
        ticket = received(playbook, at(3, 10, 10))
        ticket = then(ticket, c.SetPriority("high"), playbook, at(3, 10, 15))
        assert ticket.timers["first_response"].due_at == at(3, 10, 15)
        _, fired = sweep(ticket, playbook, at(3, 10, 15))
        assert isinstance(fired[0], e.TimerBreached)

    def test_a_paused_timer_keeps_the_new_remaining_time(self, playbook: Playbook) -> None:
        ticket = assigned(playbook, at(3, 10, 10))
        ticket = then(ticket, c.RequestInformation("?"), playbook, at(3, 10, 11))
        ticket = then(ticket, c.SetPriority("high"), playbook, at(3, 10, 11))
        assert ticket.timers["resolution"].left == timedelta(hours=3)

    @pytest.mark.requirement("E3", "G2")
    def test_warnings_restart_with_a_new_allowance(self, playbook: Playbook) -> None:
        start = at(3, 10, 10)
        ticket = assigned(playbook, start, priority="high")
        ticket, fired = sweep(ticket, playbook, start + timedelta(minutes=61))
        assert [event.share for event in fired] == [0.5]
        ticket = then(ticket, c.SetPriority("medium"), playbook, start + timedelta(minutes=62))
        assert ticket.timers["first_response"].wakes_at == start + timedelta(hours=12)

    @pytest.mark.requirement("G2", "A11")
    def test_a_timer_cannot_be_paused_at_its_deadline(self, playbook: Playbook) -> None:
        start = at(3, 10, 10)
        ticket = assigned(playbook, start)
        due = ticket.timers["resolution"].due_at
        assert due is not None
        for asked, state in ((due - timedelta(seconds=1), "paused"), (due, "running")):
            after = then(ticket, c.RequestInformation("型号？"), playbook, asked)
            assert after.timers["resolution"].state == state

    def test_a_lower_priority_does_not_undo_a_missed_deadline(self, playbook: Playbook) -> None:
        ticket = received(playbook, at(3, 10, 10), priority="high")
        ticket = then(ticket, c.SetPriority("low"), playbook, at(3, 10, 12, 1))
        _, fired = sweep(ticket, playbook, at(3, 10, 12, 1))
        assert [(x.event, x.kind) for x in fired] == [("TimerBreached", "first_response")]


class TestWarnings:
    """Warnings at 50 % and 80 % of 24 h."""

    START = at(3, 10, 10)

    def test_each_warning_is_given_once(self, playbook: Playbook) -> None:
        ticket = received(playbook, self.START)
        assert ticket.next_due == at(3, 10, 22)
        shares = []
        for hours in (11.9, 12, 12.1, 19.1, 19.2, 20, 23.9):
            ticket, fired = sweep(ticket, playbook, self.START + timedelta(hours=hours))
            shares += [(hours, x.share) for x in fired if x.kind == "first_response"]
        assert shares == [(12, 0.5), (19.2, 0.8)]

    def test_a_late_sweep_gives_the_last_warning_only(self, playbook: Playbook) -> None:
        ticket = received(playbook, self.START)
        ticket, fired = sweep(ticket, playbook, self.START + timedelta(hours=20))
        assert [x.share for x in fired if x.kind == "first_response"] == [0.8]
        assert ticket.timers["first_response"].wakes_at == at(3, 11, 10)

    def test_a_very_late_sweep_gives_the_breach_only(self, playbook: Playbook) -> None:
        ticket = received(playbook, self.START)
        _, fired = sweep(ticket, playbook, self.START + timedelta(hours=24))
        first = [x for x in fired if x.kind == "first_response"]
        assert [x.event for x in first] == ["TimerBreached"]

    def test_shares_count_business_time(self, playbook: Playbook) -> None:
        """75 % of 16 business hours: Wednesday, 16:00."""
        ticket = received(playbook, self.START)
        _, fired = sweep(ticket, playbook, at(3, 11, 15, 59))
        assert "resolution" not in [x.kind for x in fired]
        _, fired = sweep(ticket, playbook, at(3, 11, 16))
        assert ("resolution", "TimerWarned") in [(x.kind, x.event) for x in fired]


class TestBreaches:
    START = at(3, 10, 10)

    def test_a_breach_occurs_at_the_deadline_and_not_before(self, playbook: Playbook) -> None:
        ticket = received(playbook, self.START, priority="high")
        almost = at(3, 10, 12) - timedelta(microseconds=1)
        _, fired = sweep(ticket, playbook, almost)
        assert "TimerBreached" not in [x.event for x in fired]
        ticket, fired = sweep(ticket, playbook, at(3, 10, 12))
        (breach,) = [x for x in fired if x.event == "TimerBreached"]
        assert (breach.kind, breach.due_at, breach.count) == (
            "first_response", at(3, 10, 12), 1,
        )  # fmt: skip
        assert ticket.timers["first_response"].state == "breached"
        assert (ticket.queue, ticket.status) == ("supervisor", "queued")

    def test_repeating_a_sweep_changes_nothing(self, playbook: Playbook) -> None:
        ticket = received(playbook, self.START, priority="high")
        ticket, _ = sweep(ticket, playbook, at(3, 10, 12))
        assert decide(ticket, c.Tick(), playbook, at(3, 10, 12)) == ()

    @pytest.mark.requirement("E6")
    def test_a_breach_repeats_until_a_reply(self, playbook: Playbook) -> None:
        """Every hour; a late sweep skips the repetitions that it missed."""
        ticket = received(playbook, self.START, priority="high")
        counts = []
        for moment in (at(3, 10, 12), at(3, 10, 12, 59), at(3, 10, 13), at(3, 10, 15, 30)):
            ticket, fired = sweep(ticket, playbook, moment)
            counts += [x.count for x in fired if x.kind == "first_response"]
        assert counts == [1, 2, 3]
        assert ticket.timers["first_response"].wakes_at == at(3, 10, 16)
        ticket = then(ticket, c.Assign("technical", "agent-1"), playbook, at(3, 10, 15, 40))
        ticket = then(ticket, c.Reply("您好"), playbook, at(3, 10, 15, 45))
        timer = ticket.timers["first_response"]
        assert (timer.state, timer.wakes_at) == ("breached", None)

    def test_a_breach_changes_the_queue_once(self, playbook: Playbook) -> None:
        ticket = received(playbook, self.START, priority="high")
        ticket, _ = sweep(ticket, playbook, at(3, 10, 12))
        events = decide(ticket, c.Tick(), playbook, at(3, 10, 13))
        assert "TicketQueued" not in [x.event for x in events]

    def test_a_breach_returns_the_ticket_to_the_team_once(self) -> None:
        rule = {**DESK["timers"]["first_response"], "on_breach": {"queue": "team"}}
        rule["on_breach"]["repeat_every"] = "1h"
        playbook = with_timers(first_response=rule)
        ticket = received(playbook, self.START, priority="high")
        ticket, _ = sweep(ticket, playbook, at(3, 10, 12))
        assert (ticket.queue, ticket.team) == ("waiting", "general")
        events = decide(ticket, c.Tick(), playbook, at(3, 10, 13))
        assert [x.event for x in events] == ["TimerBreached", "TimersSet"]

    @pytest.mark.requirement("D5", "E5")
    def test_a_breach_can_raise_the_priority(self, playbook: Playbook) -> None:
        ticket = assigned(playbook, self.START, priority="low")
        ticket = then(ticket, c.Reply("您好"), playbook, self.START)
        due = ticket.timers["resolution"].due_at
        assert due is not None
        ticket, _ = sweep(ticket, playbook, due)
        assert ticket.priority == "medium"

    def test_a_reply_after_the_deadline_is_a_breach_without_a_sweep(
        self, playbook: Playbook
    ) -> None:
        ticket = assigned(playbook, self.START, priority="high")
        late = then(ticket, c.Reply("您好"), playbook, at(3, 10, 12, 0) + timedelta(seconds=1))
        assert late.timers["first_response"].state == "breached"
        met = then(ticket, c.Reply("您好"), playbook, at(3, 10, 12))
        assert met.timers["first_response"].state == "met"
        assert met.first_response_at == at(3, 10, 12)

    def test_a_pause_does_not_undo_a_missed_deadline(self, playbook: Playbook) -> None:
        ticket = assigned(playbook, self.START, priority="high")
        ticket = then(ticket, c.RequestInformation("?"), playbook, at(3, 10, 15, 31))
        ticket, fired = sweep(ticket, playbook, at(3, 10, 15, 31))
        assert ("resolution", "TimerBreached") in [(x.kind, x.event) for x in fired]


class TestStartAndEnd:
    @pytest.mark.requirement("A11")
    def test_the_customer_has_a_day_to_give_information(self, playbook: Playbook) -> None:
        ticket = assigned(playbook, at(3, 10, 10))
        ticket = then(ticket, c.RequestInformation("?"), playbook, at(3, 10, 11))
        assert ticket.timers["customer_info"].due_at == at(3, 11, 11)
        ticket = then(ticket, c.CustomerMessage("!", "web"), playbook, at(3, 10, 12))
        assert ticket.timers["customer_info"].state == "met"
        again = then(ticket, c.RequestInformation("?"), playbook, at(3, 10, 13))
        assert again.timers["customer_info"].due_at == at(3, 11, 13)

    @pytest.mark.requirement("A6")
    def test_the_type_is_due_within_ten_minutes(self, playbook: Playbook) -> None:
        ticket = received(playbook, at(3, 10, 10))
        ticket = then(ticket, c.AskConfirmation("general", "?"), playbook, at(3, 10, 10))
        assert ticket.timers["confirm_type"].due_at == at(3, 10, 10, 10)
        ticket = then(ticket, c.ConfirmType("fault"), playbook, at(3, 10, 10, 5))
        assert ticket.timers["confirm_type"].state == "met"

    def test_closing_cancels_all_timers(self, playbook: Playbook) -> None:
        ticket = then(received(playbook), c.Close("spam"), playbook)
        assert {timer.state for timer in ticket.timers.values()} == {"cancelled"}
        assert ticket.next_due is None

    def test_a_reopened_ticket_has_a_new_deadline(self, playbook: Playbook) -> None:
        ticket = assigned(playbook, at(3, 10, 10))
        ticket = then(ticket, c.Resolve("好了"), playbook, at(3, 10, 11))
        ticket = then(ticket, c.Reopen(), playbook, at(3, 12, 11))
        timer = ticket.timers["resolution"]
        assert (timer.state, timer.due_at) == ("running", at(3, 16, 12))


class TestChangedPlaybooks:
    """A ticket never stays due forever, whatever changed in the playbook."""

    def test_a_postponed_warning_is_not_given_twice(self, playbook: Playbook) -> None:
        start = at(3, 10, 10)
        ticket, _ = sweep(received(playbook, start, priority="high"), playbook, at(3, 10, 11))
        assert ticket.timers["first_response"].warned == 1
        rule = {**DESK["timers"]["first_response"], "warn_at": [0.5, 0.9]}
        later = with_timers(first_response=rule)
        ticket, fired = sweep(ticket, later, at(3, 10, 11, 36))
        assert fired == []
        assert ticket.timers["first_response"].wakes_at == at(3, 10, 11, 48)

    def test_a_timer_of_a_removed_kind_is_cancelled(self, playbook: Playbook) -> None:
        ticket = received(playbook, at(3, 10, 10))
        smaller = with_timers(first_response=None)
        ticket, fired = sweep(ticket, smaller, at(3, 20, 10))
        assert ticket.timers["first_response"].state == "cancelled"
        assert "first_response" not in [x.kind for x in fired]
        assert ticket.next_due is None or ticket.next_due > at(3, 20, 10)

    @pytest.mark.parametrize("shares", [[], [0.9], [0.1, 0.2, 0.3, 0.4, 0.45, 0.95]])
    def test_changed_warnings_are_in_the_future(
        self, playbook: Playbook, shares: list[float]
    ) -> None:
        ticket = received(playbook, at(3, 10, 10))
        rule = {**DESK["timers"]["first_response"], "warn_at": shares}
        changed = with_timers(first_response=rule)
        now = at(3, 10, 22)
        ticket, _ = sweep(ticket, changed, now)
        woken = ticket.timers["first_response"].wakes_at
        assert woken is not None
        assert woken > now

    @pytest.mark.slow
    @given(
        hours=st.lists(st.integers(min_value=1, max_value=100), min_size=1, max_size=8),
        shares=st.lists(st.floats(min_value=0.01, max_value=0.99), max_size=4),
        later=st.lists(st.floats(min_value=0.01, max_value=0.99), max_size=4),
        every=st.sampled_from([None, "7m", "3h"]),
        clock=st.sampled_from(["always", "business"]),
    )
    def test_a_sweep_always_makes_progress(
        self,
        hours: list[int],
        shares: list[float],
        later: list[float],
        every: str | None,
        clock: str,
    ) -> None:
        """After a sweep nothing is due any more, except timers that a raised priority made due."""
        rule = {
            **DESK["timers"]["first_response"],
            "warn_at": shares,
            "clock": clock,
            "on_breach": {"repeat_every": every} if every else {},
        }
        before, after = (
            with_timers(first_response={**rule, "warn_at": at_}) for at_ in (shares, later)
        )
        now = at(3, 10, 10)
        ticket = received(before, now)
        for index, step in enumerate(hours):
            now += timedelta(hours=step / 3)
            for _ in DESK["priorities"]:
                ticket, _ = sweep(ticket, before if index % 2 else after, now)
            assert ticket.next_due is None or ticket.next_due > now


def test_a_timer_is_stored_without_loss(playbook: Playbook) -> None:
    timer = received(playbook, at(3, 10, 10) + timedelta(microseconds=3)).timers["resolution"]
    assert Timer.model_validate_json(timer.model_dump_json(exclude_defaults=True)) == timer


@pytest.mark.requirement("D11")
class TestUnpublishedYear:
    """China's notice for the next year is not published yet; then it is, with other days off."""

    EVE = at(12, 31, 15)  # Thursday; 3 h are left of the year, 16 are allowed

    @pytest.fixture
    def publish(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        def publish(year: int) -> None:
            monkeypatch.setattr(calendar, "_last_published", lambda _: year)

        publish(2026)
        return publish

    def playbook(self, *workdays: str) -> Playbook:
        hours = {**DESK["calendar"], "holidays": {"country": "CN"}, "workdays": workdays}
        return load({**DESK, "calendar": hours})

    def test_a_deadline_is_recalculated_once_the_year_is_published(
        self, publish: Callable[[int], None]
    ) -> None:
        estimated, published = self.playbook(), self.playbook("2027-01-02")
        ticket = assigned(estimated, self.EVE)
        timer = ticket.timers["resolution"]
        new_year = datetime(2027, 1, 1, tzinfo=SHANGHAI)
        assert (timer.counted_at, timer.left) == (self.EVE, timedelta(hours=16))
        assert timer.wakes_at is not None
        assert timer.wakes_at <= new_year
        # Not published: the deadline stays, and the sweep looks no more than it has to.
        waiting, _ = sweep(ticket, estimated, new_year)
        assert waiting.timers["resolution"].due_at == timer.due_at
        assert waiting.timers["resolution"].wakes_at != new_year
        publish(2027)
        settled, _ = sweep(ticket, published, new_year)
        expected = published.hours.add(self.EVE, timedelta(hours=16))
        assert timer.due_at is not None
        assert settled.timers["resolution"].due_at == expected < timer.due_at
        assert settled.timers["resolution"].counted_at is None
        # Any other change recalculates as well, before it pauses.
        paused = then(ticket, c.RequestInformation("型号？"), published, self.EVE)
        assert paused.timers["resolution"].left == timedelta(hours=16)
        assert paused.timers["resolution"].counted_at is None

    def test_a_published_year_is_final(self, publish: Callable[[int], None]) -> None:
        publish(2027)
        timer = received(self.playbook(), self.EVE).timers["resolution"]
        assert (timer.counted_at, timer.left) == (None, None)


@pytest.mark.requirement("H3")
def test_what_is_due_next_is_the_first_deadline_that_still_waits() -> None:
    """A deadline that has passed stays due until what it waits for has happened."""
    playbook, start = load(DESK), at(3, 10, 10)
    ticket = assigned(playbook, start, priority="high")
    promised = at(3, 10, 12)
    assert due_next(ticket, playbook) == ("first_response", promised)
    ticket, _ = sweep(ticket, playbook, promised + timedelta(minutes=1))
    assert due_next(ticket, playbook) == ("first_response", promised)
    ticket = then(ticket, c.Assign("technical", "agent-2"), playbook, promised)
    ticket = then(ticket, c.Reply("在查"), playbook, promised + timedelta(hours=1))
    assert due_next(ticket, playbook) == ("resolution", ticket.timers["resolution"].due_at)
    ticket = then(ticket, c.RequestInformation("型号？"), playbook, promised + timedelta(hours=2))
    assert due_next(ticket, playbook) == ("customer_info", ticket.timers["customer_info"].due_at)


@pytest.mark.requirement("H1")
def test_the_form_promises_the_deadline_that_a_request_would_get(playbook: Playbook) -> None:
    now = at(3, 10, 10)
    for priority in playbook.priorities:
        filed = received(playbook, now, priority=priority)
        promised = due_if_received(priority, "fault", playbook, now)
        assert promised == filed.timers["first_response"].due_at


@pytest.mark.requirement("H1")
@pytest.mark.parametrize(
    "rule",
    [
        None,
        {"when": {"type": "inquiry"}},
        {"when": {"tags": "login"}},
        {"start": "TicketAssigned"},
    ],
)
def test_the_form_promises_nothing_that_depends_on_more(rule: dict[str, Any] | None) -> None:
    timer = rule and {**DESK["timers"]["first_response"], **rule}
    desk = with_timers(first_response=timer)
    assert due_if_received("high", "fault", desk, at(3, 10, 10)) is None
