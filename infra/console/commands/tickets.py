"""`deskbell ticket …`: export, hold, release and erase tickets."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, only_warnings, report

app = typer.Typer(help="Tickets.", no_args_is_help=True)
Reason = Annotated[str, typer.Option(help="Why; shown in the ticket's history.")]


@app.command()
def export(desk: str, number: str, stage: Stage = "", data: Data = DATA) -> None:
    """Write a ticket's whole record to standard output as one JSON document."""
    from functions.core.domain.record import document, record
    from functions.core.services.merging import merged_records
    from infra.deploy.desks import storage_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    storage = storage_of(trail.stage)
    ticket = storage.tickets.load(desk, number)
    trail.record("ticket.export", desk, number)
    exported = record(
        ticket,
        storage.tickets.history(desk, number),
        storage.deliveries.list(desk, number),
        storage.playbooks.version(desk),
        storage.playbooks.get(desk, datetime.now(UTC)).records.pattern,
        merged_records(storage, ticket),
    )
    sys.stdout.buffer.write(document(exported) + b"\n")


@app.command()
def hold(desk: str, number: str, reason: Reason, stage: Stage = "", data: Data = DATA) -> None:
    """Keep a ticket's record beyond its retention period."""
    _hold(desk, number, reason, connect(stage, data), held=True)


@app.command()
def release(desk: str, number: str, reason: Reason, stage: Stage = "", data: Data = DATA) -> None:
    """Let a held record end with its retention period again."""
    _hold(desk, number, reason, connect(stage, data), held=False)


def _hold(desk: str, number: str, reason: str, stage: str, *, held: bool) -> None:
    from functions.administration import retention
    from infra.console.retention import records_of
    from infra.deploy.trail import OperatorTrail

    retention.hold(
        records_of(stage),
        desk,
        number,
        held=held,
        reason=reason,
        actor=OperatorTrail.of(stage).actor,
        now=datetime.now(UTC),
    )
    report(f"{number} is {'held' if held else 'no longer held'}")


@app.command()
def erase(
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
    """Erase a customer's personal data; figures and the record of the erasure stay."""
    from functions.administration import retention
    from infra.console.retention import records_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    # The tickets' own entries follow, each with its ticket's change. The contact is not recorded.
    trail.record("ticket.erase", desk, number or "contact")
    with only_warnings():
        erased = retention.erase(
            records_of(trail.stage),
            desk,
            number=number or None,
            contact=contact or None,
            reason=reason,
            actor=trail.actor,
            now=datetime.now(UTC),
        )
    for ticket in erased.numbers:
        report(f"{ticket}: erased")
    for ticket in erased.held:
        report(f"{ticket}: not erased because it is held; release it first")
    if not (erased.numbers or erased.held):
        report("this contact has no tickets")
