"""Loading and checking playbooks: every error names its line and key."""

import json
import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic_core import PydanticCustomError

from functions.core.domain.errors import PlaybookError
from functions.core.domain.playbook_types import format_duration, parse_duration
from functions.core.domain.playbook_upgrades import FORMER_WEBHOOK_TYPES, upgraded
from functions.core.domain.rules import Message, Playbook
from functions.core.playbook import load
from functions.core.playbook.loader import MAX_DEPTH, load_text
from tests.core.sample_desk import DESK, SHANGHAI, both
from tests.examples import examples

EXAMPLES = examples(__file__)
FILE = Path(__file__).parents[3] / "playbooks" / "standard.yaml"


@pytest.fixture(scope="module")
def standard() -> Playbook:
    return load(FILE)


class TestDuration:
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
    def test_a_duration_is_parsed(self, text: str, length: timedelta) -> None:
        assert parse_duration(text) == length

    @pytest.mark.parametrize("text", ["", "30", "m", "ten minutes", "1h and more", "-1h", None])
    def test_a_text_that_is_no_duration_is_refused(self, text: str | None) -> None:
        with pytest.raises(PydanticCustomError, match="expected a duration such as 30m"):
            parse_duration(text)

    @given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=999)))
    def test_a_duration_is_formatted_as_it_is_parsed(self, length: timedelta) -> None:
        whole = timedelta(seconds=int(length.total_seconds()))
        assert parse_duration(format_duration(whole)) == whole


SOURCE = FILE.read_text(encoding="utf-8")

MISTAKES = EXAMPLES["mistakes"]

_BOTH = {"zh-CN": "x", "en": "x"}


def _refusal(playbook: Any) -> str:
    """The message with which a file or dict is refused."""
    with pytest.raises(PlaybookError) as caught:
        load(playbook)
    return str(caught.value)


def _written(folder: Path, text: str) -> Path:
    file = folder / "desk.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _first_changed_line(changed: str) -> int:
    """Return the number of the first line that differs from the playbook."""
    pairs = zip(SOURCE.splitlines(), changed.splitlines(), strict=False)
    return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_error_names_the_key_and_what_was_expected(mistake: str, tmp_path: Path) -> None:
    old, new, message = MISTAKES[mistake]
    assert old in SOURCE
    file = _written(tmp_path, SOURCE.replace(old, new, 1))
    refusal = _refusal(file)
    assert message in refusal
    assert refusal.startswith(f"{file}:")
    assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize(
    "mistake", ["an unknown key", "an unknown team", "an unknown message", "a missing translation"]
)
def test_an_error_names_the_line(mistake: str, tmp_path: Path) -> None:
    old, new, _ = MISTAKES[mistake]
    changed = SOURCE.replace(old, new, 1)
    assert f":{_first_changed_line(changed)}: " in _refusal(_written(tmp_path, changed))


def test_all_errors_of_a_phase_are_reported_at_once(tmp_path: Path) -> None:
    changed = SOURCE.replace("article: refund", "article: x")
    changed = changed.replace("on: ReplySent", "on: Replied")
    assert len(_refusal(_written(tmp_path, changed)).splitlines()) == 2


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
def test_a_file_that_is_not_a_playbook_is_refused(
    content: str, message: str, tmp_path: Path
) -> None:
    assert message in _refusal(_written(tmp_path, content))


def test_an_error_names_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(PlaybookError, match=r"binary\.yaml: cannot be read"):
        load(tmp_path / "binary.yaml")


def test_words_that_yaml_1_1_converts_stay_strings(tmp_path: Path) -> None:
    changed = SOURCE.replace(
        '["09:00", "12:00"], ["13:30", "18:00"]', "[09:00, 12:00], [13:30, 18:00]"
    )
    changed = changed.replace("holidays: {country: CN}", "holidays: [2026-10-01]")
    changed = changed.replace("[发票, 开票", "[on, no, off, 发票, 开票")
    found = load(_written(tmp_path, changed))
    assert found.tags["发票"].keywords[:3] == ("on", "no", "off")
    assert not found.hours.is_workday(datetime(2026, 10, 1, tzinfo=SHANGHAI).date())
    assert found.hours.is_open(datetime(2026, 9, 30, 13, 30, tzinfo=SHANGHAI))


