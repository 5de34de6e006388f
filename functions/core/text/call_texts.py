"""A phone call in words: the text on a ticket, and what pages say of calls (`docs/voice.md`)."""

from datetime import datetime, tzinfo

from functions.core.domain.calls import PhoneCall
from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "calls.title": {"zh-CN": "最近来电", "en": "Recent calls"},
    "calls.state.ringing": {"zh-CN": "振铃中", "en": "Ringing"},
    "calls.state.answered": {"zh-CN": "通话中", "en": "Answered"},
    "calls.state.missed": {"zh-CN": "未接", "en": "Missed"},
    "calls.state.ended": {"zh-CN": "已结束", "en": "Ended"},
    "calls.withheld": {"zh-CN": "未显示号码", "en": "Number withheld"},
    "calls.recording": {"zh-CN": "打开录音", "en": "Open the recording"},
    "calls.enter": {"zh-CN": "按此来电新建", "en": "Fill in from this call"},
    "calls.show": {"zh-CN": "查看来电与录音", "en": "See the call and its recording"},
    "calls.from": {"zh-CN": "已按来电预填，请核对。", "en": "Filled in from the call; check it."},
}

_MISSED: dict[Locale, str] = {
    "zh-CN": "未接来电：{start}，请回电。",
    "en": "Missed call at {start}. Please call back.",
}
_TALKED: dict[Locale, str] = {
    "zh-CN": "通话记录：{start}–{end}{by}。",
    "en": "Phone call: {start}–{end}{by}.",
}
_BY: dict[Locale, str] = {"zh-CN": "，由{agent}接听", "en": ", answered by {agent}"}
_SPEAKERS: dict[Locale, dict[str, str]] = {
    "zh-CN": {"customer": "客户：", "agent": "客服："},
    "en": {"customer": "Customer: ", "agent": "Agent: "},
}


def call_text(call: PhoneCall, locale: Locale, zone: tzinfo) -> str:
    """Return what a ticket says of a call: when it was, who answered, and the transcript."""
    start = _minute(call.begun_at, zone)
    if call.is_missed:
        head = _MISSED[locale].format(start=start)
    else:
        end = call.ended_at.astimezone(zone).strftime("%H:%M") if call.ended_at else ""
        by = _BY[locale].format(agent=call.agent) if call.agent and call.is_answered else ""
        head = _TALKED[locale].format(start=start, end=end, by=by)
    speakers = _SPEAKERS[locale]
    return "\n".join([head, *(f"{speakers[part.speaker]}{part.text}" for part in call.parts)])


def _minute(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
