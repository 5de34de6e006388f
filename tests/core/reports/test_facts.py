"""The facts of a ticket's history: each measure on the commit that settles it."""

from datetime import timedelta
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.domain import commands as c, events as e
from functions.core.domain.errors import ActionNotAllowed, AlreadyAnswered
from functions.core.domain.journal import ChatEnd, JournalEntry
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.playbook import load
from functions.core.reports.columns import COLUMNS, Fact, fact_of_line
from functions.core.reports.facts import chat_fact, facts_of, is_good, presence_fact
from tests.core.reports.sample_life import DESK_OF_MEASURES, Life, desk_of_measures
from tests.core.sample_desk import NOON

LATER = NOON + timedelta(days=3)
HOUR = 3600


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return desk_of_measures()


def facts(life: Life, usages: Any = None) -> list[Fact]:
    return facts_of(life.history, life.playbook, LATER, usages)


def last(life: Life) -> Fact:
    return facts(life)[-1]


def flows(life: Life) -> list[tuple[str, ...]]:
    return [fact.flow for fact in facts(life)]


def received(playbook: Playbook, **changes: Any) -> Life:
    return Life(playbook).receive(**changes)


def product(name: str | None = None, model: str | None = None) -> dict[str, Any]:
    return {"product": e.request.Product(name=name, model=model)}


class TestWhatATicketIs:
    def test_the_first_fact_holds_the_request(self, playbook: Playbook) -> None:
        customer = Customer(
            name="李女士", contact="****8000", kind="phone", hash="h", customer_class="vip"
        )
        life = received(playbook, customer=customer, description="无法登录")
        (fact,) = facts(life, {1: {"lambda": 0.5, "unused": 0}})
        at = int(NOON.timestamp())
        assert (fact.schema_version, fact.kind, fact.number, fact.version) == (
            1, "ticket", "CS20260310001", 1,
        )  # fmt: skip
        assert (fact.happened, fact.received, fact.written) == (at, at, int(LATER.timestamp()))
        assert (fact.status_before, fact.status) == ("", "received")
        assert fact.events[:2] == ("TicketReceived", "TicketClassified")
        assert (fact.type, fact.tags, fact.priority, fact.channel, fact.locale) == (
            "fault", ("login",), "medium", "web", "zh-CN",
        )  # fmt: skip
        assert fact.groups == ("type=fault", "tag=login", "channel=web", "priority=medium")
        assert (fact.actor, fact.handling, fact.previous, fact.customer_class) == (
            "customer", 0, None, "vip",
        )  # fmt: skip
        assert (fact.flow, fact.is_open, fact.running) == (("received",), 1, 2)
        assert fact.usage == ("lambda~0.5",)
        assert not any("李" in line for line in fact.line().split("\t"))

    def test_later_facts_hold_the_ticket_after_the_change(self, playbook: Playbook) -> None:
        fact = last(received(playbook).assign().wait(minutes=5).reply())
        assert (fact.status_before, fact.status) == ("assigned", "in_progress")
        assert (fact.handler, fact.team) == ("li-1", "technical")
        assert {"team=technical", "agent=li-1"} <= set(fact.groups)
        assert (fact.handling, fact.previous) == (1, int(NOON.timestamp()))

    def test_a_product_is_its_line_else_its_model_else_nothing(self, playbook: Playbook) -> None:
        assert last(received(playbook, **product("空调", "kfr-35"))).product == "空调"
        assert "model=KFR-35" in last(received(playbook, **product("空调", "kfr-35"))).groups
        assert last(received(playbook, **product("风扇", "fs-40/a"))).product == "FS-40/A"
        assert last(received(playbook, **product("风扇"))).product == ""

    @pytest.mark.parametrize("model", ["我的风扇", "FAN", "12345", "A 1", "X" * 20 + "1"])
    def test_a_model_that_is_no_code_is_left_out(self, playbook: Playbook, model: str) -> None:
        fact = last(received(playbook, **product(model=model)))
        assert fact.product == ""
        assert not [group for group in fact.groups if group.startswith(("product", "model"))]

    def test_a_line_stays_when_the_customer_is_erased(self, playbook: Playbook) -> None:
        life = received(playbook, **product("空调", "kfr-35"))
        (request,) = life.history[0].of(e.TicketReceived)
        erased = request.model_copy(update={"product": e.request.Product()})
        life.history[0] = life.history[0].model_copy(
            update={"events": (erased, *life.history[0].events[1:])}
        )
        fact = last(life)
        assert fact.product == "空调"
        assert not any("KFR" in group for group in fact.groups)

    def test_a_line_of_the_file_gives_the_same_fact(self, playbook: Playbook) -> None:
        life = received(playbook).assign().reply().resolve()
        for fact in facts(life):
            assert fact_of_line(fact.line()) == fact
            assert len(fact.line().split("\t")) == len(COLUMNS)