@pytest.mark.requirement("G4")
@pytest.mark.parametrize(
    ("on", "to", "text", "refused"),
    [
        ("TicketReceived", "customer", "{{ description }}", "description"),
        ("TicketReceived", "customer", "{{ order | upper }}", "order"),
        ("ReplySent", "customer", "{{ text }}: {{ description }}", "description"),
        ("CustomerWrote", "customer", "{{ text }}", "text"),
        ("ContactCorrected", "former_contact", "{{ order }}", "order"),
        ("TicketReceived", "customer", "{{ name }} {{ number }}", None),
        ("ReplySent", "customer", "{{ text }}", None),
        ("CustomerWrote", "handler", "{{ text }} {{ description }}", None),
    ],
)
@pytest.mark.parametrize("agents_only", [False, True])
def test_a_stranger_s_words_reach_no_contact(
    on: str, to: str, text: str, refused: str | None, agents_only: bool
) -> None:
    texts = {"zh-CN": text, "en": text}
    said = {"subject": {"zh-CN": "x", "en": "x"}, "text": texts, "agents_only": agents_only}
    changed = {
        **DESK,
        "messages": {"m": said},
        "notifications": [{"on": on, "to": to, "message": "m"}],
    }
    if refused is None or agents_only:
        assert load(changed).messages["m"].text == texts
    else:
        with pytest.raises(PlaybookError, match=rf"messages\.m\.text\.en: '{refused}' would send"):
            load(changed)


class TestFromADict:
    def test_an_error_in_a_dict_has_no_line(self) -> None:
        wrong = deepcopy(DESK)
        wrong["routing"][0]["team"] = "nobody"
        with pytest.raises(PlaybookError, match=r"^routing\.0\.team: there is no 'nobody'"):
            load(wrong)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"default_type": "x"}, "default_type: there is no 'x'"),
            ({"default_priority": "x"}, "default_priority: there is no 'x'"),
            ({"statuses": {}}, "statuses: there is no 'received'; none is defined"),
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
                r"rules\.1\.id: duplicate id 'a'",
            ),
            (
                {"rules": [{"id": "A b", "when": {}, "then": {}}]},
                r"rules\.0\.id: expected lowercase letters, digits and hyphens, got 'A b'",
            ),
            (
                {"customer_classes": {}, "routing": [
                    {"when": {"customer_class": "vip"}, "team": "general"}, {"team": "general"},
                ]},
                r"routing\.0\.when\.customer_class: there is no 'vip'; none is defined",
            ),
        ],
    )  # fmt: skip
    def test_an_undefined_name_is_refused(self, change: dict[str, Any], message: str) -> None:
        with pytest.raises(PlaybookError, match=message):
            load({**deepcopy(DESK), **change})

    def test_scores_of_words_lie_within_the_scale(self) -> None:
        wrong = deepcopy(DESK)
        wrong["survey"]["words"] = {"满意": {"label": {"zh-CN": "满意", "en": "Good"}, "score": 6}}
        assert "survey.words.满意.score: expected a number from 1 to 5" in _refusal(wrong)

    def test_an_unknown_key_is_reported_with_the_keys_of_its_section(self) -> None:
        wrong = deepcopy(DESK)
        wrong["tags"]["login"]["vague"] = {"question": both("?"), "unless": ["x"]}
        assert _refusal(wrong) == (
            "tags.login.vague.unless: unknown key, "
            "expected one of unless_mentions, question, again, ask, times"
        )


_STEP = {"label": {"zh-CN": "步", "en": "s"}, "source": "assigned"}
_MEANT = {"label": {"zh-CN": "项", "en": "f"}}


