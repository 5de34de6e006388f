"""Each figure against a few tickets whose numbers are computed by hand."""

import pytest

from functions.core.reports.report import ReportView
from tests.reports.conftest import Report
from tests.reports.histories import History, chat, hours, presence

DAY = "2026-11-27"


def row(report: ReportView, dimension: str, value: str) -> dict[str, object]:
    table = next(each for each in report["tables"] if each["dimension"] == dimension)
    return next(dict(each) for each in table["rows"] if each["value"] == value)


@pytest.mark.requirement("D15")
def test_a_day_begins_and_ends_at_the_desks_midnight(report: Report) -> None:
    figures = report(
        "daily",
        DAY,
        History("A1").then("11-26 23:59", "received"),
        History("A2").then("11-27 00:00", "received"),
        History("A3").then("11-27 23:59", "received"),
        History("A4").then("11-28 00:00", "received"),
    )["figures"]
    assert figures["volume"] == {"n": 2}
    assert figures["backlog"]["opening"] == 1
    assert figures["backlog"]["closing"] == 3


def test_a_merged_ticket_is_left_out_of_the_volume_and_listed(report: Report) -> None:
    written = report(
        "daily",
        DAY,
        History("A1").then("11-27 09:00", "received").then("11-27 10:00", "merged", into="A2"),
        History("A2").then("11-27 09:30", "received"),
        History("A3").then("11-27 09:40", "received", "merged", into="A2"),
    )
    assert written["figures"]["volume"] == {"n": 1}
    assert written["figures"]["backlog"] == {
        "opening": 0, "received": 3, "reopened": 0, "unmerged": 0, "resolved": 0, "closed": 0,
        "merged": 2, "closing": 1, "by_age": {"<1d": 1, "1-3d": 0, "3-7d": 0, ">7d": 0},
    }  # fmt: skip
    assert written["adds_up"]


def test_durations_have_mean_median_and_the_ninth_of_ten(report: Report) -> None:
    histories = [
        History(f"A{n}")
        .then("11-26 09:00", "received")
        .then("11-27 10:00", first_response=n * 60, first_response_business=n * 6, agent="li")
        for n in range(1, 12)
    ]
    figures = report("daily", DAY, *histories)["figures"]
    assert figures["first_response"] == {
        "n": 11, "mean": 360, "median": 360, "p90": 600,
        "business": {"mean": 36, "median": 36, "p90": 60},
    }  # fmt: skip


def test_of_an_even_number_the_median_is_between_the_two_in_the_middle(report: Report) -> None:
    histories = [
        History(f"A{n}").then("11-26 09:00", "received").then("11-27 10:00", after_handover=n)
        for n in (10, 20, 25, 1000)
    ]
    figure = report("daily", DAY, *histories)["figures"]["first_response_after_handover"]
    assert (figure["median"], figure["p90"]) == (22.5, 1000)
    assert figure["business"] == {"mean": None, "median": None, "p90": None}


def test_a_ticket_resolved_twice_counts_once_with_its_last_resolution(report: Report) -> None:
    figures = report(
        "daily",
        DAY,
        History("A1")
        .then("11-27 09:00", "received")
        .resolve("11-27 10:00", hours(1))
        .then("11-27 11:00", "reopened")
        .resolve("11-27 13:00", hours(4), 2, work=hours(3), one_touch=0, first_time_fix=0),
    )["figures"]
    assert figures["resolution_first"]["mean"] == hours(1)
    assert (figures["resolution_full"]["n"], figures["resolution_full"]["mean"]) == (1, hours(4))
    assert figures["work_time"]["mean"] == hours(3)
    assert figures["reopened"] == {"n": 1, "of": 1, "share": 1}
    assert figures["one_touch"] == {"n": 0, "of": 1, "share": 0}


def test_a_reopening_counts_within_seven_days_and_before_the_end(report: Report) -> None:
    figures = report(
        "monthly",
        "2026-11",
        History("A1")
        .then("11-02 09:00", "received")
        .resolve("11-03 10:00", hours(1))
        .then("11-10 10:00", "reopened"),
        History("A2")
        .then("11-02 09:00", "received")
        .resolve("11-03 10:00", hours(1))
        .then("11-10 10:01", "reopened"),
        History("A3")
        .then("11-02 09:00", "received")
        .resolve("11-30 10:00", hours(1))
        .then("12-01 00:00", "reopened"),
    )["figures"]
    assert figures["reopened"] == {"n": 1, "of": 3, "share": pytest.approx(1 / 3)}
    assert figures["one_touch"] == {"n": 1, "of": 3, "share": pytest.approx(1 / 3)}
    assert figures["first_time_fix"]["n"] == 1


def test_deadlines_count_when_they_were_due(report: Report) -> None:
    def due(state: str, kind: str, when: str) -> str:
        second = int(History("X").then(when).facts[0].happened)
        return f"{kind}~{state}~{second}"

    figures = report(
        "daily",
        DAY,
        History("A1")
        .then("11-20 09:00", "received", running=2)
        .then(
            "11-25 10:00",
            targets=(
                due("met", "resolution", "11-27 23:59"),
                due("met", "first_response", "11-28 00:00"),
            ),
            running=1,
        ),
        History("A2")
        .then("11-27 09:00", "received", running=1)
        .then("11-27 10:00", targets=(due("breached", "resolution", "11-27 09:30"),))
        .then("11-27 11:00", targets=(due("cancelled", "callback", "11-27 11:00"),)),
    )["figures"]
    assert figures["sla"] == {
        "n": 2, "met": 1, "breached": 1, "cancelled": 1, "share": 0.5, "running": 1,
        "by_kind": {
            "callback": {"n": 0, "met": 0, "breached": 0, "cancelled": 1, "share": None},
            "resolution": {"n": 2, "met": 1, "breached": 1, "cancelled": 0, "share": 0.5},
        },
    }  # fmt: skip


