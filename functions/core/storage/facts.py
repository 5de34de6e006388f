"""The facts of all desks: gzipped tab-separated lines in S3, by desk and local day (decision 38).

Objects are never changed. A line counts if it is the newest of its kind, number and version, so
whatever is interrupted or done twice does no harm; merging a day leaves only the lines that count.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from functions.core.domain.errors import TryAgain
from functions.core.reports.columns import Fact, fact_of_line
from functions.core.storage.objects import read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.domain.rules import Playbook

FOLDER = "facts/"
"""The facts' folder in the mail bucket; a lifecycle rule for each number of years empties it."""
_PASSES = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class FactStore:
    """The fact objects in the mail bucket."""

    s3: S3Client
    bucket: str

    def write(self, playbook: Playbook, facts: Iterable[Fact], now: datetime) -> int:
        """Store facts of a desk, one object for each local day; return how many objects."""
        days: dict[date, list[Fact]] = defaultdict(list)
        for fact in facts:
            days[day_of(fact, playbook.zone)].append(fact)
        for day, found in days.items():
            self._put(playbook, day, found, now)
        return len(days)

    def read(self, desk: str, day: date) -> list[Fact]:
        """Return the facts of a day that count, in the order of their time."""
        return counted(fact for name in self._names(desk, day) for fact in self._facts(name))

    def compact(
        self, playbook: Playbook, day: date, now: datetime, since: datetime | None = None
    ) -> bool:
        """Merge a day's objects into one; return whether there were several.

        Args:
            since: when all facts of tickets were begun to be written again; older ones are of
                changes that a restore of the table has undone, and are left out.
        """
        names = self._names(playbook.desk, day)
        if since is None and len(names) < 2:
            return False
        facts = counted(fact for name in names for fact in self._facts(name))
        if since is not None:
            newest = int(since.timestamp())
            facts = [fact for fact in facts if fact.kind != "ticket" or fact.written >= newest]
        merged = [self._put(playbook, day, facts, now)] if facts else []
        # What was rewritten meanwhile, for an erasure, must not come back.
        if set(names) <= set(self._names(playbook.desk, day)):
            self._delete(names)
        else:
            self._delete(merged)
        return True

    def replace(
        self, playbook: Playbook, number: str, facts: Collection[Fact], now: datetime
    ) -> None:
        """Replace the facts of a ticket: no object says anything else about it afterwards (B10).

        Those that are not stored, because they expired or their time has not come, are not added.
        What the ticket's changes used is kept. Facts of later versions stay.

        Args:
            facts: all facts of the ticket, written now.

        Raises:
            TryAgain: others rewrite the same days all the time.
        """
        days = {day_of(fact, playbook.zone) for fact in facts}
        # The desk's time zone may have changed since.
        days |= {day + shift for day in days for shift in (-_DAY, _DAY)}
        known = [
            fact
            for day in days
            for name in self._names(playbook.desk, day)
            for fact in self._facts(name)
            if _is_of(fact, number)
        ]
        stored = {fact.version: fact for fact in counted(known)}
        new = [
            replace(fact, usage=stored[fact.version].usage)
            for fact in facts
            if fact.version in stored
        ]
        said = {fact.version: _said(fact) for fact in facts}
        if all(_said(fact) == said.get(fact.version, _said(fact)) for fact in known):
            return
        self.write(playbook, new, now)
        for _ in range(_PASSES):
            if not sum(self._remove(playbook, day, number, said, now) for day in days):
                return
        raise TryAgain(f"the facts of {number} are rewritten all the time: run it again")

    def _remove(
        self, playbook: Playbook, day: date, number: str, said: Mapping[int, Fact], now: datetime
    ) -> bool:
        """Rewrite the objects of a day without other facts of a ticket; return whether any had."""
        had = False
        for name in self._names(playbook.desk, day):
            facts = self._facts(name)
            left = [
                fact
                for fact in facts
                if not _is_of(fact, number) or _said(fact) == said.get(fact.version, _said(fact))
            ]
            if len(left) < len(facts):
                had = True
                if left:
                    self._put(playbook, day, left, now)
                self._delete([name])
        return had

    def days(self, desk: str, after: date = date.min) -> Iterator[date]:
        """Yield the days after one that have facts, in order."""
        folder, last = f"{FOLDER}desk={desk}/", None
        for name, _ in self._listed(folder, f"{folder}day={after}~"):  # `~` follows every digit
            day = date.fromisoformat(name.split("/day=")[1].partition("/")[0])
            if day != last:
                yield day
            last = day

    def size(self, desk: str, first: date, last: date) -> int:
        """Return the bytes of the facts of a period, both days included."""
        folder = f"{FOLDER}desk={desk}/"
        end = f"{folder}day={last + _DAY}"
        listed = self._listed(folder, f"{folder}day={first}")
        return sum(size for name, size in listed if name < end)

    def _put(self, playbook: Playbook, day: date, facts: Iterable[Fact], now: datetime) -> str:
        from secrets import token_hex

        # Athena takes a colon in a key for part of a URL.
        name = f"{_folder(playbook.desk, day)}{now:%Y%m%dT%H%M%SZ}-{token_hex(4)}.tsv.gz"
        lines = "".join(f"{fact.line()}\n" for fact in facts)
        self.s3.put_object(
            Bucket=self.bucket,
            Key=name,
            Body=gzip.compress(lines.encode(), mtime=0),
            Tagging=f"retention-years={playbook.retention.years}",
        )
        return name

    def _facts(self, name: str) -> list[Fact]:
        body = read_object(self.s3, self.bucket, name)
        if body is None:
            raise TryAgain(f"{name} was replaced")
        return [fact_of_line(line) for line in gzip.decompress(body).decode().splitlines()]

    def _names(self, desk: str, day: date) -> list[str]:
        return [name for name, _ in self._listed(_folder(desk, day))]

    def _listed(self, folder: str, after: str = "") -> Iterator[tuple[str, int]]:
        """Yield the objects of a folder with their sizes, in the order of their keys."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=folder, StartAfter=after
        )
        for page in pages:
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            self.s3.delete_object(Bucket=self.bucket, Key=name)


def counted(facts: Iterable[Fact]) -> list[Fact]:
    """Return the newest fact of each kind, number and version, in the order of their time.

    One that was written again does not know what the change used; the earlier one does.
    """
    newest: dict[tuple[str, str, int], Fact] = {}
    for fact in sorted(facts, key=lambda fact: fact.written):
        known = (fact.kind, fact.number, fact.version)
        usage = newest[known].usage if known in newest else ()
        newest[known] = fact if fact.usage or not usage else replace(fact, usage=usage)
    return sorted(newest.values(), key=lambda fact: (fact.happened, fact.number, fact.version))


def day_of(fact: Fact, zone: ZoneInfo) -> date:
    """Return the local day under which a fact is stored."""
    return datetime.fromtimestamp(fact.happened, zone).date()


def _is_of(fact: Fact, number: str) -> bool:
    return fact.kind == "ticket" and fact.number == number


def _said(fact: Fact) -> Fact:
    """Return a fact without when it was written and what it used."""
    return replace(fact, written=0, usage=())


def _folder(desk: str, day: date) -> str:
    return f"{FOLDER}desk={desk}/day={day}/"