@pytest.mark.requirement("A1", "C9", "D8", "D9", "D10", "D11")
@pytest.mark.parametrize(
    ("name", "step", "message"),
    [
        ("reply", {}, "steps.reply: every desk has an action of this name"),
        ("approve", {}, "steps.approve: every desk has an action of this name"),
        ("go", {"fields": {"version": _MEANT}}, "steps.go.fields.version: this name is reserved"),
        ("go", {"to": "archived"},
         "steps.go.to: a step cannot lead to 'archived'; expected one of assigned"),
        ("go", {"to": "awaiting_confirmation"},
         "steps.go.to: a step to 'awaiting_confirmation' needs `resolves`"),
        ("go", {"to": "in_progress", "source": ["queued"]},
         "steps.go.source: in 'queued' the ticket has no handler"),
        ("go", {"by": ["enginer"]},
         "steps.go.by: there is no 'enginer'; expected one of agent, supervisor"),
        ("go", {"fields": {"plan": {**_MEANT, "kind": "choice"}}},
         "steps.go.fields.plan.choices: a choice needs at least one entry"),
        ("go", {"fields": {"plan": {**_MEANT, "kind": "choice", "choices": ["a"]}}},
         "steps.go.fields.plan.choices: 'a' is no team, so it needs a label in each language"),
        ("go", {"fields": {"sum": _MEANT}, "approval": {"field": "sum", "over": 100}},
         "steps.go.approval.field: 'sum' is compared, so its kind must be number"),
    ],
)  # fmt: skip
def test_an_impossible_step_is_refused(name: str, step: dict[str, Any], message: str) -> None:
    assert message in _refusal({**DESK, "steps": {name: {**_STEP, **step}}})


@pytest.mark.requirement("D9")
def test_a_deadline_by_an_unknown_field_is_refused() -> None:
    """The timer would silently fall back to `within`."""
    wrong = deepcopy(DESK)
    wrong["steps"] = {"go": {**_STEP, "fields": {"at": {**_MEANT, "kind": "time"}, "by": _MEANT}}}
    for until in ("att", "by"):
        timer = {"start": "step:go", "stop": "TicketResolved", "within": "1h", "until": until}
        wrong["timers"] = {"callback": timer}
        message = rf"until: no step has a field '{until}' .* expected one of at$"
        with pytest.raises(PlaybookError, match=message):
            load(wrong)


@pytest.mark.requirement("A3")
@pytest.mark.parametrize(
    ("pattern", "restarts"),
    [
        ("T{serial:04}", "day"), ("T{date:%Y%m}{serial:04}", "day"),
        ("T{date:%m%d}{serial:04}", "day"), ("T{date:%Y}{serial:04}", "month"),
        ("T{date:%d}{serial:04}", "year"),
    ],
)  # fmt: skip
def test_a_pattern_that_repeats_numbers_is_refused(pattern: str, restarts: str) -> None:
    """Creating the second ticket of a number would fail."""
    refusal = _refusal({**DESK, "number": {"pattern": pattern, "restarts": restarts}})
    assert refusal.startswith("number.pattern: the pattern writes the same numbers")


@pytest.mark.requirement("A3", "F4")
def test_names_of_executions_fit_step_functions() -> None:
    """The longest desk and a usual number do; a longer number is refused, with its key."""
    desk = {**deepcopy(DESK), "desk": "d" * 31}
    pattern = "CS{date:%Y%m%d}{serial:03}"
    load({**desk, "number": {"pattern": pattern, "restarts": "day"}})
    refusal = _refusal({**desk, "number": {"pattern": f"{pattern}-EU", "restarts": "day"}})
    assert refusal.startswith("number.pattern: the desk's name and a number such as 'CS20260930")
    assert "3 characters too long" in refusal


@pytest.mark.requirement("A3", "D3")
@pytest.mark.parametrize(
    ("pattern", "restarts"),
    [
        ("T{date:%Y%m%d}{serial:04}", "day"), ("T{date:%Y%m%d}{serial:04}", "year"),
        ("T{date:%y%m}-{serial}", "month"), ("T-{serial:06}", "never"),
    ],
)  # fmt: skip
def test_a_pattern_of_unique_numbers_is_accepted(pattern: str, restarts: str) -> None:
    load({**deepcopy(DESK), "number": {"pattern": pattern, "restarts": restarts}})


