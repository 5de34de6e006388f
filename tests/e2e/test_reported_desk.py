"""Reports, board and costs on the running system: from a request to the report in the mail."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pytest

from functions.core.playbook import load
from functions.core.reports.periods import Period
from functions.core.reports.workbook import MEDIA_TYPE
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from infra.deploy.local_stage import Ports, aws_environment
from tests.e2e.console_commands import run
from tests.e2e.desk_journey import TABLE, SystemJourney
from tests.e2e.reporting_desk import PASSWORD, let_in, run_reports
from tests.e2e.running_system import ROOT, System, wait_until

DESK = "reported"
AGENT, SUPERVISOR, FINANCE = "technical-support-1", "supervisors-1", "finance-1"
BOSS, CUSTOMER = "boss@reported.local", "walk.reported@example.com"
REPORTS = f"""reports:
  recipients: ["mail:{BOSS}"]
  kinds: [daily]
  agent_rate: 60
  currency: CNY
  usd_rate: 7.1
"""


@pytest.mark.requirement("B11", "D15", "D16", "F8", "B10")
def test_a_day_is_worked_reported_mailed_and_erased(
    system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable, value in aws_environment(Ports(aws=system.aws_port)).items():
        monkeypatch.setenv(variable, value)
    journey = opened(system, tmp_path)
    solved, waiting, other = worked(journey)
    zone = load(ROOT / "playbooks" / "standard.yaml").zone
    day = Period.of("daily", datetime.now(zone).date())
    path, later = f"/reports/daily/{day.name}", day.end(zone) + timedelta(minutes=20)

    # No report yet; the agents' roles see none.
    assert journey.as_agent(SUPERVISOR, "GET", path).status == 404
    for desk in (DESK, "standard"):
        run_reports(system, desk, later)
    assert journey.as_agent(AGENT, "GET", path).status == 403

    report = got(journey, SUPERVISOR, path)
    assert report["adds_up"], report["problems"]
    figures = report["figures"]
    assert (figures["volume"]["n"], figures["first_response"]["n"]) == (2, 1)
    assert (figures["csat"]["n"], figures["csat"]["good"], figures["csat"]["asked"]) == (1, 1, 1)
    assert (figures["backlog"]["received"], figures["backlog"]["closing"]) == (2, 1)
    assert float(figures["cost"]["usd_units"]) > 0
    behind = got(journey, SUPERVISOR, f"{path}?tickets=volume")
    assert {row["number"] for row in behind["tickets"] if row["counted"]} == {solved, waiting}
    standard = SystemJourney(system, "standard")
    rows = got(standard, SUPERVISOR, f"{path}?tickets=volume")["tickets"]
    assert other in {row["number"] for row in rows}

    csv = downloaded(journey, SUPERVISOR, path, "text/csv").decode()
    assert "受理量,件数,2" in csv
    with ZipFile(BytesIO(downloaded(journey, SUPERVISOR, path, MEDIA_TYPE))) as book:
        assert book.testzip() is None
        assert any("chart" in name for name in book.namelist())

    # The board has what came in after the run.
    new = journey.file("还是无法登录", contact=f"second.{CUSTOMER}")
    board = wait_until(lambda: received(journey, new), "on the board")
    assert {solved, waiting, new} <= {*board["today"]["received"]["tickets"]}

    costs_are_told(system, journey, day.name, {solved, waiting})
    shown = system.command("reports", "show", DESK, "daily", day.name)
    assert [line.split() for line in shown.splitlines() if line.startswith("volume")] == [
        ["volume", "n", "2"]
    ]
    compared = system.command("reports", "compare", DESK, day.name, "--days", "1")
    assert len(compared.splitlines()) > 5

    # Mailed once, however often the function runs.
    run_reports(system, DESK, later)
    (raw,) = system.mails(BOSS)
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    text = mail.get_body(("plain",))
    assert text is not None
    assert day.name in mail["Subject"]
    assert "受理量：2" in text.get_content()
    (attached,) = mail.iter_attachments()
    assert ZipFile(BytesIO(attached.get_content())).testzip() is None

    # An erasure leaves the figures, and no model in the facts.
    assert "AB-1200" in products(system, journey, day)
    said = system.command("ticket", "erase", DESK, "--contact", CUSTOMER, "--reason", "客户要求")
    assert f"{solved}: erased" in said
    assert "AB-1200" not in products(system, journey, day)
    assert got(journey, SUPERVISOR, path)["figures"] == figures
    _, problems = run(system.data, "verify", "--facts")
    assert [line for line in problems.splitlines() if DESK in line] == []


def opened(system: System, folder: Path) -> SystemJourney:
    """Open a desk of its own, with an agent, a supervisor, and one who sees its costs."""
    text = (ROOT / "playbooks" / "standard.yaml").read_text("utf-8")
    text = text.replace("desk: standard\n", f"desk: {DESK}\n")
    text = text.replace("@standard.local", f"@{DESK}.local")
    text = text.replace('"CS{date', '"RD{date')  # links are looked for by the number alone
    text = text.replace("reports:\n  recipients: [supervisor]\n", REPORTS)
    path = folder / f"{DESK}.yaml"
    path.write_text(text, "utf-8")
    system.command("playbook", "apply", str(path))
    system.aws("sesv2").create_email_identity(EmailIdentity=f"support@{DESK}.local")
    let_in(load(path), AGENT, SUPERVISOR, FINANCE)
    journey = SystemJourney(system, DESK)
    for name in (AGENT, SUPERVISOR, FINANCE):
        journey.sign_in(name, PASSWORD)
    return journey


def worked(journey: SystemJourney) -> tuple[str, str, str]:
    """File two tickets, of which one is answered, resolved and rated, and one on another desk; wait
    until the feeds have all of it."""
    solved = journey.file("无法登录", contact=CUSTOMER, product={"model": "AB-1200"})
    journey.until_handled_by(AGENT, AGENT)
    journey.act(AGENT, "reply", text="请重置密码后再试。")
    journey.act(AGENT, "resolve", summary="已重置密码")
    journey.act_as_customer("survey", score=5)
    journey.until_status("archived")
    waiting = journey.file("请问怎么开发票", contact=f"other.{CUSTOMER}")
    journey.until_status("queued")
    other: str = journey.system.file(f"third.{CUSTOMER}", "无法登录")["number"]
    for desk, number in ((DESK, solved), (DESK, waiting), ("standard", other)):
        wait_until(partial(arrived, journey.system, desk, number), f"{number} in the feeds")
    return solved, waiting, other


def arrived(system: System, desk: str, number: str) -> bool:
    storage, now = Storage.on(system.aws("dynamodb"), TABLE), datetime.now(UTC)
    history = storage.tickets.history(desk, number)
    feeds = (storage.journal, storage.changes)
    entries = [e for f in feeds for e in f.entries(desk, now - timedelta(hours=1), now)]
    found = {entry.version for _, entry in entries if entry.number == number}
    return len(history) > 1 and found == {commit.version for commit in history}


def got(journey: SystemJourney, who: str, path: str) -> Any:
    answer = journey.as_agent(who, "GET", path)
    assert answer.status == 200, answer.text
    return answer.json


def downloaded(journey: SystemJourney, who: str, path: str, media: str) -> bytes:
    """Download a file; the emulator's API gives it as bytes only if nothing else is accepted."""
    session = journey.system.api.sign_in(f"{DESK}-{who}", PASSWORD).session
    assert session is not None
    url = f"{journey.system.local['api']}/agent/desks/{DESK}{path}"
    headers = {"Accept": media, "Authorization": f"Bearer {session['token']}"}
    with urlopen(Request(url, headers=headers), timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith(media)
        content: bytes = answer.read()
    return content


def received(journey: SystemJourney, number: str) -> Any:
    board = got(journey, SUPERVISOR, "/board")
    return board if number in board["today"]["received"]["tickets"] else None


def costs_are_told(system: System, journey: SystemJourney, day: str, tickets: set[str]) -> None:
    """Finance sees what each ticket used, in all groupings; the agent sees no costs."""
    days = f"from={day}&to={day}"
    sums = []
    for by, keys in {"desk": {DESK}, "channel": {"web"}, "ticket": tickets, "day": {day}}.items():
        found = got(journey, FINANCE, f"/costs?{days}&by={by}")
        assert keys <= {line["key"] for line in found["lines"]}
        for line in found["lines"]:
            if line["key"] in keys:
                assert line["units"]["dynamodb.write_unit"] > 0
                assert line["usd"] > 0
        sums.append(found["sum"]["usd"])
    assert sums == pytest.approx([sums[0]] * len(sums))
    assert journey.as_agent(AGENT, "GET", f"/costs?{days}&by=desk").status == 403
    option = ("--from", day, "--to", day, "--by", "ticket", "--desk", DESK)
    said = system.command("costs", *option)
    assert all(number in said for number in tickets)


def products(system: System, journey: SystemJourney, day: Period) -> set[str]:
    """The products in all facts of a day."""
    store = FactStore(system.aws("s3"), journey.bucket("mail"))
    return {fact.product for fact in store.read(DESK, day.first)}
