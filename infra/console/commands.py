"""The ``deskbell`` command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    help="Deskbell: a serverless help desk.", no_args_is_help=True, add_completion=False
)
playbooks = typer.Typer(help="The desks' rules.", no_args_is_help=True)
quarantine = typer.Typer(help="What could not be processed.", no_args_is_help=True)
tickets = typer.Typer(help="Tickets.", no_args_is_help=True)
webhooks = typer.Typer(help="The desks' outgoing webhooks.", no_args_is_help=True)
channels = typer.Typer(help="The desks' chat channels.", no_args_is_help=True)
app.add_typer(playbooks, name="playbook")
app.add_typer(quarantine, name="quarantine")
app.add_typer(tickets, name="ticket")
app.add_typer(webhooks, name="webhooks")
app.add_typer(channels, name="channel")

_console = Console(highlight=False, soft_wrap=True, markup=False)

Stage = Annotated[
    str,
    typer.Option(
        envvar="DESKBELL_STAGE",
        help="The stage; without one, the local system whose data folder is there.",
    ),
]
Data = Annotated[Path, typer.Option(envvar="DESKBELL_DATA", help="The local system's folder.")]
DATA = Path(".deskbell")


class UsageError(Exception):
    """The command cannot be carried out as given; the message tells what to do."""


def _report(line: str) -> None:
    _console.print(line)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; one line a row, tab-separated, for programs."""
    if not _console.is_terminal:
        for row in rows:
            typer.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.table import Table

    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


def _connect(stage: str, data: Path) -> str:
    """Choose the stage and make boto3 find it; the stage's name."""
    from infra.local.system import STAGE, connect

    if stage not in ("", STAGE):
        return stage
    if connect(data):
        return STAGE
    raise UsageError(f"say --stage: no local system has been started in {data} (`make up`)")


@app.callback()
def deskbell() -> None:
    """Deskbell: a serverless help desk."""


@app.command()
def up(
    port: Annotated[int, typer.Option(envvar="PORT", help="Port of the HTTP API.")] = 8700,
    aws_port: Annotated[int, typer.Option(envvar="AWS_PORT", help="Port of the emulator.")] = 4566,
    smtp_port: Annotated[int, typer.Option(envvar="SMTP_PORT", help="Port for mail.")] = 2525,
    data: Data = DATA,
    fresh: Annotated[bool, typer.Option(envvar="FRESH", help="Start empty.")] = False,
) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    from infra.local.system import Ports
    from infra.local.up import UpError, up as run

    try:
        run(data.resolve(), Ports(http=port, aws=aws_port, smtp=smtp_port), _report, fresh=fresh)
    except UpError as error:
        raise UsageError(str(error)) from error


@app.command()
def deploy(
    stage: Annotated[str, typer.Option(help="A stage of .chalice/config.json.")],
    mail_domain: Annotated[str, typer.Option(help="Domain that SES receives mail for.")] = "",
    alarm_email: Annotated[str, typer.Option(help="Who is told of alarms.")] = "",
    monthly_budget_usd: Annotated[int, typer.Option(help="Reported when passed; 0: none.")] = 0,
    contacts_key_arn: Annotated[
        str, typer.Option(help="KMS key that seals contacts; none: one is made.")
    ] = "",
    upload_origins: Annotated[
        str, typer.Option(help="Pages that may upload files, by commas; none: any.")
    ] = "",
    api_url: Annotated[str, typer.Option(help="Address of the API, if it has its own.")] = "",
) -> None:
    """Foundation, functions, wiring: each step may be repeated."""
    from chalice.deploy.deployer import ChaliceDeploymentError

    from infra.deploy.functions import StageMissingError
    from infra.deploy.steps import Variant, deploy as run

    given = {
        "MailDomain": mail_domain,
        "AlarmEmail": alarm_email,
        "ContactsKeyArn": contacts_key_arn,
        "UploadOrigins": upload_origins,
        "MonthlyBudgetUsd": str(monthly_budget_usd) if monthly_budget_usd else "",
    }
    variant = Variant(
        foundation={key: value for key, value in given.items() if value}, api_url=api_url or None
    )
    try:
        deployed = run(stage, _report, variant)
    except (StageMissingError, ChaliceDeploymentError) as error:
        raise UsageError(str(error)) from error
    _report(f"{deployed.stage} is deployed: {deployed.api_url}")


