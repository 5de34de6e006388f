"""A playbook is checked before it is used: what is wrong is named with its line and key."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic_core import PydanticCustomError

from functions.core.domain.errors import PlaybookError
from functions.core.domain.rules import Message, Playbook, duration, load, written
from tests.core.sample_desk import DESK, SHANGHAI, both

FILE = Path(__file__).parents[3] / "playbooks" / "standard.yaml"


@pytest.fixture(scope="module")
def standard() -> Playbook:
    return load(FILE)


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("90s", timedelta(seconds=90)),
            ("30m", timedelta(minutes=30)),
            ("37h30m", timedelta(hours=37, minutes=30)),
            ("1 d", timedelta(days=1)),
            ("2w", timedelta(weeks=2)),
        ],
    )
    def test_are_read(self, text: str, length: timedelta) -> None:
        assert duration(text) == length

    @pytest.mark.parametrize("text", ["", "30", "m", "ten minutes", "1h and more", "-1h", None])
    def test_are_refused_where_they_are_none(self, text: str | None) -> None:
        with pytest.raises(PydanticCustomError, match="expected a duration such as 30m"):
            duration(text)

    @given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=999)))
    def test_are_written_as_they_are_read(self, length: timedelta) -> None:
        whole = timedelta(seconds=int(length.total_seconds()))
        assert duration(written(whole)) == whole


SOURCE = FILE.read_text(encoding="utf-8")

MISTAKES = {
    "an unknown key": (
        "  capacity: 5", "  size: 5", "assignment.size: there is no such key; there is capacity",
    ),
    "a missing key": (
        "default_type: 其他\n", "", "default_type: this key is missing",
    ),
    "a duration in words": (
        "within: 10m", "within: ten minutes",
        "timers.confirm_type.within: expected a duration such as 30m, 2h or 3d, got 'ten minutes'",
    ),
    "a duration of nothing": (
        "within: 10m", "within: 0m", "timers.confirm_type.within: expected a duration longer than",
    ),
    "a duration missing for a priority": (
        "{高: 2h, 中: 24h, 低: 24h}", "{高: 2h, 中: 24h}",
        "timers.first_response.within: the time for '低' is missing",
    ),
    "a duration for an unknown priority": (
        "{高: 2h, 中: 24h, 低: 24h}", "{高: 2h, 中: 24h, 低: 24h, 特急: 1h}",
        "timers.first_response.within.特急: there is no '特急'; there is 高, 中, 低",
    ),
    "a share over 1": (
        "warn_at: [0.75]", "warn_at: [75]",
        "timers.first_response.warn_at.0: expected less than 1, got '75'",
    ),
    "an unknown timer": (
        "  confirm_type:\n    start", "  confirm:\n    start",
        "timers.confirm: there is no 'confirm'; there is first_response",
    ),
    "an unknown event": (
        "on: TicketResolved", "on: TicketSolved",
        "notifications.9.on: there is no 'TicketSolved'; there is ApprovalGiven",
    ),
    "an unknown recipient": (
        "{on: ReplySent, to: customer", "{on: ReplySent, to: client",
        "notifications.5.to: expected 'customer', 'handler', 'team', 'supervisor' or 'qa', "
        "'team:' with a team's name, or 'field:' with a step's field, got 'client'",
    ),
    "an unknown team that is told": (
        "{on: ReplySent, to: customer", "{on: ReplySent, to: team:warehouse",
        "notifications.5.to: there is no 'warehouse'",
    ),
    "an unknown message": (
        "message: follow_up", "message: followup",
        "timers.customer_info.on_breach.tell.0.message: there is no 'followup'; there is received",
    ),
    "a missing translation": (
        "{zh-CN: 咨询, en: Enquiry}", "{zh-CN: 咨询}",
        "types.咨询.label: the text in en is missing",
    ),
    "a text in no language": (
        "{zh-CN: 咨询, en: Enquiry}", "Enquiry",
        "types.咨询.label: expected a text in each language",
    ),
    "an unknown language": (
        "{zh-CN: 咨询, en: Enquiry}", "{zh-CN: 咨询, en: Enquiry, fr: Demande}",
        "types.咨询.label.fr: expected 'zh-CN' or 'en', got 'fr'",
    ),
    "an unknown team": (
        "team: 售后组\n  - team", "team: 退货组\n  - team",
        "routing.6.team: there is no '退货组'; there is 技术支持组, 售后组",
    ),
    "an unknown tag": (
        "when: {tags: [系统崩溃]}", "when: {tags: [系统]}",
        "rules.0.when.tags: there is no '系统'; there is 系统崩溃",
    ),
    "an unknown priority": (
        "then: {priority: 高}", "then: {priority: 特急}",
        "rules.0.then.priority: there is no '特急'; there is 高, 中, 低",
    ),
    "an unknown article": (
        "article: refund", "article: refunds", "templates.7.article: there is no 'refunds'",
    ),
    "an unknown variable": (
        "{{ summary }}", "{{ sumary }}",
        "messages.resolved.text.zh-CN: there is no variable 'sumary'; there is description",
    ),
    "an unclosed variable": (
        "{{ summary }}", "{{ summary }", "messages.resolved.text.zh-CN: cannot be filled in:",
    ),
    "an unknown filter": (
        "{{ summary }}", "{{ summary | shout }}",
        "messages.resolved.text.zh-CN: cannot be filled in: No filter named 'shout'",
    ),
    "a text that fails when it is filled in": (
        "{{ summary }}", "{{ 1 / (score | int) }}",
        "messages.resolved.text.zh-CN: cannot be filled in: division by zero",
    ),
    "a text that reaches for the inside": (
        "{{ summary }}", "{{ summary.__class__.__mro__ }}",
        "messages.resolved.text.zh-CN: cannot be filled in:",
    ),
    "a number without its serial": (
        "{serial:03}", "", "number: the pattern needs {serial} and may write letters",
    ),
    "a number with an unknown part": (
        "{serial:03}", "{serial:03}{shop}", "number: the pattern cannot be filled in: 'shop'",
    ),
    "a number with a slash": (
        "CS{date", "CS/{date", "number: the pattern needs {serial}",
    ),
    "a restart that is no period": (
        "restarts: day", "restarts: hour",
        "number.restarts: expected 'day', 'month', 'year' or 'never', got 'hour'",
    ),
    "a key twice": (
        "locale: zh-CN\n", "locale: zh-CN\nlocale: en\n", "locale: stands twice, first on line 10",
    ),
    "a template twice": (
        "id: login", "id: password-recovery", "templates.3.id: 'password-recovery' stands twice",
    ),
    "an empty keyword": (
        "[咨询, 请问", '["", 请问', "types.咨询.keywords.0: expected a word, got an empty text",
    ),
    "a time of day in words": (
        'mon: [["09:00"', 'mon: [["9am"',
        """calendar: hours.mon[0][0]: expected a time "HH:MM" from "00:00" to "24:00", got '9am'""",
    ),
    "an unknown time zone": (
        "Asia/Shanghai", "Asia/Nowhere", "calendar: timezone: expected an IANA time zone",
    ),
    "a routing without an end": (
        "  - team: 通用咨询组\n", "", "routing.6: the last destination must stand without `when`",
    ),
    "a routing that ends too early": (
        "  - when: {type: 报障}\n", "  -\n",
        "routing.5: without `when` it takes every ticket",
    ),
    "a review that no score reaches": (
        "below: 4", "below: 9", "survey.review.below: expected a number from 2 to 5",
    ),
    "scores upside down": (
        "scores: [1, 5]", "scores: [5, 1]", "survey.scores: expected the lowest and the highest",
    ),
    "too short a retention": (
        "years: 3", "years: 2", "retention.years: expected 3, 5, 7 or 10, got '2'",
    ),
    "a word for a number": (
        "capacity: 5", "capacity: many", "assignment.capacity: expected a whole number, got 'many'",
    ),
    "a mailbox that is none": (
        "support@standard.local", "support", "mail.address: expected a mail address, got 'support'",
    ),
    "a tab": ("desk: standard", "\tdesk: standard", "not YAML: found character"),
}  # fmt: skip


def _line_of(changed: str) -> int:
    """The first line that differs from the playbook as it is."""
    pairs = zip(SOURCE.splitlines(), changed.splitlines(), strict=False)
    return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_key_and_what_was_expected(
    mistake: str, tmp_path: Path
) -> None:
    old, new, message = MISTAKES[mistake]
    assert old in SOURCE
    file = tmp_path / "desk.yaml"
    file.write_text(SOURCE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlaybookError) as caught:
        load(file)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "mistake",
    ["an unknown key", "an unknown team", "an unknown message", "a missing translation"],
)
def test_a_mistake_is_named_with_its_line(mistake: str, tmp_path: Path) -> None:
    old, new, _ = MISTAKES[mistake]
    changed = SOURCE.replace(old, new, 1)
    file = tmp_path / "desk.yaml"
    file.write_text(changed, encoding="utf-8")
    with pytest.raises(PlaybookError, match=rf":{_line_of(changed)}: "):
        load(file)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    changed = SOURCE.replace("article: refund", "article: x").replace(
        "on: ReplySent", "on: Replied"
    )
    file.write_text(changed, encoding="utf-8")
    with pytest.raises(PlaybookError) as caught:
        load(file)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "playbook: expected keys with values"),
        ("- a\n", "playbook: expected keys with values"),
        ("just text", "playbook: expected keys with values, got 'just text'"),
        ("a: [", "not YAML"),
        ("a: !!python/object:os.system x", "not YAML"),
    ],
)
def test_a_file_that_is_no_playbook_is_refused(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(PlaybookError, match=message):
        load(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(PlaybookError, match=r"binary\.yaml: cannot be read"):
        load(tmp_path / "binary.yaml")


def test_words_that_older_yaml_reads_as_something_else_stay_words(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    changed = SOURCE.replace(
        '["09:00", "12:00"], ["13:30", "18:00"]', "[09:00, 12:00], [13:30, 18:00]"
    )
    changed = changed.replace("holidays: {country: CN}", "holidays: [2026-10-01]")
    changed = changed.replace("[发票, 开票", "[on, no, off, 发票, 开票")
    file.write_text(changed, encoding="utf-8")
    found = load(file)
    assert found.tags["发票"].keywords[:3] == ("on", "no", "off")
    assert not found.hours.is_workday(datetime(2026, 10, 1, tzinfo=SHANGHAI).date())
    assert found.hours.is_open(datetime(2026, 9, 30, 13, 30, tzinfo=SHANGHAI))


class TestFromADict:
    def test_a_mistake_is_named_without_a_line(self) -> None:
        wrong = deepcopy(DESK)
        wrong["routing"][0]["team"] = "nobody"
        with pytest.raises(PlaybookError, match=r"^routing\.0\.team: there is no 'nobody'"):
            load(wrong)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"default_type": "x"}, "default_type: there is no 'x'"),
            ({"default_priority": "x"}, "default_priority: there is no 'x'"),
            ({"statuses": {}}, "statuses: there is no 'received'; there is none"),
            (
                {"rules": [{"id": "a", "when": {}, "then": {"add_tags": "x"}}]},
                r"rules\.0\.then\.add_tags: there is no 'x'",
            ),
            (
                {"rules": [{"id": "a", "when": {}, "then": {"type": "x"}}]},
                r"rules\.0\.then\.type: there is no 'x'",
            ),
            (
                {"rules": [{"id": "a", "when": {}, "then": {}}] * 2},
                r"rules\.1\.id: 'a' stands twice",
            ),
            (
                {"rules": [{"id": "A b", "when": {}, "then": {}}]},
                r"rules\.0\.id: expected small letters, digits and hyphens, got 'A b'",
            ),
            (
                {"customer_classes": {}, "routing": [
                    {"when": {"customer_class": "vip"}, "team": "general"}, {"team": "general"},
                ]},
                r"routing\.0\.when\.customer_class: there is no 'vip'; there is none",
            ),
        ],
    )  # fmt: skip
    def test_names_have_to_stand_elsewhere(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(PlaybookError, match=message):
            load({**deepcopy(DESK), **change})

    def test_words_for_scores_lie_within_the_scale(self) -> None:
        wrong = deepcopy(DESK)
        wrong["survey"]["words"] = {"满意": 6}
        with pytest.raises(
            PlaybookError, match=r"survey\.words\.满意: expected a number from 1 to 5"
        ):
            load(wrong)

    def test_an_unknown_key_deep_inside_is_answered_with_those_of_its_own_part(self) -> None:
        wrong = deepcopy(DESK)
        wrong["tags"]["login"]["vague"] = {"question": both("?"), "unless": ["x"]}
        with pytest.raises(PlaybookError) as caught:
            load(wrong)
        assert str(caught.value) == (
            "tags.login.vague.unless: there is no such key; "
            "there is unless_mentions, question, again, ask, times"
        )


_STEP = {"label": {"zh-CN": "步", "en": "s"}, "source": "assigned"}
_MEANT = {"label": {"zh-CN": "项", "en": "f"}}


@pytest.mark.parametrize(
    ("name", "step", "said"),
    [
        ("reply", {}, "steps.reply: every desk has an action of this name"),
        ("approve", {}, "steps.approve: every desk has an action of this name"),
        (
            "go",
            {"fields": {"version": _MEANT}},
            "steps.go.fields.version: this name has a meaning of its own",
        ),
        ("go", {"to": "archived"}, "steps.go.to: a step leads to one of assigned, in_progress, "),
        (
            "go",
            {"to": "awaiting_confirmation"},
            "steps.go.to: what the customer is to confirm needs `resolves`",
        ),
        (
            "go",
            {"to": "in_progress", "source": ["queued"]},
            "steps.go.source: in 'queued' nobody has the ticket in hand",
        ),
    ],
)
def test_a_step_that_cannot_be_taken_is_named(name: str, step: dict[str, Any], said: str) -> None:
    """D8-D11: found when the playbook is checked, not when an agent tries."""
    with pytest.raises(PlaybookError) as caught:
        load({**DESK, "steps": {name: {**_STEP, **step}}})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"by": ["enginer"]}, "steps.go.by: there is no 'enginer'; there is agent, supervisor"),
        (
            {"fields": {"plan": {**_MEANT, "kind": "choice"}}},
            "steps.go.fields.plan.choices: a choice needs something to choose from",
        ),
        (
            {"fields": {"sum": _MEANT}, "approval": {"field": "sum", "over": 100}},
            "steps.go.approval.field: 'sum' is compared, so its kind is number",
        ),
    ],
)
def test_a_step_that_leads_nowhere_is_named(step: dict[str, Any], said: str) -> None:
    """A1, C9, D8-D11: one that nobody may take, no answer fits, or no number can be compared in."""
    with pytest.raises(PlaybookError) as caught:
        load({**deepcopy(DESK), "steps": {"go": {**_STEP, **step}}})
    assert said in str(caught.value)


def test_a_deadline_by_a_field_that_no_step_has_is_named() -> None:
    """D9: it would fall back to `within` without a word."""
    wrong = deepcopy(DESK)
    wrong["steps"] = {"go": {**_STEP, "fields": {"at": {**_MEANT, "kind": "time"}, "by": _MEANT}}}
    for until in ("att", "by"):
        wrong["timers"] = {
            "callback": {
                "start": "step:go",
                "stop": "TicketResolved",
                "within": "1h",
                "until": until,
            }
        }
        with pytest.raises(PlaybookError, match=rf"until: no step has a field '{until}' .* is at$"):
            load(wrong)


@pytest.mark.parametrize(
    ("pattern", "restarts"),
    [
        ("T{serial:04}", "day"),
        ("T{date:%Y%m}{serial:04}", "day"),
        ("T{date:%m%d}{serial:04}", "day"),
        ("T{date:%Y}{serial:04}", "month"),
        ("T{date:%d}{serial:04}", "year"),
    ],
)
def test_a_number_that_would_come_twice_is_refused(pattern: str, restarts: str) -> None:
    """A3: its second ticket could not be filed, nor could any after it."""
    number = {"pattern": pattern, "restarts": restarts}
    with pytest.raises(PlaybookError, match=r"^number\.pattern: it writes the same numbers"):
        load({**deepcopy(DESK), "number": number})


@pytest.mark.parametrize(
    ("pattern", "restarts"),
    [
        ("T{date:%Y%m%d}{serial:04}", "day"),
        ("T{date:%Y%m%d}{serial:04}", "year"),
        ("T{date:%y%m}-{serial}", "month"),
        ("T-{serial:06}", "never"),
    ],
)
def test_a_number_that_is_unique_is_taken(pattern: str, restarts: str) -> None:
    """A3, D3."""
    load({**deepcopy(DESK), "number": {"pattern": pattern, "restarts": restarts}})


@pytest.mark.parametrize(
    ("part", "entry", "where"),
    [
        ("rules", {"id": "a", "then": {}, "when": {"score_below": 2}}, "rules.0.when.score_below"),
        ("rules", {"id": "a", "then": {}, "when": {"queue": "new"}}, "rules.0.when.queue"),
        ("timers", {"when": {"mentions": "x"}}, "timers.callback.when.mentions"),
        ("timers", {"when": {"amount_over": 1}}, "timers.callback.when.amount_over"),
        ("templates", {"id": "a", "parts": {}, "when": {"amount_over": 1}}, "templates.0.when."),
        ("notifications", {"when": {"amount_over": 1}}, "notifications.0.when.amount_over"),
        ("notifications", {"when": {"tags": "login"}}, "notifications.0.when.tags"),
    ],
)
def test_a_condition_that_could_never_hold_is_named(
    part: str, entry: dict[str, Any], where: str
) -> None:
    """A2, A4, B4: what a customer wrote is not known everywhere; a rule's tag is."""
    rest: dict[str, Any] = {
        "timers": {"start": "TicketReceived", "stop": "TicketResolved", "within": "1h"},
        "notifications": {"on": "TicketReceived", "to": "customer", "message": "received"},
    }
    whole = {**rest.get(part, {}), **entry}
    desk = {**deepcopy(DESK), "messages": {"received": {"subject": both("s"), "text": both("t")}}}
    with pytest.raises(PlaybookError) as caught:
        load({**desk, part: {"callback": whole} if part == "timers" else [whole]})
    assert str(caught.value).startswith(where)
    assert str(caught.value).endswith("this is not known here, so it would never hold")


