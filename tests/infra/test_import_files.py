"""Reading other help desks' exports: one ticket at a time, bad ones reported, words mapped."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.roster import Agent
from functions.core.playbook import load
from infra.bench.moving import write_export
from infra.console import mapping as mappings
from infra.console.errors import UsageError
from infra.console.importing import ImportRun, Tally, progress
from infra.console.parallel import WINDOW, in_order
from infra.console.sources import Source, SourceTicket, read
from infra.deploy.desks import SHIPPED

STANDARD = load(SHIPPED / "standard.yaml")
AGENT = Agent(desk="standard", username="li-1", role="agent", team="技术支持组", capacity=5,
              email="anna@example.com", display_name="客服-李")  # fmt: skip


def translator(mapped: mappings.Mapped) -> mappings.Translator:
    return mappings.Translator("zendesk", mapped, STANDARD, {"li-1": AGENT})


def ticket(**changes: object) -> SourceTicket:
    fields: dict[str, object] = {
        "key": "1", "reference": "1", "received_at": "2024-03-04T02:10:00Z", "status": "open",
        "contact": "a@example.com", "description": "无法登录",
    }  # fmt: skip
    return SourceTicket(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_first_guess_knows_names_labels_and_common_words() -> None:
    words = mappings.WordsOfFile()
    words.note(
        ticket(status="pending", type="Fault report", priority="3 high", agent="anna@example.com",
               score="bad", tags=("无法登录", "x"), channel="email")
    )  # fmt: skip
    words.note(ticket(status="weird", priority="urgent", agent="bob@example.com", score="103"))
    words.note(ticket(status="pending", priority="2 normal"))
    words.note(ticket(status="pending", priority="low", agent="客服-李"))
    gone = AGENT.model_copy(update={"username": "bob", "email": "bob@example.com", "active": False})
    found = mappings.guess(words, STANDARD, [gone, AGENT])
    assert found.statuses == {"pending": "waiting", "weird": ""}
    assert found.types == {"Fault report": "报障"}
    assert found.priorities == {"3 high": "高", "urgent": "高", "2 normal": "中", "low": "低"}
    assert found.tags == {"无法登录": "无法登录", "x": ""}
    assert found.agents == {"anna@example.com": "li-1", "bob@example.com": "", "客服-李": "li-1"}
    assert found.satisfaction == {"bad": 1, "103": 5}
    assert list(mappings.misfits(words, found, STANDARD)) == [
        "unknown status, its tickets stay out: weird (1)",
        "tag without a counterpart, left out: x (1)",
        "agent who is not on the roster, shown as the system: bob@example.com (1)",
    ]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"contact": ""}, "no contact"),
        ({"contact": "nobody"}, "neither a phone number nor"),
        ({"status": "weird"}, "unknown status weird"),
        ({"received_at": "soon"}, "no time: received 'soon'"),
        ({"description": ""}, "no text"),
        ({"reference": "a b"}, "no usable number"),
    ],
)
def test_a_ticket_that_does_not_fit_is_named(changes: dict[str, str], cause: str) -> None:
    with pytest.raises(mappings.Misfit, match=cause):
        translator(mappings.Mapped(statuses={"open": "open"})).translate(ticket(**changes), [])


def test_long_texts_are_cut_and_naive_times_are_the_desk_s() -> None:
    notes: list[str] = []
    long = ticket(description="长" * 60_000, received_at="2024-03-04 10:00")
    found = translator(mappings.Mapped(statuses={"open": "open"})).translate(long, notes)
    assert found is not None
    assert (len(found.description), len(notes)) == (mappings.LONGEST, 1)
    assert found.received_at == datetime(2024, 3, 4, 2, tzinfo=UTC)


def test_skipped_tickets_and_accounts(tmp_path: Path) -> None:
    statuses = {"open": "open", "deleted": "skip"}
    mapped = mappings.Mapped(account="eu", statuses=statuses, satisfaction={"9": 9})
    assert translator(mapped).translate(ticket(status="deleted"), []) is None
    found = translator(mapped).translate(ticket(score="9"), [])
    assert found is not None
    assert (found.key, found.score) == ("eu/1", None)  # the desk has no such score
    wrong = tmp_path / "m.yaml"
    wrong.write_text("statusses: {}", "utf-8")
    with pytest.raises(UsageError, match="statusses"):
        mappings.load(wrong)


@pytest.mark.parametrize("form", ["lines", "list", "page", "indented"])
def test_a_file_is_a_list_lines_or_pages(tmp_path: Path, form: str) -> None:
    tickets = [
        {"id": n, "created_at": "2024-01-01T00:00:00Z", "status": "open", "requester_id": 7,
         "description": f"]无法{n}"}
        for n in range(3)
    ]  # fmt: skip
    users = [{"id": 7, "email": "a@example.com", "name": "x"}]
    page = {"users": users, "tickets": tickets, "next_page": None}
    text = {
        "lines": "\n".join(json.dumps(one) for one in ({"users": users}, *tickets)),
        "list": json.dumps([{"users": users}, *tickets]),
        "page": json.dumps(page),
        "indented": json.dumps(page, indent=1),
    }[form]
    file = tmp_path / "x.json"
    file.write_text(text, "utf-8")
    found = [one.ticket for one in read("zendesk", file)]
    assert [(one.key, one.contact) for one in found if one] == [
        (str(n), "a@example.com") for n in range(3)
    ]


NOTE = {"id": 1, "author_id": 9, "body": "内部", "public": False, "created_at": "2024-01-01"}
ASKED = {"id": 2, "author_id": 7, "body": "无法登录", "created_at": "2024-01-02"}
FRESH = {"id": 1, "created_at": "2024-01-01", "status": 2, "description_text": "x"}
RATED = [{"created_at": f"2024-01-0{n}", "ratings": {"default_question": 100 + n}} for n in (3, 1)]


@pytest.mark.parametrize(
    ("source", "found", "expected"),
    [
        # An internal note, which is also the description, is not shown as the customer's request.
        ("zendesk", {"description": "内部", "comments": [NOTE]}, {"description": ""}),
        ("zendesk", {"description": "内部", "is_public": False}, {"description": ""}),
        ("zendesk", {"comments": [NOTE, ASKED]}, {"description": "无法登录"}),
        ("zendesk", {"status": "closed", "tags": ["closed_by_merge"]}, {"status": "merged"}),
        ("freshdesk", FRESH | {"spam": True}, {"status": "spam"}),
        ("freshdesk", FRESH | {"status": 6}, {"status": "waiting on customer"}),
        ("freshdesk", FRESH | {"deleted": True}, {"status": "deleted"}),
        ("freshdesk", FRESH | {"source": 13}, {"channel": "13"}),
        ("freshdesk", FRESH | {"responder_id": 9, "responder_name": "Anna"}, {"agent": "Anna"}),
        ("freshdesk", FRESH | {"satisfaction_ratings": RATED}, {"score": "103"}),
    ],
)  # fmt: skip
def test_what_a_product_calls_otherwise_is_understood(
    tmp_path: Path, source: Source, found: dict[str, Any], expected: dict[str, str]
) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"id": 1, "created_at": "2024-01-01", "status": "open"} | found))
    ((_, ticket, problem),) = read(source, file)
    assert ticket is not None, problem
    assert {name: getattr(ticket, name) for name in expected} == expected


def test_what_is_no_ticket_is_reported_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('[{"id": 1}, "x", {"id": 2, "created_at": "2024', "utf-8")
    assert [(one.where, one.ticket is None) for one in read("zendesk", file)] == [
        ("item 1", True), ("item 2", True), ("item 3", True),
    ]  # fmt: skip


def test_few_are_under_way_and_results_are_in_order() -> None:
    taken: list[int | None] = []
    ended: set[int] = set()

    def items() -> Iterator[int | None]:
        for item in (*range(40), None, 40):
            if item == 40:
                assert ended == {*range(40)}  # None waited for all
            taken.append(item)
            yield item

    def work(item: int) -> int:
        time.sleep(0.002 if item % 2 else 0)
        ended.add(item)
        if item == 7:
            raise ValueError
        return -item

    for item, done in in_order(work, items()):
        assert len(taken) <= item + WINDOW + 2
        if item == 7:
            assert isinstance(done.exception(), ValueError)
        else:
            assert done.result() == -item
    assert len(taken) == 42


@pytest.mark.slow
def test_a_dry_run_of_any_length_holds_little_memory(tmp_path: Path) -> None:
    peaks = []
    for count in (500, 5_000):
        file = tmp_path / f"{count}.jsonl"
        write_export(file, count)
        words = mappings.words_of(read("zendesk", file))
        run = ImportRun(STANDARD, translator(mappings.guess(words, STANDARD, [AGENT])))
        tally = Tally()
        tracemalloc.start()
        for _ in run.run("zendesk", file, tally, lambda: datetime.now(UTC)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (tally.imported, tally.bad) == (count, 0)
    assert peaks[1] < 1.5 * peaks[0] + 500_000


def test_progress_is_said_once_a_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times = iter([0.0, 0.4, 0.8, 1.2, 1.2, 1.6, 2.4, 2.4])
    monkeypatch.setattr("infra.console.importing.time.monotonic", lambda: next(times))
    with (tmp_path / "said").open("w", encoding="utf-8") as out:
        assert [*progress(range(5), "tickets", out)] == [*range(5)]
    assert (tmp_path / "said").read_text("utf-8") == "3 tickets\n5 tickets\n"