@playbooks.command("check")
def playbook_check(path: Path) -> None:
    """Say OK, or every problem with its line."""
    from functions.core.domain.rules import load

    load(path)
    _report("OK")


@playbooks.command("apply")
def playbook_apply(path: Path, stage: Stage = "", data: Data = DATA) -> None:
    """Store a playbook as its desk's next version and show what it changes; in force in 60 s."""
    from functions.core.domain.rules import load
    from infra.deploy.desks import apply

    applied = apply(_connect(stage, data), load(path), datetime.now(UTC))
    for line in applied.changes:
        _report(line)
    if applied.stored:
        _report(f"desk {applied.desk}: playbook {applied.version} is in force within 60 s")
    else:
        _report(f"desk {applied.desk}: nothing changes, playbook {applied.version} stays in force")


@playbooks.command("list")
def playbook_list(stage: Stage = "", data: Data = DATA) -> None:
    """Every desk with the version of its playbook."""
    from infra.deploy.desks import versions

    rows = [(desk, str(version)) for desk, version in versions(_connect(stage, data))]
    _table(("desk", "playbook"), rows)


@quarantine.command("list")
def quarantine_list(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only what belongs to this desk.")] = "",
    discarded: Annotated[bool, typer.Option("--discarded", help="What was discarded.")] = False,
    data: Data = DATA,
) -> None:
    """Everything that could not be processed, with its cause."""
    from infra.console.quarantine import Quarantine, harmless

    box = Quarantine(_connect(stage, data))
    with box.opened() as waiting:
        rows = [
            (
                kept.id,
                kept.room,
                kept.desk,
                kept.at.isoformat(timespec="seconds"),
                harmless(kept.about),
                harmless(kept.cause),
                *((harmless(kept.discarded),) if discarded else ()),
            )
            for kept in (box.discarded() if discarded else waiting)
            if desk in ("", kept.desk)
        ]
    heads = ("id", "room", "desk", "since", "about", "cause")
    _table((*heads, "discarded by") if discarded else heads, rows)


@quarantine.command("show")
def quarantine_show(
    id: str,  # noqa: A002 - its name on the command line
    save: Annotated[
        Path | None, typer.Option(help="Write the mail as it came to this file as well.")
    ] = None,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """All of one thing as text: the record and its cause, or a mail and its source."""
    from infra.console.quarantine import Quarantine

    box = Quarantine(_connect(stage, data))
    with box.opened() as found:
        for kept in (*found, *(box.discarded() if id.startswith("discarded/") else ())):
            if kept.id == id:
                if save is not None:
                    _save(box.original(kept), save)
                _report(box.whole(kept))
                return
    raise UsageError(f"nothing in quarantine has the id {id}")


def _save(original: bytes | None, path: Path) -> None:
    if original is None:
        raise UsageError("there is no mail with it")
    path.write_bytes(original)


@quarantine.command("discard")
def quarantine_discard(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="One thing's id, or several.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with who did it and when.")],
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Take things out of quarantine without bringing them back."""
    from infra.console.quarantine import Quarantine

    box = Quarantine(_connect(stage, data))
    with box.opened() as found:
        known = {kept.id: kept for kept in found}
        if missing := [id for id in ids if id not in known]:  # noqa: A001 - its name there
            raise UsageError(f"nothing in quarantine has the id {missing[0]}")
        try:
            for id in dict.fromkeys(ids):  # noqa: A001 - its name on the command line
                said = box.discard(known[id], reason, _operator(), datetime.now(UTC))
                _report(f"{id}: {said}")
        except ValueError as error:
            raise UsageError(str(error)) from error


@quarantine.command("replay")
def quarantine_replay(
    id: Annotated[str, typer.Argument(help="One thing's id; or use --all.")] = "",  # noqa: A002
    all_of_it: Annotated[bool, typer.Option("--all", help="Everything there is.")] = False,
    stage: Stage = "",
    desk: Annotated[
        str, typer.Option(help="With --all: only this desk's. Of a mail to nobody: whose it is.")
    ] = "",
    even_infected: Annotated[
        bool, typer.Option("--even-infected", help="Also a mail with a virus; without its files.")
    ] = False,
    data: Data = DATA,
) -> None:
    """Bring something back; what succeeds leaves quarantine."""
    from infra.console.quarantine import Quarantine, ReplayError

    if bool(id) == all_of_it:
        raise UsageError("say one id, or --all")
    if even_infected and all_of_it:
        raise UsageError("--even-infected is for one id")
    box = Quarantine(_connect(stage, data))
    failed = False
    with box.opened() as found:
        if id.startswith("discarded/"):
            found = box.discarded()
        chosen = [k for k in found if (desk in ("", k.desk) if all_of_it else k.id == id)]
        if id and not chosen:
            raise UsageError(f"nothing in quarantine has the id {id}")
        for kept in chosen:
            try:
                said = box.replay(kept, desk or None, even_infected=even_infected)
                _report(f"{kept.id}: {said}")
            except ReplayError as error:
                failed = True
                _report(f"{kept.id}: not replayed: {error}")
    if failed:
        raise typer.Exit(1)


@tickets.command("export")
def ticket_export(desk: str, number: str, stage: Stage = "", data: Data = DATA) -> None:
    """A ticket's whole life as one JSON document, on standard output."""
    from functions.core.domain.record import document, record
    from functions.core.services.merging import parts
    from infra.deploy.desks import store_of

    store = store_of(_connect(stage, data))
    ticket = store.load(desk, number)
    found = record(
        ticket,
        store.history(desk, number),
        store.deliveries(desk, number),
        store.playbook_version(desk),
        store.playbook(desk, datetime.now(UTC)).records.pattern,
        parts(store, ticket),
    )
    sys.stdout.buffer.write(document(found) + b"\n")


