"""Everything that a run of the function does for one desk, in order.

The facts come first: whatever else is made, is made from them. Each part of them is in the board
and in the month's costs before the next one is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from functions.core.domain.rules import Playbook
from functions.core.platform.logging import logger
from functions.core.reports.jumps import DAYS_BEFORE, DayCount
from functions.core.reports.periods import Period, midnight
from functions.core.reports.prices import read_prices
from functions.core.reports.report import ReportView
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.core.storage.facts import FactStore
from functions.core.storage.journal import SETTLED_AFTER
from functions.core.storage.report_mails import ReportMails
from functions.core.storage.reports import StoredReports
from functions.reports.budget import watch_budget
from functions.reports.completing import Completed, FactCompleter, Superseded
from functions.reports.mailing import ReportMailer, SendMail
from functions.reports.queries import Queries
from functions.reports.reporting import RunsQueries, write_missing
from functions.reports.snapshots import SnapshotKeeper

log = logger("reports")


@dataclass(frozen=True)
class DeskRun:
    """One run for one desk.

    `time` is the event's, by which periods have ended; `now` is the real time, at which facts are
    written. `has_time` says whether another part can be begun; the next run does the rest.
    """

    storage: Storage
    facts: FactStore
    reports: StoredReports
    snapshots: BoardSnapshots
    athena: RunsQueries
    send: SendMail
    region: str
    playbook: Playbook
    time: datetime
    now: datetime
    has_time: Callable[[], bool]

    def run(self) -> None:
        """Do what is due. While another run is at the facts, nothing is made from them."""
        try:
            self._run()
        except Superseded:
            log.info("reports.superseded", extra={"desk": self.playbook.desk})

    def _run(self) -> None:
        completer = FactCompleter(self.storage, self.facts, self.playbook, self.now)
        some = False
        for completed in completer.complete(self.time):
            self._keep(completed)
            some = True
            if not self.has_time():
                return
        if not some:
            progress = self.storage.report_progress.get(self.playbook.desk, self.now)
            self._keep(Completed(progress.facts_through, self.now - SETTLED_AFTER, {}))
        completer.compact()
        self._write()
        self._mail()

    def _keep(self, completed: Completed) -> None:
        """Bring the board and the month's costs up to date."""
        desk, changed = self.playbook.desk, completed.changed
        tickets = self.storage.tickets.load_many(desk, list(changed))
        keeper = SnapshotKeeper(self.storage, self.snapshots, self._counts, self._mailer.send_jumps)
        keeper.keep(
            self.playbook,
            tickets,
            self.now,
            since=completed.since,
            through=completed.through,
            facts=changed,
        )
        if changed:
            progress = self.storage.report_progress.get(desk, self.now)
            facts = (fact for found in changed.values() for fact in found)
            prices = read_prices(self.region)
            spending = watch_budget(
                progress.spending, facts, self.playbook, prices, completed.through
            )
            self.storage.report_progress.put(desk, progress.changed(spending=spending))

    def _counts(self, playbook: Playbook, day: date) -> Iterator[DayCount]:
        since, until = (midnight(day - timedelta(days=n), playbook.zone) for n in (DAYS_BEFORE, 0))
        asked = Queries(playbook.desk, playbook.zone).counts_by_day(since, until)
        return map(DayCount.of_row, self.athena.rows(asked))

    def _write(self) -> None:
        """Write the reports that are missing, and note those to mail.

        Of the reports of a first run people want the newest, and none of a desk without tickets.
        """
        desk, names, noted = self.playbook.desk, list[str](), dict[str, str]()
        made = write_missing(
            self.storage,
            self.reports,
            self.athena,
            self.playbook,
            desk,
            self.time,
            lambda: not self.has_time(),
            self.region,
            self.now,
        )
        for report in made:
            kind, name = report["kind"], f"{report['kind']}/{report['period']}"
            names.append(name)
            if not _is_empty(report):
                self._note_unmailed(without={name, noted.get(kind)}, also=(name,))
                noted[kind] = name
        if names:
            log.info("reports.written", extra={"desk": desk, "reports": names})

    def _mail(self) -> None:
        progress = self.storage.report_progress.get(self.playbook.desk, self.now)
        for name in progress.unmailed:
            report = self.reports.find(self.playbook.desk, Period.parse(*name.split("/")))
            if report is None or self._mailer.send_report(report, self.playbook):
                self._note_unmailed(without={name})

    def _note_unmailed(self, without: Collection[str | None], also: tuple[str, ...] = ()) -> None:
        """Change the reports whose mails have not gone out, whatever another run stores."""
        desk, stored = self.playbook.desk, None
        while stored is None:
            progress = self.storage.report_progress.get(desk, self.now)
            left = tuple(name for name in progress.unmailed if name not in without)
            stored = self.storage.report_progress.put(
                desk, progress.changed(unmailed=(*left, *also))
            )

    @property
    def _mailer(self) -> ReportMailer:
        return ReportMailer(ReportMails(self.storage.table), self.send, self.now)


def _is_empty(report: ReportView) -> bool:
    """Return whether a report is about no ticket at all."""
    backlog = report["figures"]["backlog"]
    return not (backlog["opening"] or backlog["received"] or backlog["reopened"])