class TestOpenness:
    def test_a_life_from_receipt_to_reopening(self, playbook: Playbook) -> None:
        life = received(playbook).assign().reply().resolve()
        life.do(c.Reopen("又坏了"), "customer").assign().resolve()
        assert flows(life) == [
            ("received",), (), (), ("resolved",), ("reopened",), (), ("resolved",),
        ]  # fmt: skip

    def test_a_ticket_that_awaits_a_yes_is_resolved_already(self) -> None:
        statuses = {**DESK_OF_MEASURES["statuses"]}
        statuses["awaiting_confirmation"] = statuses["resolved"]
        playbook = desk_of_measures(confirmation={"solved": "archive"}, statuses=statuses)
        life = received(playbook).assign().resolve()
        assert (last(life).status, last(life).is_open) == ("awaiting_confirmation", 0)
        assert last(life).flow == ("resolved",)
        assert last(life.do(c.Confirm(solved=True), "customer")).flow == ()

    def test_an_answer_that_it_is_not_solved_reopens(self) -> None:
        statuses = {**DESK_OF_MEASURES["statuses"]}
        statuses["awaiting_confirmation"] = statuses["resolved"]
        playbook = desk_of_measures(confirmation={"solved": "archive"}, statuses=statuses)
        life = received(playbook).assign().resolve().do(c.Confirm(solved=False), "customer")
        assert last(life).flow == ("reopened",)

    def test_merged_and_separated_again(self, playbook: Playbook) -> None:
        life = received(playbook).assign().do(c.Merge("CS2"))
        assert (last(life).flow, last(life).merged_into, last(life).excluded) == (
            ("merged",), "CS2", "merged",
        )  # fmt: skip
        life.do(c.Unmerge())
        assert (last(life).flow, last(life).excluded, last(life).is_open) == (("unmerged",), "", 1)

    def test_merging_what_has_ended_moves_nothing(self, playbook: Playbook) -> None:
        life = received(playbook).assign().resolve().do(c.Merge("CS2")).do(c.Unmerge())
        assert flows(life)[-2:] == [(), ()]

    def test_closing(self, playbook: Playbook) -> None:
        assert last(received(playbook).do(c.Close("spam"))).flow == ("closed",)

    def test_a_ticket_that_comes_merged(self, playbook: Playbook) -> None:
        life = received(playbook)
        merged = e.TicketMerged(other="CS2")
        commit = life.history[0]
        both = commit.model_copy(update={"events": (*commit.events, merged)})
        (fact,) = facts_of([both], playbook, LATER)
        assert (fact.flow, fact.is_open) == (("received", "merged"), 0)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.sampled_from(
                [
                    c.Assign("technical", "li-1", by_person=True), c.Reply("好"),
                    c.Resolve("已重置"), c.Reopen("又坏了"), c.Close("spam"), c.Merge("CS2"),
                    c.Unmerge(), c.AnswerSurvey(5), c.AnswerSurvey(2), c.ExpireSurvey(1),
                    c.CustomerMessage("还有", "web"), c.RequestInformation("型号？"),
                    c.CommandGroup((c.Reopen("又坏了"), c.Assign("technical", "li-2"))),
                ]
            ),
            max_size=12,
        )
    )  # fmt: skip
    def test_what_went_in_and_out_is_what_is_open(self, commands: list[c.Command]) -> None:
        life = received(_DESK)
        for command in commands:
            try:
                life.wait(minutes=10).do(command)
            except (ActionNotAllowed, AlreadyAnswered):
                continue
        made = facts(life)
        signs = {"received": 1, "reopened": 1, "unmerged": 1}
        moved = (sum(signs.get(flow, -1) for flow in fact.flow) for fact in made)
        assert list(accumulate(moved)) == [fact.is_open for fact in made]


_DESK = desk_of_measures()


