"""The stored reports, the rows behind their figures, and open tickets: objects in S3."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from functions.core.domain.errors import FieldError, InvalidInput, NotFound, Phrase
from functions.core.reports.behind import Behind, OpenTicket
from functions.core.reports.figures import FIGURES
from functions.core.storage.objects import read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.reports.periods import Period
    from functions.core.reports.report import BehindList, FrequentQuestion, ReportView

FOLDER = "reports/"
OPEN = "open"
"""The list of the tickets that are open at the end of a day."""
PAGE = 100
"""The rows of a page behind a figure."""

LISTED = tuple(FIGURES)
"""The figures that have rows behind them."""

_QUESTIONS = "/questions.json.gz"

Corrected = dict[str, dict[str, dict[str, Any]]]
"""Period that corrected → figure → key of a row (`Behind.key`) → what it is since then."""


class Lines:
    """Lines that are compressed as they are written."""

    def __init__(self) -> None:
        self.count = 0
        self._body = BytesIO()
        self._file = gzip.GzipFile(fileobj=self._body, mode="wb", mtime=0)

    def add(self, line: str) -> None:
        self.count += 1
        self._file.write(f"{line}\n".encode())

    def done(self) -> bytes:
        self._file.close()
        return self._body.getvalue()


@dataclass(frozen=True)
class StoredReports:
    """The reports of all desks in the mail bucket.

    What is put is kept for `years`; without them for good.
    """

    s3: S3Client
    bucket: str
    years: int | None = None

    def get(self, desk: str, period: Period, *, questions: bool = True) -> ReportView:
        """Return a report, with its questions unless they are not needed.

        Raises:
            NotFound: it has not been written.
        """
        report = self._json(f"{_key(desk, period)}.json.gz")
        if report is None:
            raise NotFound("There is no such report yet.")
        if period.kind == "weekly" and questions:
            report["questions"] = self._json(f"{_key(desk, period)}{_QUESTIONS}") or []
        return cast("ReportView", report)

    def find(self, desk: str, period: Period, *, questions: bool = True) -> ReportView | None:
        try:
            return self.get(desk, period, questions=questions)
        except NotFound:
            return None

    def put(self, period: Period, report: ReportView, lists: Mapping[str, Lines]) -> None:
        """Store a report and the rows behind its figures; the report itself comes last.

        Its questions are an object of their own, as an erasure may take some away.
        """
        stored = _key(report["desk"], period)
        for figure, lines in lists.items():
            if lines.count or figure == OPEN:  # without it, all facts would be read the next day
                self._put(f"{stored}/{figure}.tsv.gz", lines.done())
        if report["questions"]:
            self._put_json(f"{stored}{_QUESTIONS}", report["questions"])
        self._put_json(f"{stored}.json.gz", {**report, "questions": []})

    def forget(self, desk: str, origin: str) -> list[str]:
        """Remove the questions of a chat or ticket whose customer is erased.

        Returns the keys that were rewritten; their former versions are left.
        """
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{FOLDER}{desk}/weekly/"
        )
        names = [item["Key"] for page in pages for item in page.get("Contents", [])]
        rewritten = []
        for name in names:
            if not name.endswith(_QUESTIONS):
                continue
            questions: list[FrequentQuestion] = self._json(name) or []
            left = []
            for question in questions:
                phrasings = [one for one in question["phrasings"] if _origin(one["from"]) != origin]
                if phrasings:
                    left.append({**question, "phrasings": phrasings})
            if left != questions:
                self._put_json(name, left)
                rewritten.append(name)
        return rewritten

    def behind(self, desk: str, period: Period, figure: str) -> Iterator[Behind]:
        """Yield the rows behind a figure; none if the report has not been written."""
        yield from map(Behind.of_line, self._lines(f"{_key(desk, period)}/{figure}.tsv.gz") or ())

    def page(self, desk: str, period: Period, figure: str, cursor: str | None) -> BehindList:
        """Return a page of the rows behind a figure.

        Raises:
            InvalidInput: there are no rows behind such a figure, or no such page.
            NotFound: the report has not been written.
        """
        if figure not in LISTED:
            raise InvalidInput(
                "Some fields are invalid.",
                (FieldError("tickets", Phrase("expected one of {kinds}", kinds=LISTED)),),
            )
        if not re.fullmatch("[0-9]{1,9}", cursor or "0"):
            raise InvalidInput("The page is invalid.")
        lines = self._lines(f"{_key(desk, period)}/{figure}.tsv.gz")
        if lines is None and self.find(desk, period) is None:
            raise NotFound("There is no such report yet.")
        start = int(cursor or 0)
        found = list(islice(lines or (), start, start + PAGE + 1))
        return {
            "figure": figure,
            "tickets": [Behind.of_line(line).view() for line in found[:PAGE]],
            "cursor": str(start + PAGE) if len(found) > PAGE else None,
        }

    def open_tickets(self, desk: str, day: Period) -> Iterator[OpenTicket] | None:
        """Return the tickets of the backlog at the end of a day; None if its report is missing."""
        lines = self._lines(f"{_key(desk, day)}/{OPEN}.tsv.gz")
        return None if lines is None else map(OpenTicket.of_line, lines)

    def corrected(self, desk: str, period: Period) -> Corrected:
        """Return what later reports corrected in one."""
        found: Corrected = self._json(f"{_key(desk, period)}/corrected.json.gz") or {}
        return found

    def put_corrected(self, desk: str, period: Period, corrected: Corrected) -> None:
        self._put_json(f"{_key(desk, period)}/corrected.json.gz", corrected)

    def written(self, desk: str) -> dict[str, str]:
        """Return the name of the newest written period by kind, and the desk's `first_day`."""
        found: dict[str, str] = self._json(f"{FOLDER}{desk}/written.json.gz") or {}
        return found

    def put_written(self, desk: str, written: Mapping[str, str]) -> None:
        self._put_json(f"{FOLDER}{desk}/written.json.gz", written)

    def _json(self, name: str) -> Any:
        """Read an object, None if there is none."""
        body = read_object(self.s3, self.bucket, name)
        return None if body is None else json.loads(gzip.decompress(body))

    def _lines(self, name: str) -> Iterator[str] | None:
        body = read_object(self.s3, self.bucket, name)
        return None if body is None else _each(body)

    def _put_json(self, name: str, value: object) -> None:
        self._put(name, gzip.compress(json.dumps(value, ensure_ascii=False).encode(), mtime=0))

    def _put(self, name: str, body: bytes) -> None:
        tags = {} if self.years is None else {"retention-years": str(self.years)}
        self.s3.put_object(Bucket=self.bucket, Key=name, Body=body, Tagging=urlencode(tags))


def listed(lines: Iterable[Behind | OpenTicket]) -> Lines:
    written = Lines()
    for each in lines:
        written.add(each.line())
    return written


def _each(body: bytes) -> Iterator[str]:
    with gzip.GzipFile(fileobj=BytesIO(body)) as file:
        for line in TextIOWrapper(file, "utf-8", newline="\n"):
            yield line.rstrip("\n")


def _origin(id_: str) -> str:
    """Return the ticket or chat of a question's id, which may have a message after `#`."""
    return id_.partition("#")[0]


def _key(desk: str, period: Period) -> str:
    return f"{FOLDER}{desk}/{period.kind}/{period.name}"
