"""The `deskbell` command."""

import sys
from collections.abc import Callable
from contextlib import suppress

import typer
from rich.console import Console

from infra.console.commands import (
    answers,
    audit,
    channels,
    costs,
    customers,
    knowledge,
    model,
    moving,
    person,
    playbooks,
    quarantine,
    reports,
    search,
    smoke,
    sms,
    system,
    tickets,
    webhooks,
)
from infra.console.errors import ConsoleError

app = typer.Typer(
    help="Deskbell: a serverless help desk.", no_args_is_help=True, add_completion=False
)
app.command()(system.up)
app.command()(system.deploy)
app.command()(system.verify)
app.command()(smoke.smoke)
app.command()(costs.costs)
app.command("import")(moving.import_)
app.add_typer(moving.app, name="export")
app.add_typer(playbooks.app, name="playbook")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(answers.app, name="answers")
app.add_typer(model.app, name="model")
app.add_typer(person.app, name="person")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(tickets.app, name="ticket")
app.add_typer(customers.app, name="customer")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(channels.app, name="channel")
app.add_typer(sms.app, name="sms")
app.add_typer(audit.app, name="audit")
app.add_typer(search.app, name="search")
app.add_typer(reports.app, name="reports")


@app.callback()
def deskbell() -> None:
    """Deskbell: a serverless help desk."""


def main(run: Callable[[], None] = app) -> None:
    """Run the command line. Expected errors print one line and exit 1."""
    from botocore.exceptions import BotoCoreError, ClientError

    from functions.core.domain.errors import DeskbellError
    from infra.deploy.stacks import StackError

    try:
        with suppress(BrokenPipeError):
            run()
    except (ConsoleError, DeskbellError, StackError, BotoCoreError, ClientError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(
            f"deskbell: {error}"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