def test_who_cannot_be_told_is_named() -> None:
    """A6, A13: a supervisor who is told of what is late has to be somebody."""
    wrong = load(FILE).model_dump(mode="json")
    wrong["teams"]["主管组"]["role"] = "agent"
    wrong["teams"]["售后组"]["mailbox"] = "aftersales"
    with pytest.raises(PlaybookError) as caught:
        load(wrong)
    said = str(caught.value)
    assert "timers.confirm_type.on_breach.tell.0.to: no team has the role supervisor" in said
    assert "teams.售后组.mailbox: expected a mail address, got 'aftersales'" in said


def test_what_was_stored_is_read_as_it_was(standard: Playbook) -> None:
    assert Playbook.stored(standard.model_dump_json()) == standard


def test_a_stored_playbook_of_another_schema_is_parked() -> None:
    with pytest.raises(PlaybookError, match="desk: this key is missing"):
        Playbook.stored("{}")


class TestScale:
    @pytest.mark.parametrize(
        ("priority", "by", "expected"),
        [("low", 1, "medium"), ("low", 9, "high"), ("high", -1, "medium"), ("high", -9, "low")],
    )
    def test_a_shift_stays_within_it(
        self, playbook: Playbook, priority: str, by: int, expected: str
    ) -> None:
        assert playbook.shifted(priority, by) == expected

    def test_a_team_is_found_by_role(self, playbook: Playbook) -> None:
        assert playbook.team_of_role("qa") == "qa"
        assert playbook.team_of_role("supervisor") is None


