"""`deskbell answers …`: how well articles answer questions; only `live` needs a stage."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report as say, table

if TYPE_CHECKING:
    from functions.answers.index import AnswerIndex

app = typer.Typer(help="How well articles answer questions.", no_args_is_help=True)

Articles = Annotated[Path, typer.Option(help="The file with the articles.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("try")
def try_(questions: Path, articles: Articles, as_json: Json = False) -> None:
    """Ask the questions of a file, each line {"text", "article"}, and print how they are answered.

    The article is null for a question that no article answers.
    """
    from functions.answers.encoder import load
    from functions.answers.trial import figures, try_all
    from infra.console.answers import read_questions

    asked = list(read_questions(questions))
    index = _index(articles)
    for article in sorted({one.article for one in asked if one.article} - {*index.articles}):
        typer.echo(f"{articles} has no article {article}", err=True)
    result = figures(try_all(index, asked, load()), index.articles)
    _print({key: _rounded(value) for key, value in asdict(result).items()}, as_json)


@app.command()
def report(articles: Articles, as_json: Json = False) -> None:
    """Print how well the articles' own phrasings find them, each left out in turn.

    The articles that are mistaken for each other follow, then those with too few phrasings.
    """
    from functions.answers.report import report as report_on

    result = report_on(_index(articles))
    if as_json:
        _print(asdict(result), as_json)
        return
    say(f"phrasings: {result.phrasings}")
    say(f"accuracy, leave-one-out (no forecast): {_rounded(result.accuracy)}")
    for one in result.confusions:
        say(f"mistaken: {one.asked} for {one.found} ({one.phrasings})")
    for article, counts in result.thin.items():
        few = ", ".join(f"{n} in {language}" for language, n in counts.items())
        say(f"too few phrasings: {article} ({few})")


@app.command()
def live(desk: str, days: int = 30, stage: Stage = "", data: Data = DATA) -> None:
    """Count how a desk's chats were answered in the last days, and the share without a person."""
    from functions.core.domain.questions import outcomes
    from infra.deploy.desks import storage_of

    now, storage = datetime.now(UTC), storage_of(connect(stage, data))
    storage.playbooks.get(desk, now)  # refuses a desk that does not exist
    found = outcomes(
        entry for _, entry in storage.questions.entries(desk, now - timedelta(days=days), now)
    )
    rows = [(outcome, str(count)) for outcome, count in found.counts.items()]
    table(("outcome", "questions"), rows)
    say(f"without a person: {found.served:.0%}" if found.served is not None else "no questions")


@app.command("mood")
def mood_(
    sentences: Path,
    playbook: Annotated[
        Path | None, typer.Option(help="A desk: its own examples, and its rules on their own.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print how well upset customers are recognised by examples, and by a desk's rules.

    Each line of the file is {"text", "upset"}.
    """
    from functions.answers import mood
    from functions.answers.encoder import load
    from functions.core.domain.classification import classify
    from functions.core.domain.playbook_assistant import UPSET, MoodByExamples
    from functions.core.playbook.loader import load as load_playbook
    from infra.console.answers import read_judged

    judged, embed = list(read_judged(sentences)), load()
    desk = load_playbook(playbook) if playbook else None
    own = (desk and desk.mood_by_examples) or MoodByExamples()
    found: dict[str, list[bool]] = {}
    if embed is None:
        typer.echo("the encoder is not installed: no mood is told by examples", err=True)
    else:
        layer = mood.fit(embed, own.upset, own.calm)
        found["examples"] = [
            mood.likelihood(layer, one.text, embed) >= own.likely for one in judged
        ]
    if desk is not None:
        found["rules"] = [classify(one.text, desk).mood == UPSET for one in judged]
        if embed is not None:
            pairs = zip(found["examples"], found["rules"], strict=True)
            found["together"] = [any(pair) for pair in pairs]
    rows = {by: asdict(mood.figures(judged, of)) for by, of in found.items()}
    if as_json:
        typer.echo(json.dumps(rows))
        return
    names = ("sentences", "upset", "recall", "precision", "false_alarms")
    shown = [(by, *(str(_rounded(row[name])) for name in names)) for by, row in rows.items()]
    table(("by", *names), shown)


def _index(articles: Path) -> AnswerIndex:
    from functions.answers.building import build
    from functions.answers.encoder import load
    from infra.console.answers import read_asked

    asked = read_asked(articles)
    embed = load()
    if embed is None:
        typer.echo("the encoder is not installed: articles are found by words alone", err=True)
    return build(asked, embed)


def _print(values: dict[str, object], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        table(("figure", "value"), [(key, str(value)) for key, value in values.items()])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