@contextmanager
def _without_log_lines() -> Iterator[None]:
    """What a room notes of its work is for the functions' logs; faults still show."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


Reason = Annotated[str, typer.Option(help="Why; it stands in the ticket's history.")]


@tickets.command("hold")
def ticket_hold(
    desk: str, number: str, reason: Reason, stage: Stage = "", data: Data = DATA
) -> None:
    """Keep a ticket's record beyond its years."""
    _hold(desk, number, reason, _connect(stage, data), held=True)


@tickets.command("release")
def ticket_release(
    desk: str, number: str, reason: Reason, stage: Stage = "", data: Data = DATA
) -> None:
    """Let a held record end with its years again."""
    _hold(desk, number, reason, _connect(stage, data), held=False)


def _hold(desk: str, number: str, reason: str, stage: str, *, held: bool) -> None:
    from infra.console.retention import hold, records_of

    now = datetime.now(UTC)
    hold(records_of(stage), desk, number, held=held, reason=reason, actor=_operator(), now=now)
    _report(f"{number} is {'held' if held else 'no longer held'}")


@tickets.command("erase")
def ticket_erase(
    desk: str,
    reason: Reason,
    number: Annotated[str, typer.Option(help="One ticket; or use --contact.")] = "",
    contact: Annotated[
        str,
        typer.Option(help="Every ticket of this phone number, address, or <channel>:<user id>."),
    ] = "",
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Forget who the customer was; figures and the entry that it was done stay."""
    from infra.console.retention import erase, records_of

    try:
        with _without_log_lines():
            done = erase(
                records_of(_connect(stage, data)),
                desk,
                number=number or None,
                contact=contact or None,
                reason=reason,
                actor=_operator(),
                now=datetime.now(UTC),
            )
    except ValueError as error:
        raise UsageError(str(error)) from error
    for erased in done.numbers:
        _report(f"{erased}: erased")
    for kept in done.held:
        _report(f"{kept}: held, so it stays; release it first")
    if not (done.numbers or done.held):
        _report("there is no ticket of this contact")


@channels.command("list")
def channel_list(stage: Stage = "", data: Data = DATA) -> None:
    """Every desk's chat channels, with the keys of their secrets and since when they are so."""
    from infra.console.channels import connected

    rows = [
        (each.desk, each.channel, " ".join(each.keys), each.since.isoformat(timespec="seconds"))
        for each in connected(_connect(stage, data))
    ]
    _table(("desk", "channel", "keys", "since"), rows)


@channels.command("set")
def channel_set(desk: str, channel: str, stage: Stage = "", data: Data = DATA) -> None:
    """Put or rotate a channel's secret, read as JSON from standard input (docs/adapters.md).

    Keys that are given take their new values, null removes one, the others stay.
    """
    import json

    from infra.console.channels import ChannelError, connect_channel

    try:
        given = json.load(sys.stdin)
    except ValueError as error:
        raise UsageError('standard input is no JSON: {"token": "…"} is expected') from error
    if not isinstance(given, dict):
        raise UsageError('standard input is no JSON object: {"token": "…"} is expected')
    try:
        connect_channel(_connect(stage, data), desk, channel, given)
    except ChannelError as error:
        raise UsageError(str(error)) from error
    _report(f"desk {desk}: {channel} is in force within a minute")


@channels.command("remove")
def channel_remove(desk: str, channel: str, stage: Stage = "", data: Data = DATA) -> None:
    """Take a channel from a desk: its calls are refused, its open tickets not answered there."""
    from infra.console.channels import ChannelError, disconnect_channel

    try:
        disconnect_channel(_connect(stage, data), desk, channel)
    except ChannelError as error:
        raise UsageError(str(error)) from error
    _report(f"desk {desk}: {channel} ends within a minute")


@webhooks.command("list")
def webhooks_list(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only this desk's.")] = "",
    data: Data = DATA,
) -> None:
    """Every endpoint with what it is told of."""
    from infra.console.webhooks import endpoints

    rows = [
        (found.desk, found.name, found.url, " ".join(found.events), str(found.secrets))
        for found in endpoints(_connect(stage, data), datetime.now(UTC))
        if desk in ("", found.desk)
    ]
    _table(("desk", "webhook", "url", "events", "secrets"), rows)


@webhooks.command("secret")
def webhooks_secret(desk: str, name: str, stage: Stage = "", data: Data = DATA) -> None:
    """The secrets that an endpoint verifies with, the newest first."""
    from infra.console.webhooks import secrets

    for secret in secrets(_connect(stage, data), desk, name, datetime.now(UTC)):
        typer.echo(secret)


@webhooks.command("rotate")
def webhooks_rotate(
    desk: str,
    name: str,
    keep_hours: Annotated[
        int, typer.Option(min=0, help="How long messages are signed with the old one, too.")
    ] = 24,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Make a new secret and print it."""
    from infra.console.webhooks import rotate

    overlap = timedelta(hours=keep_hours)
    typer.echo(rotate(_connect(stage, data), desk, name, overlap, datetime.now(UTC)))


@webhooks.command("send-test")
def webhooks_send_test(desk: str, name: str, stage: Stage = "", data: Data = DATA) -> None:
    """Send a signed `webhook.test` from this machine and say what was answered."""
    from infra.console.webhooks import send_test

    _report(send_test(_connect(stage, data), desk, name, datetime.now(UTC)))


@webhooks.command("replay")
def webhooks_replay(
    id: Annotated[str, typer.Option(help="One message, by its webhook-id.")] = "",  # noqa: A002
    desk: Annotated[str, typer.Option(help="With a time: whose events.")] = "",
    name: Annotated[str, typer.Option(help="With a time: only this endpoint.")] = "",
    start: Annotated[str, typer.Option("--from", help="Events from this moment on.")] = "",
    end: Annotated[str, typer.Option("--to", help="And before this one; now by default.")] = "",
    per_minute: Annotated[int, typer.Option(min=1, help="How many are sent a minute.")] = 300,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Send again what an endpoint was, or should have been, told of; with the same ids."""
    from infra.console.webhooks import Span, replay_id, replay_span

    if bool(id) == bool(desk and start):
        raise UsageError("say --id, or --desk and --from")
    now = datetime.now(UTC)
    if id:
        _report(f"{id}: {replay_id(_connect(stage, data), id, now)}")
        return
    span = Span(desk, name, _moment("--from", start), _moment("--to", end) if end else now)
    done = replay_span(_connect(stage, data), span, per_minute, now)
    _report(
        f"{done.again} are sent again, {done.first} for the first time, by {done.last:%H:%M} UTC"
    )
    if done.left:
        _report(f"{done.left} were just being sent and are left alone")


def _moment(option: str, written: str) -> datetime:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(f"{option}: expected a moment with its offset: 2026-03-10T09:00:00+08:00")
    return found


def _operator() -> str:
    """Who stands in the history for what is done from the command line."""
    import getpass

    return f"console:{getpass.getuser()}"


def main(run: Callable[[], None] = app) -> None:
    """Entry point of the console script; what goes wrong as expected is one line and code 1."""
    from botocore.exceptions import BotoCoreError, ClientError

    from functions.core.domain.errors import DeskbellError
    from infra.console.webhooks import WebhookError
    from infra.deploy.stacks import StackError

    try:
        with suppress(BrokenPipeError):
            run()
    except (
        UsageError,
        DeskbellError,
        StackError,
        WebhookError,
        BotoCoreError,
        ClientError,
    ) as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(
            f"deskbell: {error}"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