class TestFirstResponse:
    def test_it_counts_from_the_receipt_to_the_first_reply_of_a_person(
        self, playbook: Playbook
    ) -> None:
        life = received(playbook).assign().wait(hours=3).reply("wang-2").wait(hours=1).reply()
        _, assigned, first, second = facts(life)
        # From 12:00 to 15:00; the desk opens at 13:30 after lunch.
        assert (first.first_response, first.first_response_business) == (3 * HOUR, 1.5 * HOUR)
        assert (first.agent, first.after_handover) == ("wang-2", None)
        assert (assigned.first_response, second.first_response) == (None, None)

    def test_a_call_that_the_desk_makes_counts(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(minutes=10).step("phone")
        assert last(life).first_response == 600

    def test_what_waits_for_a_call_counts_when_the_call_is_made(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(minutes=10)
        life.commit(e.ReplySent(text="请重置密码。"), e.CallRequested(), actor="li-1")
        assert last(life).first_response is None
        life.wait(minutes=10).do(c.RecordCall("已告知"))
        assert last(life).first_response == 1200
        assert last(life.wait(minutes=5).resolve()).one_touch == 1

    def test_after_a_chat_it_counts_from_the_customer_s_first_line(
        self, playbook: Playbook
    ) -> None:
        line = e.request.ChatLine
        spoken = (
            line(writer="assistant", text="您好", at=NOON - timedelta(minutes=6)),
            line(writer="customer", text="退款", at=NOON - timedelta(minutes=5)),
            line(writer="customer", text="人工", at=NOON - timedelta(minutes=1)),
        )
        chat = e.request.ChatHandedOver(id="chat-1", reason="asked", conversation=spoken)
        life = received(playbook, chat=chat).assign().wait(minutes=10).reply()
        assert [fact.outcome for fact in facts(life)] == ["handed_over", "", ""]
        assert (last(life).first_response, last(life).after_handover) == (900, 600)
        assert last(life).after_handover_business == 0  # still lunch


class TestResolution:
    def test_first_and_full_resolution(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(hours=2).resolve()
        fact = last(life)
        assert (fact.resolution, fact.agent) == (1, "li-1")
        assert (fact.resolution_first, fact.resolution_first_business) == (2 * HOUR, 0.5 * HOUR)
        assert (fact.resolution_full, fact.resolution_full_business) == (2 * HOUR, 0.5 * HOUR)
        life.wait(hours=1).do(c.Reopen("又坏了"), "customer").assign("wang-2")
        fact = last(life.wait(hours=1).resolve("wang-2"))
        assert (fact.resolution, fact.agent, fact.resolution_first) == (2, "wang-2", None)
        assert (fact.resolution_full, fact.resolution_full_business) == (4 * HOUR, 2.5 * HOUR)
        # The hour in which it was resolved is no work.
        assert (fact.work, fact.work_business) == (3 * HOUR, 1.5 * HOUR)

    def test_waiting_for_the_customer_is_no_work(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(hours=2).do(c.RequestInformation("型号？"))
        life.wait(hours=3).do(c.CustomerMessage("KFR", "web"), "customer").wait(hours=1).resolve()
        assert (last(life).work, last(life).work_business) == (3 * HOUR, 1.5 * HOUR)

    def test_the_playbook_says_what_pauses_work(self) -> None:
        timers = {**DESK_OF_MEASURES["timers"]}
        pausing = desk_of_measures(timers={"collaboration": timers["collaboration"]})
        for playbook, work in ((desk_of_measures(), 3 * HOUR), (pausing, HOUR)):
            life = received(playbook).assign().step("ask", owner="general").wait(hours=2)
            life.step("answer", "cang-1").wait(hours=1).resolve()
            assert last(life).work == work

    def test_being_merged_is_no_work(self, playbook: Playbook) -> None:
        life = received(playbook).assign().do(c.Merge("CS2")).wait(hours=5).do(c.Unmerge())
        assert last(life.wait(hours=1).resolve()).work == HOUR

    @pytest.mark.parametrize(
        ("replies", "others", "expected"), [(0, (), 1), (1, (), 1), (2, (), 0), (1, ("wang-2",), 0)]
    )
    def test_one_touch(
        self, playbook: Playbook, replies: int, others: tuple[str, ...], expected: int
    ) -> None:
        life = received(playbook).assign()
        for _ in range(replies):
            life.wait(minutes=1).reply()
        for other in others:
            life.assign(other)
        assert last(life.resolve()).one_touch == expected

    def test_reopened_is_neither_one_touch_nor_fixed_at_first(self, playbook: Playbook) -> None:
        life = received(playbook).assign().resolve()
        assert (last(life).one_touch, last(life).first_time_fix) == (1, 1)
        life.do(c.Reopen("又坏了"), "customer").assign().resolve()
        assert (last(life).one_touch, last(life).first_time_fix) == (0, 0)

    def test_a_second_visit_is_no_first_time_fix(self, playbook: Playbook) -> None:
        life = received(playbook).assign().step("visit").wait(days=1).step("visit").resolve()
        assert (last(life).first_time_fix, last(life).one_touch) == (0, 1)
        assert last(received(playbook).assign().step("visit").resolve()).first_time_fix == 1


class TestSurvey:
    def test_a_score_belongs_to_who_resolved_last(self, playbook: Playbook) -> None:
        life = received(playbook).assign().resolve("wang-2").wait(hours=1)
        fact = last(life.do(c.AnswerSurvey(5), "customer"))
        assert (fact.score, fact.good, fact.agent) == (5, 1, "wang-2")

    def test_a_survey_without_an_answer(self, playbook: Playbook) -> None:
        life = received(playbook).assign().resolve().wait(days=7).do(c.ExpireSurvey(1), "system")
        assert (last(life).survey_expired, last(life).score, last(life).agent) == (1, None, "li-1")

    def test_good_is_the_better_half(self, playbook: Playbook) -> None:
        assert [is_good(score, playbook) for score in range(1, 6)] == [
            False, False, False, True, True,
        ]  # fmt: skip
        labels = {"label": {"zh-CN": "词", "en": "word"}}
        survey = {
            **DESK_OF_MEASURES["survey"],
            "scores": [1, 4],
            "words": {f"w{score}": {**labels, "score": score} for score in (4, 3, 2, 1)},
            "review": {"below": 2, "team": "qa", "within": "3d"},
        }
        worded = load({**DESK_OF_MEASURES, "survey": survey})
        assert [is_good(score, worded) for score in (1, 2, 3, 4)] == [False, False, True, True]


class TestTargets:
    def test_met_targets_count_when_they_were_due(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(hours=1).reply()
        due = int((NOON + timedelta(days=1)).timestamp())
        assert last(life).targets == (f"first_response~met~{due}",)
        assert [fact.running for fact in facts(life)] == [2, 2, 1]

    def test_missed_targets_count_when_they_were_due(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(hours=25).reply()
        due = int((NOON + timedelta(days=1)).timestamp())
        assert last(life).targets == (f"first_response~breached~{due}",)

    def test_a_breach_counts_once(self, playbook: Playbook) -> None:
        life = received(playbook).assign().wait(hours=24).do(c.Tick(), "system")
        assert len(last(life).targets) == 1
        assert last(life.wait(hours=1).do(c.Tick(), "system")).targets == ()
        assert last(life.wait(hours=1).assign().reply()).targets == ()

    def test_cancelled_targets_count_when_they_end(self, playbook: Playbook) -> None:
        life = received(playbook).wait(hours=1).do(c.Close("spam"))
        at = int(life.at.timestamp())
        assert last(life).targets == (
            f"first_response~cancelled~{at}", f"resolution~cancelled~{at}",
        )  # fmt: skip

    def test_a_far_deadline_counts_within_sixty_days(self) -> None:
        timers = {"resolution": {"start": "TicketReceived", "stop": "TicketResolved",
                                 "within": "200d"}}  # fmt: skip
        life = received(desk_of_measures(timers=timers)).assign().resolve()
        counted = int((NOON + timedelta(days=60)).timestamp())
        assert last(life).targets == (f"resolution~met~{counted}",)


class TestSteps:
    @pytest.mark.parametrize(("hours", "in_time"), [(2, 1), (2.5, 0)])
    def test_a_department_s_answer(self, playbook: Playbook, hours: float, in_time: int) -> None:
        life = received(playbook).assign().step("ask", owner="general").wait(hours=hours)
        life.step("answer", "cang-1")
        seconds = int(hours * HOUR)
        assert last(life).collaborations == (f"general~{seconds}~{seconds - 5400}~{in_time}",)

    def test_an_answer_that_nothing_limits(self) -> None:
        life = received(desk_of_measures(timers={})).assign().step("ask", owner="general")
        life.wait(minutes=1).step("answer", "cang-1")
        assert last(life).collaborations == ("general~60~0~",)

    def test_parts_and_compensation(self, playbook: Playbook) -> None:
        life = received(playbook).assign()
        life.step("repaired", work_done="换了", parts_used="滤芯、启动器|A", amount="12.50")
        fact = last(life)
        assert (fact.parts, fact.compensation) == (("滤芯", "启动器", "A"), "12.50")
        assert (fact.resolution, fact.flow) == (1, ("resolved",))
        assert [earlier.compensation for earlier in facts(life)[:-1]] == ["", ""]


def test_facts_are_the_same_each_time(playbook: Playbook) -> None:
    life = received(playbook).assign().reply().resolve()
    assert facts(life) == facts(life)


def test_presence_and_the_end_of_a_chat() -> None:
    came = JournalEntry(number="li-1", version=1, at=NOON, presence=True)
    fact = presence_fact(came, LATER)
    assert (fact.kind, fact.number, fact.presence) == ("presence", "li-1", 1)
    assert fact.version == fact.happened == int(NOON.timestamp())
    end = ChatEnd(outcome="silent", channel="web")
    ended = JournalEntry(number="chat-1", version=3, at=NOON, chat_end=end, usage={"lambda": 2})
    fact = chat_fact(ended, end, LATER)
    assert (fact.kind, fact.version, fact.outcome, fact.channel) == ("chat", 1, "silent", "web")
    assert (fact.groups, fact.usage) == (("channel=web",), ("lambda~2",))
