"""`deskbell knowledge …`: check, apply, list and export the desks' articles."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report, table

if TYPE_CHECKING:
    from functions.core.domain.knowledge import KnowledgeBase

Desk = Annotated[str, typer.Option(help="The desk that the articles are for.")]

app = typer.Typer(help="The desks' knowledge bases.", no_args_is_help=True)


@app.command()
def check(path: Path) -> None:
    """Print OK, or every error with its line; and what would make the articles work better.

    PATH is a file (YAML, Markdown with front matter, CSV) or a folder of such files.
    """
    from functions.core.knowledge.checks import findings
    from functions.core.knowledge.loader import load

    articles = load(path)
    report(f"OK: {len(articles)} articles")
    for finding in findings(articles):
        report(f"warning: {finding}")


@app.command()
def apply(path: Path, desk: Desk, stage: Stage = "", data: Data = DATA) -> None:
    """Store the articles of a file or folder that differ from the desk's; print the changes."""
    from functions.core.knowledge.loader import load
    from infra.deploy import knowledge
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    applied = knowledge.apply(trail, desk, load(path), datetime.now(UTC))
    for line in applied.changes:
        report(line)
    for warning in applied.warnings:
        report(f"warning: {warning}")
    changed = f"{len(applied.changed)} changed" if applied.changed else "no changes"
    report(f"desk {desk}: knowledge base {applied.version}, {changed}")
    if applied.changed:
        knowledge.prepare(trail.stage, desk)


@app.command("list")
def list_(desk: str, stage: Stage = "", data: Data = DATA) -> None:
    """List a desk's articles: version, state, phrasings, author and time of the last change."""
    rows = [
        (
            name,
            str(found.version),
            found.article.state,
            found.article.audience,
            " ".join(f"{key}:{len(lines)}" for key, lines in found.article.asked.items()) or "-",
            found.author,
            found.at.isoformat(timespec="seconds"),
        )
        for name, found in sorted(_base(desk, connect(stage, data)).articles.items())
    ]
    table(("article", "version", "state", "audience", "phrasings", "author", "at"), rows)


@app.command()
def export(desk: str, stage: Stage = "", data: Data = DATA) -> None:
    """Write a desk's articles to standard output as YAML, which can be applied again."""
    from functions.core.knowledge.loader import dump

    typer.echo(dump(_base(desk, connect(stage, data)).articles), nl=False)


@app.command()
def proposals(desk: str, stage: Stage = "", data: Data = DATA) -> None:
    """List what nobody has decided about, and the decisions with their effect.

    Proposals are made every night; those from tickets, the most frequent questions, once a week.
    """
    from functions.core.services.proposals import undecided
    from infra.deploy.desks import storage_of

    storage = storage_of(connect(stage, data))
    storage.playbooks.get(desk, datetime.now(UTC))  # refuses a desk that does not exist
    found = undecided(storage, desk)
    for one in found.articles:
        where = f"phrasings for {one.article}" if one.article else "a new article"
        poor = ", ".join(f"{name} was rated poor {n} times" for name, n in one.poor.items())
        share = f"{one.count} from {one.source} ({one.share:.0%})"
        report(f"{one.id}  {share}: {f'{poor}: improve it, or ' if poor else ''}{where}")
        for question in one.questions:
            report(f"    {question.text}")
    for rule in found.rules:
        change = f"from {rule.was} to {rule.value}" if rule.was else f"to have {rule.value}"
        effect = f"would have changed {rule.changes}, {rule.right} of them right"
        report(f"{rule.id}  {rule.corrected} corrected {change}; a rule {effect}")
        if rule.numbers:
            report(f"    others: {', '.join(rule.numbers)}")
        report(f"    - {json.dumps(rule.document, ensure_ascii=False)}")
    for decision in sorted(found.decisions, key=lambda decision: decision.at):
        taken = f"accepted as {decision.article}" if decision.article else "accepted"
        shares = (("before", decision.before), ("after", decision.after), ("own", decision.helped))
        effect = ", ".join(f"{name} {share:.0%}" for name, share in shares if share is not None)
        said = taken if decision.accepted else "dismissed"
        report(f"{decision.id}  {said} by {decision.by}, {decision.at:%Y-%m-%d}: {effect or '-'}")
    if not (found.articles or found.rules or found.decisions):
        report("nothing was proposed yet")


@app.command()
def decide(
    desk: str,
    proposal: str,
    accept: Annotated[bool, typer.Option("--accept/--dismiss")],
    article: Annotated[
        str, typer.Option(help="The article to add the questions to, or the id of a new one.")
    ] = "",
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Accept a proposal, so that it becomes phrasings or a draft of an article, or dismiss it."""
    from infra.deploy import knowledge
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    now = datetime.now(UTC)
    decision = knowledge.decide(
        trail, desk, proposal, accepted=accept, article=article or None, now=now
    )
    if decision.article:
        report(f"{decision.phrasings} phrasings added to {decision.article}")
    else:
        report("accepted" if accept else "dismissed")


def _base(desk: str, stage: str) -> KnowledgeBase:
    from infra.deploy.desks import storage_of

    now, storage = datetime.now(UTC), storage_of(stage)
    storage.playbooks.get(desk, now)  # refuses a desk that does not exist
    return storage.knowledge.get(desk, now, fresh=True)