@pytest.mark.requirement("A2", "A4", "B4")
@pytest.mark.parametrize(
    ("part", "entry", "where"),
    [
        ("rules", {"id": "a", "then": {}, "when": {"score_below": 2}}, "rules.0.when.score_below"),
        ("rules", {"id": "a", "then": {}, "when": {"queue": "new"}}, "rules.0.when.queue"),
        ("timers", {"when": {"mentions": "x"}}, "timers.callback.when.mentions"),
        ("timers", {"when": {"amount_over": 1}}, "timers.callback.when.amount_over"),
        ("templates", {"id": "a", "parts": {}, "when": {"amount_over": 1}}, "templates.0.when."),
        ("notifications", {"when": {"amount_over": 1}}, "notifications.0.when.amount_over"),
    ],
)
def test_a_condition_that_never_holds_is_refused(
    part: str, entry: dict[str, Any], where: str
) -> None:
    """Only rules and routing know the customer's text; every condition knows tags."""
    rest: dict[str, Any] = {
        "timers": {"start": "TicketReceived", "stop": "TicketResolved", "within": "1h"},
        "notifications": {"on": "TicketReceived", "to": "customer", "message": "received"},
    }
    whole = {**rest.get(part, {}), **entry}
    desk = {**deepcopy(DESK), "messages": {"received": {"subject": both("s"), "text": both("t")}}}
    refusal = _refusal({**desk, part: {"callback": whole} if part == "timers" else [whole]})
    assert refusal.startswith(where)
    assert refusal.endswith("this is not known here, so the condition would never hold")


@pytest.mark.requirement("A6", "A13")
def test_a_recipient_that_nobody_belongs_to_is_refused() -> None:
    wrong = load(FILE).model_dump(mode="json")
    wrong["teams"]["主管组"]["role"] = "agent"
    wrong["teams"]["售后组"]["mailbox"] = "aftersales"
    message = _refusal(wrong)
    assert "timers.confirm_type.on_breach.tell.0.to: no team has the role supervisor" in message
    assert "teams.售后组.mailbox: expected a mail address, got 'aftersales'" in message


def test_a_stored_playbook_is_read_unchanged(standard: Playbook) -> None:
    assert Playbook.stored(standard.model_dump_json()) == standard


def test_a_stored_playbook_that_does_not_fit_is_dead_lettered() -> None:
    with pytest.raises(PlaybookError, match="stored playbook: desk: Field required"):
        Playbook.stored("{}")
    with pytest.raises(PlaybookError, match="stored playbook: not JSON"):
        Playbook.stored("")


def test_a_class_vip_of_a_former_playbook_comes_first() -> None:
    """The former code put the class `vip` first by its name."""
    former = deepcopy(DESK)
    del former["customer_classes"]["vip"]["comes_first"]
    assert Playbook.stored(json.dumps(former)).comes_first("vip")
    assert not Playbook.stored(json.dumps(former)).comes_first(None)


def test_a_former_document_is_upgraded_to_that_of_the_updated_file() -> None:
    """Applying the updated file therefore changes nothing."""
    endpoint = {"url": "https://crm.example.com", "events": ["legal_hold.changed"]}
    updated = load({**deepcopy(DESK), "webhooks": {"crm": endpoint}})
    document = json.loads(updated.model_dump_json(exclude_defaults=True))
    former = deepcopy(document)
    del former["customer_classes"]["vip"]["comes_first"]
    former["webhooks"]["crm"]["events"] = ["hold.set"]
    assert upgraded(former) == document


def test_another_class_can_come_first() -> None:
    desk = deepcopy(DESK)
    desk["customer_classes"] = {"vip": {}, "gold": {"comes_first": True}}
    for playbook in (load(desk), Playbook.stored(json.dumps(desk))):
        assert (playbook.comes_first("vip"), playbook.comes_first("gold")) == (False, True)