def test_a_score_belongs_to_who_resolved_though_another_has_the_ticket_now(report: Report) -> None:
    reassigned = ("type=fault", "channel=web", "priority=high", "agent=wang")
    written = report(
        "daily",
        DAY,
        History("A1", reassigned)
        .then("11-26 09:00", "received")
        .resolve("11-26 10:00", hours(1))
        .then("11-27 11:00", score=5, good=1, agent="li"),
        History("A2").then("11-26 09:00", "received").then("11-27 11:00", survey_expired=1),
        History("A3")
        .then("11-26 09:00", "received")
        .then("11-27 11:00", score=2, good=0, agent="zhao"),
    )
    assert written["figures"]["csat"] == {
        "n": 2, "good": 1, "share": 0.5, "asked": 3, "answer_rate": pytest.approx(2 / 3),
        "mean": 3.5,
    }  # fmt: skip
    assert row(written, "agent", "li")["csat"] == {
        "n": 1, "good": 1, "share": 1, "asked": 1, "answer_rate": 1, "mean": 5,
    }  # fmt: skip
    assert "wang" not in [
        each["value"] for table in written["tables"] for each in table["rows"] if each["csat"]["n"]
    ]


def test_answers_of_departments_chats_and_parts(report: Report) -> None:
    figures = report(
        "daily",
        DAY,
        History("A1")
        .then("11-27 09:00", "received", outcome="handed_over")
        .then("11-27 10:00", collaborations=("store~600~300~1", "store~1200~600~0"))
        .then("11-27 11:00", parts=("filter", "hose"))
        .then("11-27 12:00", parts=("filter",)),
        [chat("c1", "11-27 09:00", "confirmed"), chat("c2", "11-27 09:00", "silent")],
        [chat("c3", "11-27 09:10", "confirmed"), chat("c4", "11-28 09:10", "confirmed")],
    )["figures"]
    assert figures["collaboration"] == {
        "n": 2, "in_time": 1, "share": 0.5, "mean": 900,
        "by_team": {"store": {"n": 2, "in_time": 1, "share": 0.5, "mean": 900}},
    }  # fmt: skip
    assert figures["assistant"] == {"confirmed": 2, "silent": 1, "handed_over": 1}
    assert figures["parts"] == {
        "n": 3, "top": [{"part": "filter", "n": 2}, {"part": "hose", "n": 1}],
    }  # fmt: skip


def test_a_period_without_data_averages_nothing(report: Report) -> None:
    written = report("weekly", "2026-W48")
    figures = written["figures"]
    assert figures["volume"] == {"n": 0}
    assert figures["first_response"]["n"] == 0
    assert figures["first_response"]["mean"] is None
    assert figures["reopened"] == {"n": 0, "of": 0, "share": None}
    assert figures["csat"]["answer_rate"] is None
    assert written["adds_up"]
    assert not any(table["rows"] for table in written["tables"])


def test_of_lines_of_one_change_the_newest_counts(report: Report) -> None:
    old = History("A1").then("11-27 09:00", "received")
    new = History("A1", ("type=inquiry", "channel=web", "priority=high"))
    new.then("11-27 09:00", "received", written=old.facts[0].written + 1)
    written = report("daily", DAY, old, new, old)
    assert written["figures"]["volume"] == {"n": 1}
    assert row(written, "type", "inquiry")["volume"] == {"n": 1}


def test_a_ticket_is_divided_by_what_it_was_at_the_end(report: Report) -> None:
    moved = History("A1").then("11-27 09:00", "received")
    moved.groups = ("type=inquiry", "tag=login", "channel=web", "priority=high", "product=X-1")
    moved.then("11-27 10:00").then("11-28 10:00", groups=("type=fault",))
    written = report("daily", DAY, moved)
    assert row(written, "type", "inquiry")["volume"] == {"n": 1}
    assert row(written, "product", "X-1")["backlog"] == {"n": 1}
    assert row(written, "tag", "login")["label"] == "G-登录"
    assert written["top_problems"] == [{"tag": "login", "label": "G-登录", "n": 1, "share": 1.0}]


def test_occupancy_is_handling_by_signed_in_time(report: Report) -> None:
    written = report(
        "daily",
        DAY,
        History("A1")
        .then("11-27 09:00", "received", actor="customer")
        .then("11-27 09:04", actor="li", handling=1)
        .then("11-27 10:00", actor="li", handling=1),
        [presence("li", "11-26 23:00", 1), presence("li", "11-27 01:00", 0)],
        [presence("li", "11-27 23:00", 1)],
    )
    li = row(written, "agent", "li")
    assert (li["handled"], li["handling"], li["signed_in"]) == (1, 240 + 600, hours(2))
    assert li["occupancy"] == pytest.approx(840 / 7200)
