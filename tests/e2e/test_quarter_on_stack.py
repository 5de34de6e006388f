"""A simulated quarter on the running system: its facts made by the console, counted by Athena,
reported by the function, read by HTTP, and compared with a second computation from the events."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from functions.core.domain.journal import ChatEnd, JournalEntry, presence_entry
from functions.core.domain.rules import Playbook
from functions.core.storage.reports import StoredReports
from infra.deploy.local_stage import Ports, aws_environment
from tests.e2e.desk_journey import TABLE, SystemJourney
from tests.e2e.reporting_desk import PASSWORD, let_in, run_reports
from tests.e2e.running_system import System
from tests.reports.quarter.generator import Quarter
from tests.reports.quarter.oracle import Period, periods
from tests.reports.test_quarter import (
    correction_of,
    corrections,
    differences,
    playbook_of,
    simulated,
)

DESKS = {"shanghai": "standard", "amsterdam": "harbour"}
"""The desks, since tests share the running system, and the playbooks that they have."""
TICKETS = 150
BEGIN, END = datetime(2026, 2, 16, tzinfo=UTC), datetime(2026, 4, 1, 12, tzinfo=UTC)
"""Half of the quarter, as the emulator reads all of a table for each query."""
RUNS = {
    "2026-03-02 00:20": {"daily": "2026-02-28", "weekly": "2026-W08", "monthly": "2026-01"},
    "2026-04-01 00:20": {"daily": "2026-03-30", "weekly": "2026-W12", "monthly": "2026-02"},
}
"""The runs of the function, in the desk's time, and what has been reported before each: so each run
writes a day, a week and a month."""
FIRST = {"shanghai": 0, "amsterdam": 1}
"""A desk's first run; the last one has the week in which Amsterdam's clocks change."""
BATCH = 25


@pytest.mark.requirement("B11", "D15")
@pytest.mark.parametrize("desk", DESKS)
def test_reports_of_a_quarter_say_what_the_events_say(
    system: System, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, desk: str
) -> None:
    for variable, value in aws_environment(Ports(aws=system.aws_port)).items():
        monkeypatch.setenv(variable, value)
    playbook = moved(playbook_of(DESKS[desk]), desk)
    quarter, oracle = simulated(playbook, TICKETS, begin=BEGIN, end=END)
    s3 = system.aws("s3")
    bucket = SystemJourney(system, desk).bucket("mail")
    stored = StoredReports(s3, bucket)
    put(system, quarter)
    request.addfinalizer(partial(take_away, system, quarter, bucket))
    changes = sum(map(len, quarter.histories))
    assert f"{desk}: {changes} facts" in system.command("reports", "rebuild", desk)
    stored.put_written(desk, {"daily": "2026-12-30", "weekly": "2026-W52", "monthly": "2026-12"})
    run_reports(system, desk, datetime.now(UTC))  # the feeds

    let_in(playbook, "admin-1")
    admin = system.api.sign_in(f"{desk}-admin-1", PASSWORD)
    months, volume = list[Period](), 0
    for time, before in [*RUNS.items()][FIRST[desk] :]:
        stored.put_written(desk, before)
        now = datetime.fromisoformat(time).replace(tzinfo=playbook.zone)
        run_reports(system, desk, now)
        after = stored.written(desk)
        written = [p for p in periods(playbook, BEGIN, now) if before[p.kind] < p.name]
        assert after.items() >= {period.kind: period.name for period in written}.items()
        for period in written:
            path = f"/agent/desks/{desk}/reports/{period.kind}/{period.name}"
            answer = admin.request("GET", path)
            assert answer.status == 200, answer.text
            report = answer.json
            assert report["adds_up"], report["problems"]
            assert [*differences(report, oracle.report(period.start, period.end))] == []
            volume += report["figures"]["volume"]["n"]
            if period.kind == "monthly":  # the other reports between are not written
                found = {correction_of(each) for each in report["corrections"]}
                assert found == corrections(oracle, period, months)
                months.append(period)
    assert volume > TICKETS / 2


def moved(playbook: Playbook, desk: str) -> Playbook:
    """A playbook for another desk, with a mailbox of its own."""
    mail = playbook.mail.model_copy(update={"address": f"support@{desk}.local"})
    return playbook.model_copy(update={"desk": desk, "mail": mail})


def put(system: System, quarter: Quarter) -> None:
    """Put the quarter's table into that of the system, and who came and which chats ended into its
    feeds, as if all of it had arrived ten minutes ago, so that the first run settles it."""
    storage, desk = quarter.storage, quarter.playbook.desk
    now = datetime.now(UTC) - timedelta(minutes=10)
    for came in quarter.presence:
        storage.presence.write(desk, presence_entry(came.username, came.online, came.at), now)
    for chat in quarter.chats:
        end = ChatEnd(outcome=chat.outcome, channel=chat.channel)
        entry = JournalEntry(number=chat.id, version=1, at=chat.at, chat_end=end)
        storage.chat_ends.write(desk, entry, now)
    write(system, [{"PutRequest": {"Item": item}} for item in quarter.items()])


def take_away(system: System, quarter: Quarter, bucket: str) -> None:
    """Remove the quarter, with its timers that nobody looks at, from the table; and its facts,
    since the emulator reads those of all desks for each query."""
    keys = [{"pk": item["pk"], "sk": item["sk"]} for item in quarter.items()]
    known = [key["sk"] for key in keys]
    desk = {":desk": {"S": f"DESK#{quarter.playbook.desk}"}}
    people = system.aws("dynamodb").query(
        TableName=TABLE, KeyConditionExpression="pk = :desk", ExpressionAttributeValues=desk
    )["Items"]
    keys += [{"pk": i["pk"], "sk": i["sk"]} for i in people if i["sk"] not in known]
    write(system, [{"DeleteRequest": {"Key": key}} for key in keys])
    s3, folder = system.aws("s3"), f"facts/desk={quarter.playbook.desk}/"
    for fact in s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=fact["Key"])


def write(system: System, requests: list[dict[str, Any]]) -> None:
    table = system.aws("dynamodb")
    for first in range(0, len(requests), BATCH):
        answer = table.batch_write_item(RequestItems={TABLE: requests[first : first + BATCH]})
        assert not answer["UnprocessedItems"]