def test_an_order_by_vip_without_a_class_that_comes_first_is_refused() -> None:
    desk = deepcopy(DESK)
    del desk["customer_classes"]["vip"]["comes_first"]
    with pytest.raises(PlaybookError, match=r"^customer_classes\.vip: .*add `comes_first: true`"):
        load(desk)
    load({**desk, "assignment": {"order": ["priority", "age"]}})


@pytest.mark.requirement("C4", "G5")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"url": "http://a.example/{order_number}"}, "sources.one.url: expected https://"),
        ({"url": "https://a.example/{order}"}, "url: 'order' is not in `variables`; expected one"),
        ({"url": "https://{order_number}.example/"}, "url: expected .* after the host"),
        ({"url": "https://a.example/{Order}"}, "url: expected .* with a variable's name"),
        ({"secrets": "a"}, "sources.one.secrets: unknown key"),
        ({"values": {}}, "sources.one.values: "),
        ({"values": {"state": "a"}}, "sources.two.values.state: the source 'one' gives it"),
        ({"cache": "soon"}, "cache: expected a duration"),
    ],
)
def test_a_source_that_could_not_be_asked_is_refused(change: dict[str, Any], problem: str) -> None:
    one = {"url": "https://a.example/{order_number}", "values": {"place": "a"}}
    two = {"url": "https://a.example/?n={order_number}", "values": {"state": "a"}}
    assistant = {"welcome": _BOTH, "sources": {"one": one, "two": two}}
    load({**deepcopy(DESK), "assistant": assistant})
    assistant["sources"] = {"one": {**one, **change}, "two": two}
    assert re.search(problem, _refusal({**deepcopy(DESK), "assistant": assistant}))


@pytest.mark.parametrize("former", FORMER_WEBHOOK_TYPES)
def test_a_former_webhook_type_is_upgraded_when_stored_and_refused_in_a_file(former: str) -> None:
    current = FORMER_WEBHOOK_TYPES[former]
    endpoint = {"url": "https://crm.example.com", "events": [former, "ticket.received"]}
    desk = {**deepcopy(DESK), "webhooks": {"crm": endpoint}}
    stored = Playbook.stored(json.dumps(desk))
    assert stored.webhooks["crm"].events == (current, "ticket.received")
    renamed = f"webhooks.crm.events.0: '{former}' was renamed to '{current}'"
    assert _refusal(desk) == renamed


def test_words_and_choices_of_a_stored_playbook_are_their_own_labels() -> None:
    """Former playbooks had no labels for them."""
    plan = {"label": _BOTH, "kind": "choice", "choices": ["qa", "券"]}
    steps = {"go": {"label": _BOTH, "source": ["assigned"], "fields": {"plan": plan}}}
    desk = {**deepcopy(DESK), "steps": steps}
    desk["survey"] = {**desk["survey"], "words": {"满意": 5}}
    stored = Playbook.stored(json.dumps(desk))
    word = stored.survey.words["满意"]
    assert (word.score, word.label) == (5, {"zh-CN": "满意", "en": "满意"})
    choices = stored.choices(stored.steps["go"].fields["plan"])
    assert [term.label["en"] for term in choices.values()] == ["质检组", "券"]
    assert Playbook.stored(stored.model_dump_json(exclude_defaults=True)) == stored


@pytest.mark.parametrize(
    ("to", "shown", "refused"),
    [
        ("customer", (False, False), "messages.m.text.en: customers may not see 'plan'"),
        ("customer", (True, False), "steps.b.fields.plan.customer_sees: another step shows"),
        ("customer", (True, True), None),
        ("handler", (False, False), None),
    ],
)
def test_messages_to_customers_use_only_the_fields_that_they_see(
    to: str, shown: tuple[bool, bool], refused: str | None
) -> None:
    said = {"zh-CN": "{{ plan }}", "en": "{{ plan }}"}
    desk = {
        **deepcopy(DESK),
        "steps": {
            name: {
                "label": _BOTH,
                "source": ["assigned"],
                "fields": {"plan": {"label": _BOTH, "customer_sees": sees}},
            }
            for name, sees in zip("ab", shown, strict=True)
        },
        "messages": {"m": {"subject": _BOTH, "text": said}},
        "notifications": [{"on": "step:a", "to": to, "message": "m"}],
    }
    if refused is None:
        load(desk)
    else:
        with pytest.raises(PlaybookError, match=refused):
            load(desk)


