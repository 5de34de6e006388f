"""`deskbell playbook …`: check, apply and list the desks' playbooks."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console.errors import UsageError
from infra.console.terminal import (
    DATA,
    Data,
    Stage,
    connect,
    counted,
    only_warnings,
    report,
    table,
)

if TYPE_CHECKING:
    from functions.core.domain.rules import Playbook

IN_FORCE_SECONDS = 60
"""The time after which every container has read a new playbook (`PLAYBOOK_TTL`, with a margin)."""

app = typer.Typer(help="The desks' rules.", no_args_is_help=True)


@app.command()
def check(path: Path) -> None:
    """Print OK, or every problem with its line; and how long each text message gets.

    Texts that a provider registers are printed as they are entered there.
    """
    from functions.core.playbook import load
    from functions.core.text.registered_texts import texts_to_register
    from functions.core.text.sms_parts import sms_parts
    from infra.console.preview import longest_text_messages, measured

    playbook = load(path)
    report("OK")
    with only_warnings():
        for (message, locale), text in longest_text_messages(playbook).items():
            warning = "  warning: more than one part" if sms_parts(text) > 1 else ""
            report(f"{message} {locale}  {measured(text)}{warning}")
    for text_id, entered in texts_to_register(playbook.sms).items():
        report(f"{text_id}  {entered}")


@app.command()
def apply(path: Path, stage: Stage = "", data: Data = DATA) -> None:
    """Store a playbook as its desk's next version and print the changes; in force within 60 s.

    Tickets that wait for a team that it no longer has are listed and routed by its rules. On the
    local system, the shipped desk's look-ups go to the sample source.
    """
    from functions.core.playbook import load
    from infra.deploy import desks, local_stage
    from infra.deploy.trail import OperatorTrail
    from infra.local.sample_source import asking_here

    trail = OperatorTrail.of(connect(stage, data))
    playbook = load(path)
    if trail.stage == local_stage.STAGE:
        playbook = asking_here(playbook, local_stage.description(data)["api"])
    applied = desks.apply(trail, playbook, datetime.now(UTC))
    for change in applied.changes:
        report(str(change))
    if applied.stored:
        report(f"desk {applied.desk}: playbook {applied.version} is in force within 60 s")
    else:
        report(f"desk {applied.desk}: no changes, playbook {applied.version} stays in force")
    if applied.removed_teams:
        _reroute(trail.stage, playbook, applied.removed_teams)


def _reroute(stage: str, playbook: Playbook, removed: tuple[str, ...]) -> None:
    """Route the tickets of removed teams now, and those that functions still sent there later."""
    from infra.deploy.desks import storage_of
    from infra.deploy.removed_teams import reroute

    report(f"removed: {', '.join(removed)}. Their open tickets:")
    storage = storage_of(stage)
    for wait in (0, IN_FORCE_SECONDS):
        if wait:
            report(f"waiting {wait} s, until every function has the playbook …")
            time.sleep(wait)
        for moved in reroute(storage, playbook, removed, datetime.now(UTC)):
            report(str(moved))


@app.command()
def preview(
    desk: str,
    sample: Annotated[
        bool, typer.Option("--sample", help="Render the messages of sample tickets.")
    ] = False,
    lang: Annotated[str, typer.Option(help="zh-CN or en; both by default.")] = "",
) -> None:
    """Print every message of a desk's playbook in the order of a ticket's life; DESK may be a file.

    Needs no stage: sample tickets go through the rules in memory.
    """
    from functions.core.domain.rules import LOCALES
    from functions.core.playbook import load
    from infra.console.preview import preview, suggestions
    from infra.deploy.desks import SHIPPED

    if not sample:
        raise UsageError("only the messages of sample tickets can be shown: add --sample")
    if lang and lang not in LOCALES:
        raise UsageError(f"--lang: expected one of {', '.join(LOCALES)}")
    path = Path(desk) if Path(desk).is_file() else SHIPPED / f"{desk}.yaml"
    if not path.is_file():
        raise UsageError(f"there is no playbook {path}")
    playbook = load(path)
    locales = tuple(locale for locale in LOCALES if lang in ("", locale))
    with only_warnings():
        for line in (*preview(playbook, locales), *suggestions(playbook, locales)):
            report(line)


@app.command()
def rehearse(
    path: Path,
    days: Annotated[int, typer.Option(min=1, max=400, help="How far back.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """List what a changed playbook would have done otherwise with past tickets; stores nothing.

    Each is replayed under the desk's playbook in force and under the file. The counts come last.
    """
    from functions.administration.playbooks import documents, summary_document
    from functions.core.domain.rehearsal import RehearsalSummary
    from functions.core.playbook import load
    from infra.console.rehearsal import rehearse as rehearsals
    from infra.deploy.desks import storage_of

    playbook, storage = load(path), storage_of(connect(stage, data))
    last, now = timedelta(days=days), datetime.now(UTC)
    summary = RehearsalSummary()
    for ticket in counted("tickets", rehearsals(storage, playbook, last, now)):
        summary.add(ticket)
        for document in documents(ticket, playbook.zone):
            typer.echo(json.dumps(document, ensure_ascii=False) if as_json else _said(document))
    if as_json:
        typer.echo(json.dumps(summary_document(summary), ensure_ascii=False))
        return
    report(f"{summary.compared} tickets compared, {summary.differing} with differences")
    for reason, count in sorted(summary.not_compared.items()):
        report(f"{count} not compared: {reason}")
    table(
        ("difference", "tickets"), [(what, str(n)) for what, n in summary.differences.most_common()]
    )
    promises = summary.promises().items()
    table(
        ("deadline", "kept before", "kept after"),
        [(kind, *(f"{kept} of {of}" for kept, of in counts)) for kind, counts in promises],
    )


def _said(document: Mapping[str, str]) -> str:
    """Return a line of a rehearsal as people read it."""
    if "what" not in document:
        return "{number}  not compared: {not_compared}".format_map(document)
    before, after = (document[when] or "none" for when in ("before", "after"))
    return (
        f"{document['number']}  {document['received_at']}  {document['what']}: {before} → {after}"
    )


@app.command("list")
def list_(stage: Stage = "", data: Data = DATA) -> None:
    """List every desk with the version of its playbook."""
    from infra.deploy.desks import versions

    rows = [(desk, str(version)) for desk, version in versions(connect(stage, data))]
    table(("desk", "playbook"), rows)
