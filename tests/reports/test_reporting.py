"""The reports that are written, what is stored with them, and what becomes of later changes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from functions.core.domain.errors import InvalidInput, NotFound
from functions.core.domain.proposals import ArticleProposal, AskedQuestion, Proposals
from functions.core.domain.rules import Playbook
from functions.core.reports.assembling import Backlog, balance, problems_of
from functions.core.reports.behind import OpenTicket
from functions.core.reports.periods import Period
from functions.core.storage.database import Storage
from functions.core.storage.reports import PAGE, StoredReports, listed
from functions.reports import reporting
from functions.reports.queries import Queries, TimeSpan
from functions.reports.reporting import WRITTEN_AFTER, Reporting, compare, write_missing
from tests.core.sample_desk import DESK
from tests.reports.buckets import Buckets
from tests.reports.conftest import Report
from tests.reports.duck import Duck
from tests.reports.histories import SHANGHAI, History, at, hours

FRIDAY, SATURDAY = "2026-11-27", "2026-11-28"


def day(name: str) -> Period:
    return Period.parse("daily", name)


@pytest.mark.slow
def test_reports_are_written_once_when_their_period_has_settled(
    storage: Storage, reports: StoredReports, duck: Duck, playbook: Playbook
) -> None:
    duck.write(History("A1").then("11-27 10:00", "received").facts)

    def run(now: datetime) -> list[str]:
        made = write_missing(storage, reports, duck, playbook, "testdesk", now)
        return [f"{each['kind']} {each['period']}" for each in made]

    midnight = at("11-28 00:00")
    assert run(midnight + WRITTEN_AFTER - timedelta(seconds=1)) == []
    assert run(midnight + WRITTEN_AFTER) == ["daily 2026-11-27"]
    assert run(midnight + WRITTEN_AFTER) == []
    assert run(at("12-01 00:15")) == [
        "daily 2026-11-28", "daily 2026-11-29", "weekly 2026-W48", "daily 2026-11-30",
        "monthly 2026-11",
    ]  # fmt: skip
    first = reports.get("testdesk", day(FRIDAY))
    assert first["generated_at"] == "2026-11-28T00:15:00+08:00"
    assert first["from"] == "2026-11-27T00:00:00+08:00"


def test_a_run_with_nothing_to_write_asks_athena_nothing(
    storage: Storage, reports: StoredReports, duck: Duck, playbook: Playbook
) -> None:
    duck.write(History("A1").then("11-27 10:00", "received").facts)
    now = at("11-27 12:00")
    assert list(write_missing(storage, reports, duck, playbook, "testdesk", now)) == []
    asked = cast("Any", None)
    assert list(write_missing(storage, reports, asked, playbook, "testdesk", now)) == []


def test_a_desk_of_long_ago_gets_the_reports_of_45_days(
    storage: Storage, reports: StoredReports, duck: Duck, playbook: Playbook
) -> None:
    duck.write(History("A1").then("06-01 10:00", "received").facts)
    missing = reporting._missing(
        reporting.Reporting(storage, reports, duck, playbook, "testdesk", at("11-28 00:20")), {}
    )
    days = [period for period in missing if period.kind == "daily"]
    assert (days[0].name, days[-1].name, len(days)) == ("2026-10-14", "2026-11-27", 45)


def test_a_desk_without_facts_gets_the_newest_report_of_each_kind(
    storage: Storage, reports: StoredReports, duck: Duck, playbook: Playbook
) -> None:
    made = write_missing(storage, reports, duck, playbook, "testdesk", at("11-28 00:20"))
    assert [each["period"] for each in made] == ["2026-10", "2026-W47", "2026-11-27"]


def test_a_run_without_time_leaves_the_rest_to_the_next(
    storage: Storage, reports: StoredReports, duck: Duck, playbook: Playbook
) -> None:
    duck.write(History("A1").then("11-26 10:00", "received").facts)
    left = iter([False, True])
    now = at("11-28 00:20")
    made = write_missing(
        storage, reports, duck, playbook, "testdesk", now, enough=lambda: next(left)
    )
    assert [each["period"] for each in made] == ["2026-11-26"]
    made = write_missing(storage, reports, duck, playbook, "testdesk", now)
    assert [each["period"] for each in made] == ["2026-11-27"]


def test_each_figure_opens_its_tickets_by_pages(report: Report, reports: StoredReports) -> None:
    histories = [History(f"A{n:03}").then("11-27 09:00", "received") for n in range(PAGE + 1)]
    merged = (
        History("B1").then("11-27 09:00", "received").then("11-27 09:30", "merged", into="A000")
    )
    report("daily", FRIDAY, *histories, merged)
    page = reports.page("testdesk", day(FRIDAY), "volume", None)
    assert len(page["tickets"]) == PAGE
    rest = reports.page("testdesk", day(FRIDAY), "volume", page["cursor"])
    assert [(each["number"], each["counted"], each["reason"]) for each in rest["tickets"]] == [
        ("A100", True, ""), ("B1", False, "merged A000"),
    ]  # fmt: skip
    assert rest["cursor"] is None
    assert reports.page("testdesk", day(FRIDAY), "backlog", None)["tickets"][0]["value"] == hours(
        15
    )
    assert reports.page("testdesk", day(FRIDAY), "csat", None)["tickets"] == []
    for figure, cursor in (("nothing", None), ("volume", "x"), ("volume", "9" * 30)):
        with pytest.raises(InvalidInput):
            reports.page("testdesk", day(FRIDAY), figure, cursor)
    with pytest.raises(NotFound):
        reports.page("testdesk", day(SATURDAY), "volume", None)


@pytest.mark.requirement("F8", "G16")
def test_costs_open_the_tickets_that_have_them(report: Report, reports: StoredReports) -> None:
    cost = report(
        "daily",
        FRIDAY,
        History("A1").then("11-27 09:00", "received", usage=("ses.sent~1000", "kms.request~10000")),
        History("A2").then("11-27 09:00", "received", usage=("ses.sent~2000", "it's~1")),
        History("A3").then("11-26 09:00", "received", usage=("ses.sent~1000",)),
    )["figures"]["cost"]
    assert cost is not None
    rows = reports.page("testdesk", day(FRIDAY), "cost", None)["tickets"]
    assert [(row["number"], row["value"]) for row in rows] == [("A1", 0.13), ("A2", 0.2)]
    assert float(cost["total"]) == pytest.approx(0.33)


def test_reports_expire_as_the_desk_keeps_records(duck: Duck) -> None:
    buckets = Buckets()
    stored = StoredReports(cast("Any", buckets), "mail", 3)
    stored.put(
        day(FRIDAY), cast("Any", {"desk": "testdesk", "questions": []}), {"csat": listed([])}
    )
    assert set(buckets.tags.values()) == {"retention-years=3"}


def test_the_backlog_is_carried_from_day_to_day(report: Report, duck: Duck) -> None:
    old = History("A1").then("09-01 09:00", "received")
    report("daily", FRIDAY, old, History("A2").then("11-27 09:00", "received"))
    duck.folder.rename(duck.folder.parent / "gone")  # the facts before are not read again
    duck.folder.mkdir()
    backlog = report("daily", SATURDAY)["figures"]["backlog"]
    assert (backlog["opening"], backlog["closing"]) == (2, 2)
    assert backlog["by_age"] == {"<1d": 0, "1-3d": 1, "3-7d": 0, ">7d": 1}


def test_what_does_not_add_up_says_so_and_raises_the_alarm(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = History("A1").then("11-27 09:00", "received").then("11-27 10:00", is_open=0)
    written = report("daily", FRIDAY, wrong)
    assert not written["adds_up"]
    assert written["problems"] == [
        "未结工单不平：期初 0 + 收到 1 + 重开 0 + 撤销合并 0 − 解决 0 − 关闭 0 − 合并 0 ≠ 期末 0"
    ]
    lines = [json.loads(line) for line in capsys.readouterr().out.strip().splitlines()]
    (raised,) = (line for line in lines if line.get("message") == "alarm.raised")
    assert (raised["condition"], raised["desk"]) == ("report_wrong", "testdesk")
    assert (raised["report"], raised["problems"]) == ("daily 2026-11-27", written["problems"])


def test_a_reopening_after_the_end_corrects_the_report_before(report: Report) -> None:
    resolved = History("A1").then("11-27 09:00", "received").resolve("11-27 10:00", hours(1))
    first = report("daily", FRIDAY, resolved)
    assert first["figures"]["reopened"]["n"] == 0
    again = report("daily", SATURDAY, [resolved.then("11-28 09:00", "reopened").facts[-1]])
    assert again["corrections"] == [
        {"period": FRIDAY, "figure": figure, "group": None, "from": was, "to": now,
         "tickets": ["A1"]}
        for figure, was, now in (("first_time_fix", 1, 0), ("one_touch", 1, 0), ("reopened", 0, 1))
    ]  # fmt: skip
    assert (
        report("daily", "2026-11-29", [resolved.then("11-29 10:00").facts[-1]])["corrections"] == []
    )


def test_a_repeated_run_finds_the_same_corrections(report: Report) -> None:
    resolved = History("A1").then("11-27 09:00", "received").resolve("11-27 10:00", hours(1))
    report("daily", FRIDAY, resolved)
    late = [resolved.then("11-28 09:00", "reopened").facts[-1]]
    assert report("daily", SATURDAY, late) == report("daily", SATURDAY)


def test_a_merge_and_its_undoing_correct_the_volume(report: Report) -> None:
    ticket = History("A1").then("11-27 09:00", "received")
    report("daily", FRIDAY, ticket, History("A2").then("11-27 10:00", "received"))
    merged = ticket.then("11-28 09:00", "merged", into="A2").facts[-1:]
    changes = [report("daily", SATURDAY, merged)["corrections"]]
    undone = ticket.then("11-29 09:00", "unmerged").facts[-1:]
    changes.append(report("daily", "2026-11-29", undone)["corrections"])
    assert [[(each["from"], each["to"]) for each in found] for found in changes] == [
        [(2, 1)], [(1, 2)],
    ]  # fmt: skip
    assert {each["period"] for found in changes for each in found} == {FRIDAY}


def test_a_type_changed_later_corrects_the_volume_by_type(report: Report) -> None:
    ticket = History("A1").then("11-27 09:00", "received")
    report("daily", FRIDAY, ticket)
    ticket.groups = ("type=inquiry", "channel=web", "priority=high")
    found = report("daily", SATURDAY, ticket.then("11-28 09:00").facts[-1:])["corrections"]
    assert [(each["group"], each["from"], each["to"]) for each in found] == [
        ("type=fault", 1, 0), ("type=inquiry", 0, 1),
    ]  # fmt: skip


def test_rows_that_come_late_correct_volume_and_backlog(report: Report) -> None:
    report("daily", FRIDAY, History("A1").then("11-27 09:00", "received"))
    written = int(at("11-28 06:00").timestamp())
    late = History("A2").then("11-27 23:50", "received", written=written)
    found = report("daily", SATURDAY, late)
    assert [(each["figure"], each["from"], each["to"]) for each in found["corrections"]] == [
        ("backlog", 1, 2), ("volume", 1, 2),
    ]  # fmt: skip
    assert found["figures"]["backlog"]["opening"] == 2
    assert found["adds_up"]


def test_rows_that_are_written_again_correct_nothing(report: Report) -> None:
    ticket = History("A1").then("11-27 09:00", "received")
    report("daily", FRIDAY, ticket)
    again = History("A1").then(
        "11-27 09:00", "received", written=int(at("11-28 06:00").timestamp())
    )
    assert report("daily", SATURDAY, again)["corrections"] == []


def faults(month_day: str, count: int, kind: str) -> list[History]:
    return [
        History(f"{kind}{month_day}{n}", (f"type={kind}", "channel=web", "priority=high")).then(
            f"{month_day} 10:00", "received"
        )
        for n in range(count)
    ]


@pytest.mark.requirement("B11")
def test_what_stands_out_in_a_week_is_said_with_the_playbooks_suggestion(
    storage: Storage, reports: StoredReports, duck: Duck
) -> None:
    from functions.core.playbook import load

    advice = {"zh-CN": "需优化接口稳定性", "en": "make the interface more stable"}
    desk = load(DESK | {"reports": {"suggestions": {"fault": advice}}})
    weeks = [faults("11-17", 2, "fault"), faults("11-17", 18, "inquiry")]
    weeks += [faults("11-24", 30, "fault"), faults("11-24", 70, "inquiry")]
    duck.write([fact for week in weeks for history in week for fact in history])
    reports.put_written("testdesk", {"daily": "2026-11-29"})
    before, week = write_missing(storage, reports, duck, desk, "testdesk", at("11-30 00:20"))
    assert before["suggestions"] == []
    assert week["suggestions"] == [
        {
            "group": "type=fault", "label": "报障", "n": 30, "share": 0.3, "usual": 0.1,
            "suggestion": "需优化接口稳定性", "text": "报障占比30%，需优化接口稳定性",
        }
    ]  # fmt: skip


@pytest.mark.requirement("D16")
def test_a_day_beyond_the_weeks_before_is_a_jump(report: Report, duck: Duck) -> None:
    for when, count in (("10-02", 1), ("10-09", 2), ("10-16", 1), ("10-23", 2), ("11-20", 1)):
        duck.write([fact for each in faults(when, count, "fault") for fact in each])
    jumps = report("daily", FRIDAY, *faults("11-27", 9, "fault"))["jumps"]
    assert [(each["day"], each["label"], each["count"]) for each in jumps] == [
        (FRIDAY, "报障：9件，预期0.9件", 9)
    ]
    assert len(jumps[0]["tickets"]) == 9
    assert report("weekly", "2026-W48")["jumps"] == jumps


@pytest.mark.requirement("E8")
def test_a_weeks_report_has_the_most_frequent_questions(
    report: Report, storage: Storage, reports: StoredReports
) -> None:
    def proposal(id_: str, count: int, *origins: str) -> ArticleProposal:
        asked = tuple(AskedQuestion(id=one, text=f"怎么开票 {one}") for one in origins)
        return ArticleProposal(
            id=id_, source="tickets", count=count, share=count / 10, questions=asked,
            members=origins,
        )  # fmt: skip

    made_at = datetime(2026, 11, 29, 18, tzinfo=UTC)
    found = Proposals(
        made_at=made_at, since=made_at, seen=10,
        articles=(proposal("p1", 2, "A7"), proposal("p2", 5, "A1", "A2")),
    )  # fmt: skip
    storage.proposals.put("testdesk", "tickets", found)
    written = report("weekly", "2026-W48")
    assert [(each["n"], each["phrasings"][0]["from"]) for each in written["questions"]] == [
        (5, "A1"), (2, "A7"),
    ]  # fmt: skip
    week = Period.parse("weekly", "2026-W48")
    assert reports.get("testdesk", week) == written
    reports.forget("testdesk", "A7")
    reports.forget("testdesk", "A1")
    left = reports.get("testdesk", week)["questions"]
    assert [[one["from"] for one in each["phrasings"]] for each in left] == [["A2"]]


def test_figures_before_and_after_a_date(duck: Duck, playbook: Playbook) -> None:
    for n, (when, seconds) in enumerate(
        [("11-09 10:00", 600), ("11-20 23:59", 1000), ("11-21 00:00", 560), ("12-01 00:00", 9)]
    ):
        ticket = History(f"A{n}").then("11-01 09:00", "received").then(when, first_response=seconds)
        duck.write(ticket.facts)
    found = compare(duck, playbook, at("11-21 00:00").date(), 10, "en")
    figure = next(each for each in found["figures"] if each["figure"] == "first_response")
    assert figure == {
        "figure": "first_response", "label": "First response", "before": 1000, "after": 560,
        "change": pytest.approx(-0.44), "n_before": 1, "n_after": 1,
    }  # fmt: skip
    volume = next(each for each in found["figures"] if each["figure"] == "volume")
    assert (volume["before"], volume["after"], volume["change"]) == (0, 0, None)


NEXT = {
    "received": ("resolved", "closed", "merged"),
    "reopened": ("resolved", "closed", "merged"),
    "unmerged": ("resolved", "closed", "merged"),
    "resolved": ("reopened", "merged"),
    "closed": ("reopened",),
    "merged": ("unmerged",),
}
"""The flows that may follow one. A ticket that is merged after its resolution was not open."""
THREE_DAYS = 3 * 24 * 60


@st.composite
def lives(draw: Any) -> list[History]:
    """Tickets whose openness changes at random minutes of three days, one way after another."""
    found = []
    for n in range(draw(st.integers(1, 6))):
        minutes = draw(st.sets(st.integers(0, THREE_DAYS - 1), min_size=1, max_size=6))
        ticket, flow = History(f"A{n}"), "received"
        for minute in sorted(minutes):
            happened = at("11-26 00:00") + timedelta(minutes=minute)
            was_open = bool(ticket.facts) and ticket.facts[-1].is_open == 1
            if flow == "merged" and not was_open:
                ticket.then(happened, into="B1", excluded="merged", merged_into="B1")
            elif flow == "unmerged" and ticket.facts[-2].is_open == 0:
                ticket.then(happened, excluded="", merged_into="")
                flow = "resolved"
            else:
                ticket.then(happened, flow, into="B1")
            flow = draw(st.sampled_from(NEXT[flow]))
        found.append(ticket)
    return found


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=lives())
def test_every_day_and_the_days_together_add_up(
    histories: list[History], tmp_path_factory: pytest.TempPathFactory, playbook: Playbook
) -> None:
    duck = Duck(tmp_path_factory.mktemp("facts"), "testdesk", SHANGHAI)
    duck.write([fact for history in histories for fact in history])
    zone, queries = playbook.zone, Queries("testdesk", playbook.zone)
    days = [TimeSpan.of(day(f"2026-11-{n}"), zone) for n in (26, 27, 28)]
    together = TimeSpan("all", days[0].start, days[-1].end)
    reports = StoredReports(cast("Any", Buckets()), "mail")
    desk = Reporting(cast("Any", None), reports, duck, playbook, "testdesk", days[-1].end)
    closing = 0
    for span in [*days, together]:
        period = day(span.start.astimezone(zone).date().isoformat())
        backlog, corrections = desk._backlog(period, span)
        view = backlog.view(int(span.end.timestamp()))
        found = reporting._statistics(duck, queries, [span])[span.name]
        assert problems_of(found, view, "en") == []
        assert corrections == []
        if span is not together:
            assert view["opening"] == closing
            reports.put(
                period,
                cast("Any", {"desk": "testdesk", "questions": []}),
                {"open": listed(backlog.closing.values())},
            )
            closing = view["closing"]
    assert view["opening"] == 0
    assert view["closing"] == closing == sum(each.facts[-1].is_open for each in histories)


def test_a_backlog_that_misses_a_ticket_is_out_of_balance() -> None:
    ticket = OpenTicket("A1", int(at("11-27 09:00").timestamp()), open=True)
    backlog = Backlog({}, {"A1": ticket})
    assert balance(backlog.view(int(at("11-28 00:00").timestamp()))) == -1