class TestPriorityScale:
    @pytest.mark.parametrize(
        ("priority", "by", "expected"),
        [("low", 1, "medium"), ("low", 9, "high"), ("high", -1, "medium"), ("high", -9, "low")],
    )
    def test_a_shifted_priority_stays_within_the_scale(
        self, playbook: Playbook, priority: str, by: int, expected: str
    ) -> None:
        assert playbook.shifted(priority, by) == expected

    def test_a_team_is_found_by_role(self, playbook: Playbook) -> None:
        assert playbook.team_of_role("qa") == "qa"
        assert playbook.team_of_role("supervisor") is None


class TestStandardDesk:
    """The requirements of the standard desk."""

    @pytest.mark.requirement("A1")
    def test_types_and_priorities_are_as_required(self, standard: Playbook) -> None:
        assert list(standard.types) == ["咨询", "报障", "售后", "其他"]
        assert list(standard.priorities) == ["高", "中", "低"]
        assert standard.default_priority == "中"

    @pytest.mark.requirement("A2")
    def test_preset_tags_have_keywords_in_both_languages(self, standard: Playbook) -> None:
        assert {"无法登录", "支付失败", "物流查询", "功能异常"} <= set(standard.tags)
        for name, tag in standard.tags.items():
            assert any(word.isascii() for word in tag.keywords), name
            assert any(not word.isascii() for word in tag.keywords), name

    @pytest.mark.requirement("A2")
    def test_no_keyword_sets_two_tags(self, standard: Playbook) -> None:
        words = [word for tag in standard.tags.values() for word in tag.keywords]
        assert sorted(words) == sorted(set(words))

    @pytest.mark.requirement("A3")
    def test_numbers_show_the_date_and_a_daily_serial(self, standard: Playbook) -> None:
        at = datetime(2024, 5, 19, 16, 0, tzinfo=UTC).astimezone(standard.zone)
        assert standard.number.write(at, 1) == "CS20240520001"
        assert standard.number.write(at, 1000) == "CS202405201000"
        assert standard.number.period(at) == "2024-05-20"

    @pytest.mark.requirement("A4")
    def test_the_acknowledgement_promises_the_time_of_the_timer(self, standard: Playbook) -> None:
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

    @pytest.mark.requirement("A5")
    def test_vip_customers_come_first(self, standard: Playbook) -> None:
        assert {"技术支持组", "售后组", "通用咨询组"} <= set(standard.teams)
        assert standard.assignment.order == ("vip", "priority", "age")
        assert standard.customer_classes["vip"].customer_ids == ("VIP*",)
        assert standard.comes_first("vip")

    @pytest.mark.requirement("A6")
    def test_agents_have_ten_minutes_to_confirm_the_type(self, standard: Playbook) -> None:
        vague = standard.tags["功能异常"].vague
        assert vague is not None
        assert "支付" in vague.unless_mentions
        timer = standard.timers["confirm_type"]
        assert timer.allowance("中") == timedelta(minutes=10)
        assert [tell.to for tell in timer.on_breach.tell] == ["supervisor"]
        assert _notified(standard, "ConfirmationRequested") == {"team": "confirm_type"}

    @pytest.mark.requirement("A7")
    def test_the_supervisor_queue_belongs_to_a_team_of_supervisors(
        self, standard: Playbook
    ) -> None:
        for place in standard.routing:
            if place.queue == "supervisor":
                assert standard.teams[place.team].role == "supervisor"
        assert _notified(standard, "TicketQueued") == {"supervisor": "supervisor_urgent"}

    @pytest.mark.requirement("A9")
    def test_every_type_has_a_template(self, standard: Playbook) -> None:
        assert any(not t.when.tags and not t.when.type for t in standard.templates)
        for template in standard.templates:
            assert {"opening", "question"} <= set(template.parts)

    @pytest.mark.requirement("A10")
    def test_a_reply_stops_the_first_response(self, standard: Playbook) -> None:
        assert "ReplySent" in standard.timers["first_response"].stop

    @pytest.mark.requirement("A11")
    def test_requested_information_is_reminded_of_and_followed_up(self, standard: Playbook) -> None:
        assert standard.statuses["awaiting_customer"].label["zh-CN"] == "待补充信息"
        timer = standard.timers["customer_info"]
        assert timer.allowance("高") == timedelta(hours=24)
        assert [tell.to for tell in timer.on_warning.tell] == ["customer"]
        assert [tell.to for tell in timer.on_breach.tell] == ["handler"]
        assert "awaiting_customer" in standard.timers["resolution"].pause_in

    @pytest.mark.requirement("A12")
    def test_the_customer_is_told_of_the_resolution_and_surveyed(self, standard: Playbook) -> None:
        resolved = standard.messages["resolved"]
        assert resolved.sms is not None
        for text in (resolved.text["zh-CN"], resolved.sms["zh-CN"]):
            assert "问题已处理完成" in text
            assert "{{ status_url }}" in text
        assert _notified(standard, "TicketResolved") == {"customer": "resolved"}

    @pytest.mark.requirement("A13")
    def test_a_score_below_four_goes_to_qa(self, standard: Playbook) -> None:
        assert standard.survey.scores == (1, 5)
        assert standard.survey.review.below == 4
        assert standard.teams[standard.survey.review.team].role == "qa"
        assert "qa" in _notified(standard, "ReviewRequested")

    @pytest.mark.requirement("A14")
    def test_every_status_of_the_desk_has_a_label(self, standard: Playbook) -> None:
        unused = {"awaiting_department", "awaiting_confirmation"}
        from functions.core.domain.ticket import STATUSES

        assert set(standard.statuses) == set(STATUSES) - unused

    @pytest.mark.requirement("A15")
    def test_limits_and_styles_are_as_required(self, standard: Playbook) -> None:
        fields = standard.fields
        assert (fields.description_max, fields.summary_max) == (200, 100)
        assert (fields.name_style, fields.contact_style) == ("salutation", "last_four")

    @pytest.mark.requirement("A16")
    def test_the_resolution_is_due_in_business_time(self, standard: Playbook) -> None:
        timer = standard.timers["resolution"]
        friday = datetime(2024, 5, 17, 17, 0, tzinfo=SHANGHAI)
        due = standard.hours.add(friday, timer.allowance("高"))
        assert timer.clock == "business"
        assert due == datetime(2024, 5, 20, 12, 0, tzinfo=SHANGHAI)

    @pytest.mark.requirement("B10")
    def test_archives_are_kept_for_three_years(self, standard: Playbook) -> None:
        assert standard.retention.years == 3

    @pytest.mark.requirement("A4")
    @pytest.mark.parametrize("locale", ["zh-CN", "en"])
    def test_text_messages_are_short(self, standard: Playbook, locale: Any) -> None:
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


def _notified(playbook: Playbook, event: str) -> dict[str, str]:
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


def test_a_text_that_would_end_the_process_is_refused() -> None:
    """libyaml follows nested lists and keys on the stack; an alias may stand within itself."""
    deep = "desk: " + "[" * 100_000 + "]" * 100_000
    with pytest.raises(PlaybookError, match=f":1: more than {MAX_DEPTH} levels"):
        load_text(deep, "deep.yaml")
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in pairwise("abcdefghij")
    )
    for text in ("desk: &desk [*desk]", laughs):
        with pytest.raises(PlaybookError, match="this key is missing"):
            load_text(text, "aliases.yaml")
