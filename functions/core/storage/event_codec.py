"""The encoding of events as the text that is stored with a commit.

Values equal to their default are left out, and so is the start of a timer that the commit itself
starts. This keeps the item of a usual commit below 1 KB, one write unit.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from pydantic import ValidationError

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import EVENTS, SCHEMA_VERSION, Event, TimersSet
from functions.core.domain.ticket import Timer

_LIVE = frozenset({"running", "paused"})
"""The timer states with a start; an ended timer keeps only its deadline."""


def dump_events(events: Iterable[Event], at: datetime | None = None) -> str:
    """Events as JSON text.

    Args:
        at: the time of the commit.
    """
    documents = [
        {
            "event": event.event,
            **_timers(event, at, _without_start).model_dump(mode="json", exclude_defaults=True),
        }
        for event in events
    ]
    return json.dumps(documents, ensure_ascii=False, separators=(",", ":"))


def parse_events(
    document: str, schema_version: int, at: datetime | None = None
) -> tuple[Event, ...]:
    """Events from their stored text.

    Args:
        at: the time of the commit, as given to `dump_events`.

    Raises:
        DeadLetter: the text is not a list of events, or was written by a newer schema.
    """
    if schema_version > SCHEMA_VERSION:
        raise DeadLetter(
            f"events of schema {schema_version}; this code reads {SCHEMA_VERSION} at most"
        )
    try:
        documents = json.loads(document)
        if not isinstance(documents, list):
            raise DeadLetter(f"not a list of events: {type(documents).__name__}")
        return tuple(
            _timers(EVENTS[fields["event"]].model_validate(fields), at, _with_start)
            for fields in documents
        )
    except ValidationError as error:
        raise DeadLetter(f"not a list of events: {error.error_count()} problems") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DeadLetter(f"not a list of events: {type(error).__name__}: {error}") from error


def _timers(event: Event, at: datetime | None, change: Callable[[Timer, datetime], Timer]) -> Event:
    if at is None or not isinstance(event, TimersSet):
        return event
    return TimersSet(timers={kind: change(timer, at) for kind, timer in event.timers.items()})


def _without_start(timer: Timer, at: datetime) -> Timer:
    started_now = timer.state in _LIVE and timer.started_at == at
    return timer.model_copy(update={"started_at": None}) if started_now else timer


def _with_start(timer: Timer, at: datetime) -> Timer:
    unknown = timer.state in _LIVE and timer.started_at is None
    return timer.model_copy(update={"started_at": at}) if unknown else timer