class TestStandard:
    """The standard desk, requirement by requirement."""

    def test_a1_types_and_urgencies(self, standard: Playbook) -> None:
        assert list(standard.types) == ["咨询", "报障", "售后", "其他"]
        assert list(standard.priorities) == ["高", "中", "低"]
        assert standard.default_priority == "中"

    def test_a2_preset_tags(self, standard: Playbook) -> None:
        assert {"无法登录", "支付失败", "物流查询", "功能异常"} <= set(standard.tags)
        for name, tag in standard.tags.items():
            assert any(word.isascii() for word in tag.keywords), name
            assert any(not word.isascii() for word in tag.keywords), name

    def test_a2_no_word_gives_two_tags(self, standard: Playbook) -> None:
        words = [word for tag in standard.tags.values() for word in tag.keywords]
        assert sorted(words) == sorted(set(words))

    def test_a3_numbers(self, standard: Playbook) -> None:
        at = datetime(2024, 5, 19, 16, 0, tzinfo=UTC).astimezone(standard.zone)
        assert standard.number.write(at, 1) == "CS20240520001"
        assert standard.number.write(at, 1000) == "CS202405201000"
        assert standard.number.period(at) == "2024-05-20"

    def test_a4_the_acknowledgement_promises_what_the_timer_holds(self, standard: Playbook) -> None:
        promise = "紧急问题2小时内响应，普通问题24小时内响应"
        received = standard.messages["received"]
        assert promise in received.text["zh-CN"]
        assert received.sms is not None
        assert promise in received.sms["zh-CN"]
        timer = standard.timers["first_response"]
        for priority, hours in {"高": 2, "中": 24, "低": 24}.items():
            assert timer.allowance(priority) == timedelta(hours=hours)
            told = standard.priorities[priority].promise
            assert told is not None
            assert f"{hours}小时内响应" in told["zh-CN"]

    def test_a5_teams_and_vip_first(self, standard: Playbook) -> None:
        assert {"技术支持组", "售后组", "通用咨询组"} <= set(standard.teams)
        assert standard.assignment.order == ("vip", "priority", "age")
        assert standard.customer_classes["vip"].customer_ids == ("VIP*",)

    def test_a6_ten_minutes_to_confirm_the_type(self, standard: Playbook) -> None:
        vague = standard.tags["功能异常"].vague
        assert vague is not None
        assert "支付" in vague.unless_mentions
        timer = standard.timers["confirm_type"]
        assert timer.allowance("中") == timedelta(minutes=10)
        assert [tell.to for tell in timer.on_breach.tell] == ["supervisor"]
        assert _told(standard, "ConfirmationRequested") == {"team": "confirm_type"}

    def test_a7_a_real_team_stands_behind_the_supervisor_queue(self, standard: Playbook) -> None:
        for place in standard.routing:
            if place.queue == "supervisor":
                assert standard.teams[place.team].role == "supervisor"
        assert _told(standard, "TicketQueued") == {"supervisor": "supervisor_urgent"}

    def test_a8_the_assignment_names_team_and_time(self, standard: Playbook) -> None:
        text = standard.messages["assigned"].text["zh-CN"]
        for part in ("已分配至专业团队", "{{ team }}", "{{ expected_resolution_by }}"):
            assert part in text
        assert _told(standard, "TicketAssigned")["customer"] == "assigned"

    def test_a9_every_type_has_a_template(self, standard: Playbook) -> None:
        assert any(not t.when.tags and not t.when.type for t in standard.templates)
        for template in standard.templates:
            assert {"opening", "question"} <= set(template.parts)

    def test_a10_a_reply_stops_the_first_response(self, standard: Playbook) -> None:
        assert "ReplySent" in standard.timers["first_response"].stop

    def test_a11_information_is_asked_for_reminded_of_and_followed_up(
        self, standard: Playbook
    ) -> None:
        assert standard.statuses["awaiting_customer"].label["zh-CN"] == "待补充信息"
        timer = standard.timers["customer_info"]
        assert timer.allowance("高") == timedelta(hours=24)
        assert [tell.to for tell in timer.on_warning.tell] == ["customer"]
        assert [tell.to for tell in timer.on_breach.tell] == ["handler"]
        assert "awaiting_customer" in standard.timers["resolution"].pause_in

    def test_a12_the_customer_hears_that_it_is_solved_and_is_asked(
        self, standard: Playbook
    ) -> None:
        resolved = standard.messages["resolved"]
        assert resolved.sms is not None
        for text in (resolved.text["zh-CN"], resolved.sms["zh-CN"]):
            assert "问题已处理完成" in text
            assert "{{ status_url }}" in text
        assert _told(standard, "TicketResolved") == {"customer": "resolved"}

    def test_a13_below_four_goes_to_qa(self, standard: Playbook) -> None:
        assert standard.survey.scores == (1, 5)
        assert standard.survey.review.below == 4
        assert standard.teams[standard.survey.review.team].role == "qa"
        assert "qa" in _told(standard, "ReviewRequested")

    def test_a14_every_status_that_a_ticket_can_have_here_has_a_name(
        self, standard: Playbook
    ) -> None:
        unused = {"awaiting_department", "awaiting_confirmation"}
        from functions.core.domain.ticket import STATUSES

        assert set(standard.statuses) == set(STATUSES) - unused

    def test_a15_limits(self, standard: Playbook) -> None:
        fields = standard.fields
        assert (fields.description_max, fields.summary_max) == (200, 100)
        assert (fields.name_style, fields.contact_style) == ("salutation", "last_four")

    def test_a16_the_resolution_is_expected_in_working_time(self, standard: Playbook) -> None:
        timer = standard.timers["resolution"]
        friday = datetime(2024, 5, 17, 17, 0, tzinfo=SHANGHAI)
        due = standard.hours.add(friday, timer.allowance("高"))
        assert timer.clock == "business"
        assert due == datetime(2024, 5, 20, 12, 0, tzinfo=SHANGHAI)

    def test_b10_kept_for_three_years(self, standard: Playbook) -> None:
        assert standard.retention.years == 3

    @pytest.mark.parametrize("locale", ["zh-CN", "en"])
    def test_a4_text_messages_are_short(self, standard: Playbook, locale: Any) -> None:
        """At most two SMS parts with an ordinary link: 2 × 67 of UCS-2, 2 × 153 of GSM-7."""
        from jinja2.sandbox import SandboxedEnvironment

        values = {
            "number": "CS20240520001",
            "status_url": "https://help.example.com/desks/standard/tickets/CS20240520001?key="
            + "k" * 22,
            "team": standard.teams["技术支持组"].label[locale],
            "expected_resolution_by": "2024-05-20 12:00:00",
        }
        limit = 134 if locale == "zh-CN" else 306
        written_by_people = {"reply", "information_requested"}
        for name, message in _to_customers(standard).items():
            assert message.sms is not None, name
            text = SandboxedEnvironment().from_string(message.sms[locale]).render(values)
            assert "\n" not in text
            assert name in written_by_people or len(text) <= limit, (name, len(text))


def _told(playbook: Playbook, event: str) -> dict[str, str]:
    """Recipient → message of an event's notifications."""
    return {n.to: n.message for n in playbook.notifications if n.on == event}


def _to_customers(playbook: Playbook) -> dict[str, Message]:
    names = {n.message for n in playbook.notifications if n.to == "customer"}
    for timer in playbook.timers.values():
        for effects in (timer.on_warning, timer.on_breach):
            names |= {tell.message for tell in effects.tell if tell.to == "customer"}
    return {name: playbook.messages[name] for name in names}


def test_every_message_of_the_standard_desk_is_used(standard: Playbook) -> None:
    used = {n.message for n in standard.notifications}
    for timer in standard.timers.values():
        for effects in (timer.on_warning, timer.on_breach):
            used |= {tell.message for tell in effects.tell}
    assert used == set(standard.messages)
