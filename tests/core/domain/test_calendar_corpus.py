"""Every deadline of the generated Chinese SLA corpus, to the second.

In the corpus, make-up weekend days have Monday's hours, even if Saturday has hours.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from functions.core.domain.calendar import BusinessCalendar

CORPORA = os.environ.get("DESKBELL_CORPORA")

pytestmark = [
    pytest.mark.requirement("G2"),
    pytest.mark.corpus,
    pytest.mark.skipif(CORPORA is None, reason="DESKBELL_CORPORA names no folder"),
]


def test_every_deadline_of_the_corpus_is_exact_and_inverted() -> None:
    folder = Path(CORPORA or "") / "calendar" / "sla_cn_generated"
    calendars = {
        name: BusinessCalendar.from_dict(
            {
                "timezone": "Asia/Shanghai",
                "hours": {day.lower(): hours for day, hours in schedule.items()},
                "holidays": {"country": "CN"},
            }
        )
        for name, schedule in json.loads((folder / "schedules.json").read_text()).items()
    }
    lines = (folder / "cases.jsonl").read_text().splitlines()
    wrong: list[tuple[str, datetime | timedelta]] = []
    for line in lines:
        case = json.loads(line)
        calendar = calendars[case["schedule"]]
        start = datetime.fromisoformat(case["start_utc"])
        deadline = datetime.fromisoformat(case["expected_deadline_utc"])
        duration = timedelta(minutes=case["minutes"])
        if calendar.add(start, duration) != deadline:
            wrong.append((case["id"], calendar.add(start, duration)))
        if calendar.between(start, deadline) != duration:
            wrong.append((case["id"], calendar.between(start, deadline)))
    assert len(lines) == 400
    assert wrong == []
