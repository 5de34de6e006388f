"""Reports of a phone call: in any order, twice, in batches, they give the same call."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.domain.calls import MAX_PARTS, CallPart, CallReport, PhoneCall, joined
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("B1", "G1")
CALL = PhoneCall(desk="testdesk", id="c1", changed_at=NOON)
TIMES = st.none() | st.integers(0, 600).map(lambda s: NOON + timedelta(seconds=s))
PARTS = st.builds(
    CallPart,
    id=st.sampled_from(["1", "2", "3"]),
    speaker=st.sampled_from(["customer", "agent"]),
    text=st.text("断网了", min_size=1, max_size=5),
    at_ms=st.integers(0, 3),
    partial=st.booleans(),
)
REPORTS = st.builds(
    CallReport,
    call_id=st.just("call-1"),
    event=st.sampled_from(["ringing", "answered", "transcript", "ended"]),
    direction=st.sampled_from([None, "inbound", "outbound"]),
    customer=st.sampled_from(["", "13800138000", "+8613800138000"]),
    agent=st.sampled_from(["", "2000"]),
    answered=st.sampled_from([None, True, False]),
    started_at=TIMES,
    answered_at=TIMES,
    ended_at=TIMES,
    recording=st.sampled_from(["", "https://example.com/r.wav"]),
    parts=st.lists(PARTS, max_size=3).map(tuple),
)


def call_of(*reports: CallReport) -> PhoneCall:
    call = CALL
    for report in reports:
        call = joined(call, report)
    return call


def said(event: Any = "ended", **facts: Any) -> CallReport:
    return CallReport(call_id="call-1", event=event, **facts)


@settings(deadline=None, max_examples=150)
@given(st.lists(REPORTS, max_size=5), st.randoms())
def test_neither_order_nor_repetition_changes_a_call(
    reports: list[CallReport], random: Any
) -> None:
    shuffled = [*reports, *random.choices(reports, k=3)] if reports else []
    random.shuffle(shuffled)
    assert call_of(*shuffled) == call_of(*reports)


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        ([said("ringing")], "ringing"),
        ([said("ringing"), said("answered")], "answered"),
        ([said("answered"), said()], "ended"),
        ([said("ringing"), said()], "missed"),
        (
            [said(answered=False, parts=(CallPart(id="1", speaker="agent", text="请留言"),))],
            "missed",
        ),
        ([said(parts=(CallPart(id="1", speaker="customer", text="请回电"),))], "missed"),
        ([said(parts=(CallPart(id="1", speaker="agent", text="您好"),))], "ended"),
        ([said(direction="outbound")], "ended"),
        ([said(), said("answered")], "ended"),
    ],
)
def test_a_call_is_missed_if_a_customer_called_and_nobody_answered(
    reports: list[CallReport], state: str
) -> None:
    assert call_of(*reports).state == state


def test_a_partial_part_is_replaced_and_never_replaces_a_final_one() -> None:
    partial = CallPart(id="1", speaker="customer", text="我的宽带断了还有", partial=True)
    final = CallPart(id="1", speaker="customer", text="我的宽带断了")
    for reports in ((partial, final), (final, partial)):
        call = call_of(*(said("transcript", parts=(part,)) for part in reports))
        assert call.parts == (final,)


def test_a_transcript_has_an_end() -> None:
    parts = tuple(
        CallPart(id=str(n), speaker="agent", text="a", at_ms=n) for n in range(MAX_PARTS + 1)
    )
    assert call_of(said(parts=parts)).parts == parts[:-1]
