"""Each call centre's form gives the same events; what none of them sends raises nothing."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.domain.calls import CallReport
from functions.intake.call_forms import read_calls

pytestmark = pytest.mark.requirement("B1", "F5")
ZONE = ZoneInfo("Asia/Shanghai")
YEASTAR = {"event": "NewCdr", "callid": "1", "callfrom": "13800138000", "type": "Inbound"}
TINET = {"uniqueId": "1", "cdrType": "cdr_ib", "customerNumber": "13800138000"}
CONNECT = {"contactId": "c", "channel": "VOICE", "initiationMethod": "INBOUND"}


def read(content: Any) -> tuple[CallReport, ...]:
    return read_calls(json.dumps(content).encode(), ZONE).reports


def event(kind: str, **detail: Any) -> dict[str, Any]:
    details = {**CONNECT, "eventType": kind, **detail}
    named = {"source": "aws.connect", "detail-type": "Amazon Connect Contact Event"}
    return {**named, "time": "2026-03-10T00:00:00Z", "detail": details}


@pytest.mark.parametrize(
    ("record", "answered"),
    [
        ({**YEASTAR, "status": "ANSWERED"}, True),
        ({**YEASTAR, "status": "NO ANSWER", "callto": "2023"}, False),
        ({**YEASTAR, "status": "VOICEMAIL"}, False),
        ({**TINET, "status": 1}, True),
        ({**TINET, "status": 2, "answerTime": 1760000003}, False),
        ({"sessionId": "1", "talkingTimeLen": 0}, False),
        ({"call_id": "1", "event": "missed"}, False),
        ({"call_id": "1", "event": "ended"}, None),
        (event("DISCONNECTED", agentInfo={"agentArn": "arn:x/agent/a"}), True),
        (event("DISCONNECTED"), None),
    ],
)
def test_a_record_says_whether_somebody_answered(
    record: dict[str, Any], answered: bool | None
) -> None:
    (report,) = read(record)
    assert report.answered is answered
    assert report.event == "ended"


def test_an_outgoing_call_is_to_the_customer() -> None:
    aliyun = {"call_id": "1", "caller": "010", "callee": "138", "voice_type": "voice"}
    tinet = {**TINET, "cdrType": "cdr_ob_customer", "hotline": "400"}
    ours = {"call_id": "1", "direction": "outbound", "caller": "010", "called": "138"}
    customers = [report.customer for each in (aliyun, tinet, ours) for report in read(each)]
    assert customers == ["138", "13800138000", "138"]


@pytest.mark.parametrize(
    "link", ["http://x.example.com/r", "20260310-r.wav", "https://a:b@x.example.com/", "https://"]
)
def test_only_links_that_an_agent_can_open_are_kept(link: str) -> None:
    (report,) = read({"call_id": "1", "recording_url": link})
    assert report.recording == ""


@pytest.mark.parametrize(
    "given_time",
    ["2026-03-10 10:00:00", "2026-03-10T10:00:00+08:00", 1773108000, "1773108000000"],
)
def test_times_are_local_or_have_an_offset(given_time: object) -> None:
    (report,) = read({"call_id": "1", "started_at": given_time})
    assert report.started_at == datetime(2026, 3, 10, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        event("CONTACT_DATA_UPDATED"),
        event("DISCONNECTED", channel="CHAT"),
        {**event("DISCONNECTED"), "detail-type": "Contact Lens Post Call Rules Matched"},
        {"ContactId": "c", "EventType": "STARTED"},
        {"ContactId": "c", "EventType": "SEGMENTS", "Segments": [{"Utterance": {"Id": "u"}}]},
        {"Details": {"ContactData": {"Channel": "Chat", "ContactId": "c"}}},
        {"call_id": "1", "event": "dtmf"},
    ],
)
def test_other_events_say_nothing_of_a_call(content: object) -> None:
    assert read(content) == ()


def test_a_batch_loses_nothing_to_one_that_cannot_be_read() -> None:
    read_batch = read_calls(json.dumps({"data": [YEASTAR, {}, 7]}).encode(), ZONE)
    assert (len(read_batch.reports), read_batch.unreadable) == (1, (b"{}", b"7"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(
        st.sampled_from(["call_id", "event", "info", "transcript", "text", "detail", "started_at"]),
        inside,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(JSON, st.sampled_from([{}, {"call_id": "1"}, event("DISCONNECTED"), {"Details": {}}]))
def test_no_json_raises(content: Any, form: dict[str, Any]) -> None:
    body = {**form, **content} if isinstance(content, dict) else content
    read_calls(json.dumps(body).encode(), ZONE)
