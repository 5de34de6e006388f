"""The smoke test of a deployed stage: drive a few tickets through every function.

It acts as a customer, an agent and AWS would, through the API, the topic and the functions, so that
a missing permission shows. It makes tickets of contacts that nobody reads and one person of the
roster, and erases and deactivates them in the end.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any, Literal, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.administration.retention import erase
from functions.core.domain import events as e
from functions.core.domain.errors import DeskbellError, TryAgain
from functions.core.domain.record import archive_key
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import DONE
from functions.core.services.contacts import address_digest
from functions.core.services.links import ticket_path
from infra.console.errors import ConsoleError, UsageError
from infra.console.people import people_of
from infra.console.quarantine import quarantine_of
from infra.console.retention import records_of
from infra.console.smoke_stage import Answer, SmokeFailed, StageUnderTest
from infra.deploy.desks import storage_of, versions
from infra.deploy.steps import INFRA
from infra.deploy.trail import OperatorTrail

USERNAME = "deskbell-smoke"
REASON = "deskbell smoke"
DESCRIPTION = "Deskbell smoke test, please ignore: 13800138000"
"""It has a phone number, so that a sealed original is made."""

_FILE = b"%PDF-1.7\n%%EOF\n"

FUNCTIONS = frozenset(path.stem for path in (INFRA / "policies").glob("*.json")) - {
    "administration",
    "answers",
    "fetcher",
    "language_model",
    "proposals",
}
NEVER = (
    "text messages",
    "chats with the assistant, chat channels and webhooks",
    "SES receiving mail (the announcement is made here)",
    "deadlines that come later",
)
"""The paths that no smoke test takes: they would cost, need a customer or take days."""

_EXPECTED = (ConsoleError, DeskbellError, BotoCoreError, ClientError)
Found = TypeVar("Found")


@dataclass(frozen=True)
class Check:
    """One line of the report; `fix` says what to do about a failure."""

    name: str
    state: Literal["ok", "failed", "skipped"]
    detail: str = ""
    fix: str = ""


@dataclass
class SmokeReport:
    """The checks of one run, and the functions that have worked."""

    checks: list[Check] = field(default_factory=list)
    worked: set[str] = field(default_factory=set)

    @property
    def passed(self) -> bool:
        return all(check.state != "failed" for check in self.checks)

    @property
    def not_exercised(self) -> list[str]:
        return sorted(FUNCTIONS - self.worked)


class _Abandoned(Exception):
    """The rest of a scenario needs a step that failed."""


def desk_for(stage: str, desk: str = "") -> str:
    """The desk to test: the given one, else the first whose tickets reach every function.

    Raises:
        UsageError: the stage has no desk, or not this one.
    """
    storage, now = storage_of(stage), datetime.now(UTC)
    desks = [name for name, _version in versions(stage)]
    if desk and desk not in desks:
        raise UsageError(f"there is no desk {desk}: the stage has {', '.join(desks) or 'none'}")
    if not desks:
        raise UsageError("the stage has no desk: run `deskbell playbook apply`")
    whole = [name for name in desks if _reaches_all(storage.playbooks.get(name, now))]
    return desk or next(iter(whole), desks[0])


def _reaches_all(playbook: Playbook) -> bool:
    """Return whether a resolved ticket is surveyed at once, and a poor score reviewed."""
    return playbook.confirmation is None and playbook.survey.review.then == "review"


class Smoke:
    def __init__(
        self,
        outside: StageUnderTest,
        trail: OperatorTrail,
        desk: str,
        patience: timedelta,
        show: Callable[[Check], None],
    ) -> None:
        self.outside = outside
        self.trail = trail
        self.desk = desk
        self.report = SmokeReport()
        self._patience = patience
        self._show = show
        self._records = records_of(trail.stage)
        self._playbook = self._records.storage.playbooks.get(desk, datetime.now(UTC))
        self._run = secrets.token_hex(4)
        self._numbers: list[str] = []
        self._ended: set[str] = set()
        self._token = ""
        self._let_in = False

    def run(self) -> SmokeReport:
        scenarios = [self._signs_in, self._solved, self._expired, self._mailed]
        scenarios += [self._returned, self._swept]
        try:
            for scenario in scenarios:
                try:
                    scenario()
                except _Abandoned:
                    continue
        finally:
            self._clean_up()
        self._looked_after()
        return self.report

    # Scenarios

    def _signs_in(self) -> None:
        with self._check(
            "sign-in",
            "see `deskbell person list` and the log of the API",
            "api_handler",
        ):
            password = f"Aa1-{secrets.token_urlsafe(18)}"
            self._admit(password)
            body = {"username": USERNAME, "password": password}
            self._token = self._expect(
                200, self.outside.call("POST", "/session", body), "POST /session"
            ).body["token"]

            def admitted() -> bool:  # containers know the roster for 30 seconds
                path = f"/agent/desks/{self.desk}/tickets?queue=mine"
                return self.outside.call("GET", path, token=self._token).status == 200

            self._until(admitted, "the person is not admitted to the desk")

    def _solved(self) -> None:
        number = self._filed()
        with self._check("open the original", self._log_of("unseal"), "unseal"):
            self._act(number, "open-original", {"message": 1, "reason": REASON})
        with self._check("reply", self._log_of("notify")):
            self._act(number, "reply", {"text": REASON})
            self._until(lambda: self._delivered(number, "ReplySent"), "the reply is not sent")
        with self._going_on(), self._check("files", self._log_of("api_handler")):
            self._attach(number)
        if not _reaches_all(self._playbook):
            detail = f"{self.desk} asks its customers in another way: use --desk for another desk"
            self._skip("closing workflow", detail)
            return
        with self._check("survey", self._log_of("survey_ask"), "survey_ask"):
            self._resolve(number)
            self._until(lambda: self._waits(number, "survey"), "the workflow does not ask")
        with self._check("archive", self._log_of("survey_archive"), "survey_archive"):
            self._score(number, self._playbook.survey.scores[1])
            self._until(lambda: self._archived(number), "there is no document in the archive")
            self._ended.add(number)

    def _expired(self) -> None:
        if not _reaches_all(self._playbook):
            return
        with self._check("second ticket", self._log_of("router")):
            number = self._create("success")
            self._until(lambda: self._routed(number), "the ticket is not routed")
            self._act(number, "take", {})
        with self._check("survey without an answer", self._log_of("survey_expire")):
            self._resolve(number)
            self._until(lambda: self._waits(number, "survey"), "the workflow does not ask")
            self._expire("survey_expire", number, 1)
        with self._check("call-back", self._log_of("survey_review"), "survey_review"):
            self._act(number, "reopen", {"reason": REASON})
            self._act(number, "take", {})
            self._resolve(number)
            self._score(number, self._playbook.survey.scores[0])
            self._until(lambda: self._waits(number, "review"), "the workflow does not wait")
        with self._check("call-back without an answer", self._log_of("survey_review_expire")):
            self._expire("survey_review_expire", number, 2)

    def _mailed(self) -> None:
        address = self.outside.address("success", f"mail-{self._run}")
        mail = EmailMessage()
        mail["From"], mail["To"] = address, self._playbook.mail.address
        mail["Subject"], mail["Message-ID"] = REASON, f"<{self._run}@smoke.invalid>"
        mail.set_content(DESCRIPTION)
        with self._check("mail", self._log_of("intake_mail"), "intake_mail"):
            self.outside.announce_mail(mail.as_bytes(), self._mail_key, self._playbook.mail.address)
            self._numbers += self._until(lambda: self._tickets_of(address), "no ticket was opened")

    def _returned(self) -> None:
        """Mail that comes back, by SES's mailbox simulator."""
        for kind in ("bounce", "complaint"):
            if not self.outside.has_mail_simulator:
                self._skip(kind, "SES's mailbox simulator does not exist here")
                continue
            fix = (
                "the configuration set deskbell-<stage> must publish bounces and complaints to "
                "the topic deskbell-<stage>-mail: `deskbell deploy`; " + self._log_of("intake_mail")
            )
            with self._going_on(), self._check(kind, fix, "intake_mail"):
                number = self._create(kind)
                self._until(
                    partial(self._undeliverable, number),
                    "the ticket does not show it",
                )

    def _swept(self) -> None:
        for name, function in (
            ("sweep", "sla_timer"), ("search index", "search_index"), ("reports", "reports"),
        ):  # fmt: skip
            with self._going_on(), self._check(name, self._log_of(function), function):
                self.outside.invoke(function, {"time": datetime.now(UTC).isoformat()})

    def _looked_after(self) -> None:
        with self._going_on(), self._check("alarms", "docs/operations.md, 'Alarms'"):
            if sounding := self.outside.alarms():
                raise SmokeFailed("; ".join(sounding))
        with self._going_on(), self._check("dead letters", "`deskbell quarantine list`"):
            if letters := [*self.outside.dead_letters()]:
                raise SmokeFailed(", ".join(letters))

    # Steps

    def _filed(self) -> str:
        with self._check("form", self._log_of("api_handler"), "api_handler"):
            number = self._create("success")
        with self._check("routing", self._log_of("router"), "router"):
            self._until(lambda: self._routed(number), "the ticket is not routed")
        fix = "verify the desk's address in SES and leave the sandbox; " + self._log_of("notify")
        with self._check("acknowledgement", fix, "notify"):
            self._until(lambda: self._delivered(number, "TicketReceived"), "it is not sent")
        with self._check("take", self._log_of("api_handler")):
            self._act(number, "take", {})
        return number

    def _create(self, kind: str) -> str:
        address = self.outside.address(kind, f"{len(self._numbers)}-{self._run}")
        body = {"contact": address, "description": DESCRIPTION}
        path = f"/desks/{self.desk}/tickets"
        number = self._expect(201, self.outside.call("POST", path, body), f"POST {path}").body[
            "number"
        ]
        self._numbers.append(number)
        return str(number)

    def _act(self, number: str, action: str, body: dict[str, Any]) -> None:
        path = f"/agent/desks/{self.desk}/tickets/{number}/{action}"
        self._expect(200, self.outside.call("POST", path, body, self._token), action)

    def _attach(self, number: str) -> None:
        """Upload a file for an internal note, and read it by the link of the agents' page."""
        path = f"/agent/desks/{self.desk}/tickets/{number}/attachments"
        body = {"name": "smoke.pdf", "size": len(_FILE)}
        offered = self._expect(201, self.outside.call("POST", path, body, self._token), path).body
        self.outside.upload(offered["upload"], _FILE)
        self._act(number, "note", {"text": REASON, "attachments": [offered["id"]]})
        (kept,) = self._view(number)["attachments"]
        if self.outside.download(kept["url"]) != _FILE:
            raise SmokeFailed("the file is not the one that was uploaded")

    def _resolve(self, number: str) -> None:
        self._act(number, "resolve", {"summary": REASON})

    def _score(self, number: str, score: int) -> None:
        """Answer the survey with the link that the contact was sent."""
        ticket = self._records.storage.tickets.load(self.desk, number)
        link = ticket_path(self._records.root(), "customer", ticket)
        path, _, key = link.partition("?")
        answer = self.outside.call("POST", f"{path}/survey?{key}", {"score": score})
        self._expect(200, answer, "survey")

    def _expire(self, function: str, number: str, resolution: int) -> None:
        task = {"desk": self.desk, "number": number, "resolution": resolution}
        self.outside.invoke(function, task)
        ticket = self._records.storage.tickets.load(self.desk, number)
        if ticket.status != "archived":
            raise SmokeFailed(f"{number} is {ticket.status}, not archived")
        self.report.worked.add(function)

    # What is seen

    def _view(self, number: str) -> Any:
        path = f"/agent/desks/{self.desk}/tickets/{number}"
        return self._expect(200, self.outside.call("GET", path, token=self._token), number).body

    def _routed(self, number: str) -> bool:
        history = self._records.storage.tickets.history(self.desk, number)
        routed = (e.TicketQueued, e.TicketAssigned, e.ConfirmationRequested, e.CustomerAsked)
        return any(commit.of(*routed) for commit in history)

    def _delivered(self, number: str, event: str) -> bool:
        sent = [
            message
            for message in self._view(number)["messages"]
            if message["direction"] == "out" and message["event"] == event
        ]
        for message in sent:
            if message["delivery"] == "dead_lettered":
                raise SmokeFailed(f"not delivered: {message.get('reason', '')}")
        return any(message["delivery"] == "sent" for message in sent)

    def _undeliverable(self, number: str) -> bool:
        ticket = self._records.storage.tickets.load(self.desk, number)
        return ticket.customer.undeliverable is not None

    def _waits(self, number: str, kind: str) -> bool:
        token = self._records.storage.closing_tokens.get(self.desk, number, kind)
        ticket = self._records.storage.tickets.load(self.desk, number)
        return token is not None and token[1] == ticket.resolutions

    def _archived(self, number: str) -> bool:
        ticket = self._records.storage.tickets.load(self.desk, number)
        key = archive_key(ticket, self._playbook.hours.timezone)
        found = boto3.client("s3").list_objects_v2(Bucket=self._records.archive_bucket, Prefix=key)
        return ticket.status == "archived" and found["KeyCount"] > 0

    def _tickets_of(self, address: str) -> list[str]:
        digest = address_digest(address, self.desk, self._records.root())
        return self._records.storage.contacts.tickets(self.desk, str(digest))

    @property
    def _mail_key(self) -> str:
        return f"mail/smoke-{self._run}"

    # The person, and what is left

    def _admit(self, password: str) -> None:
        """Let the smoke test's person in, who stays offline and is thus assigned nothing."""
        team = next(name for name, team in self._playbook.teams.items() if team.role == "agent")
        people = people_of(self.trail)
        known = self._records.storage.roster.get(self.desk, USERNAME)
        self._let_in = True
        if known is not None and known.active:
            people.change(self.desk, USERNAME, {"team": team})
        else:
            given = {"team": team, "further_roles": ("agent",)}
            people.add(self.desk, USERNAME, "supervisor", given, lambda: password)
        people.reset(USERNAME, password, mfa=False)

    def _clean_up(self) -> None:
        with (
            self._going_on(),
            self._check(
                "clean-up",
                f"`deskbell ticket erase {self.desk} --number …` and `deskbell person remove "
                f"{self.desk} {USERNAME}`",
            ),
        ):
            try:
                failed = [why for number in self._numbers if (why := self._removal(number))]
                self._discard()
            finally:
                if self._let_in:
                    people_of(self.trail).remove(self.desk, USERNAME)
            if failed:
                raise SmokeFailed("; ".join(failed))

    def _removal(self, number: str) -> str:
        """Close and erase a ticket; return why that is not possible, empty if it is."""
        try:
            self._close(number)
            self._until(lambda: self._erased(number), "a message is still being sent")
        except _EXPECTED as error:
            return f"{number}: {error}"
        return ""

    def _close(self, number: str) -> None:
        """End a ticket and its workflow, which would otherwise wait for an answer for days."""
        if not self._token or number in self._ended:
            return
        if self._records.storage.tickets.load(self.desk, number).status in DONE:
            self._act(number, "reopen", {"reason": REASON})
        self._act(number, "close", {"reason": REASON, "silent": True})

    def _erased(self, number: str) -> bool:
        try:
            erase(
                self._records,
                self.desk,
                number=number,
                reason=REASON,
                actor=self.trail.actor,
                now=datetime.now(UTC),
            )
        except TryAgain:
            return False
        return True

    def _discard(self) -> None:
        """Discard what did not become a ticket or was not delivered, as to an address that bounced.

        A later alarm would look for its cause in vain.
        """
        quarantine = quarantine_of(self.trail.stage)
        mail = self._mail_key.rpartition("/")[2]
        partitions = {f"TICKET#{self.desk}#{number}" for number in self._numbers}
        with quarantine.opened() as waiting:
            for entry in waiting:
                subject = entry.keys.get("mail", entry.id)
                if entry.keys.get("pk") in partitions or subject.endswith(mail):
                    quarantine.discard(entry, REASON, self.trail.actor, datetime.now(UTC))

    # Checks

    @contextmanager
    def _check(self, name: str, fix: str, *functions: str) -> Iterator[None]:
        try:
            yield
        except _EXPECTED as error:
            self._add(Check(name, "failed", str(error), fix))
            raise _Abandoned from error
        self.report.worked.update(functions)
        self._add(Check(name, "ok"))

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except _Abandoned:
            return

    def _skip(self, name: str, why: str) -> None:
        self._add(Check(name, "skipped", why))

    def _add(self, check: Check) -> None:
        self.report.checks.append(check)
        self._show(check)

    def _until(self, look: Callable[[], Found], otherwise: str) -> Found:
        """Look until something is found."""
        deadline = datetime.now(UTC) + self._patience
        while not (found := look()):
            if datetime.now(UTC) > deadline:
                raise SmokeFailed(f"{otherwise} after {self._patience.total_seconds():.0f} s")
            self.outside.pause()
        return found

    def _expect(self, status: int, answer: Answer, what: str) -> Answer:
        if answer.status != status:
            raise SmokeFailed(f"{what}: {answer.status} {answer.body.get('detail', '')}".rstrip())
        return answer

    def _log_of(self, function: str) -> str:
        """Return where to look for the cause; a missing permission shows as `AccessDenied`."""
        name = self.outside.deployment.prefix
        group = name if function == "api_handler" else f"{name}-{function}"
        return f"log /aws/lambda/{group}; for AccessDenied: infra/policies/{function}.json, deploy"
