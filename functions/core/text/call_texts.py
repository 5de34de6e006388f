"""A phone call in words (`docs/voice.md`)."""

from datetime import datetime, tzinfo

from functions.core.domain.calls import PhoneCall
from functions.core.domain.rules import Locale
from functions.core.text.words import say


def call_text(call: PhoneCall, locale: Locale, zone: tzinfo) -> str:
    """Return what a ticket says of a call: when it was, who answered, and the transcript."""
    start = _minute(call.begun_at, zone)
    if call.is_missed:
        head = say("call.missed", locale, start=start)
    else:
        end = call.ended_at.astimezone(zone).strftime("%H:%M") if call.ended_at else ""
        by = say("call.by", locale, agent=call.agent) if call.agent and call.is_answered else ""
        head = say("call.talked", locale, start=start, end=end, by=by)
    said = (say(f"call.said.{part.speaker}", locale, text=part.text) for part in call.parts)
    return "\n".join([head, *said])


def _minute(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
