"""The ``deskbell`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    help="Deskbell: a serverless help desk.", no_args_is_help=True, add_completion=False
)
_console = Console(highlight=False, soft_wrap=True, markup=False)


def _report(line: str) -> None:
    _console.print(line)


@app.callback()
def deskbell() -> None:
    """Deskbell: a serverless help desk."""


@app.command()
def up(
    port: Annotated[int, typer.Option(envvar="PORT", help="Port of the HTTP API.")] = 8700,
    aws_port: Annotated[int, typer.Option(envvar="AWS_PORT", help="Port of the emulator.")] = 4566,
    smtp_port: Annotated[int, typer.Option(envvar="SMTP_PORT", help="Port for mail.")] = 2525,
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path(".deskbell"),
    fresh: Annotated[bool, typer.Option(envvar="FRESH", help="Start empty.")] = False,
) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    from infra.local.up import Ports, UpError
    from infra.local.up import up as run

    try:
        run(data.resolve(), Ports(http=port, aws=aws_port, smtp=smtp_port), _report, fresh=fresh)
    except UpError as error:
        _console.print(f"deskbell up: {error}")
        raise typer.Exit(1) from error


@app.command()
def deploy(
    stage: Annotated[str, typer.Option(help="A stage of .chalice/config.json.")],
    sender: Annotated[str, typer.Option(help="Address that mail to customers comes from.")] = "",
    mail_domain: Annotated[str, typer.Option(help="Domain that SES receives mail for.")] = "",
    alarm_email: Annotated[str, typer.Option(help="Who is told of alarms.")] = "",
    monthly_budget_usd: Annotated[int, typer.Option(help="Reported when passed; 0: none.")] = 0,
    contacts_key_arn: Annotated[
        str, typer.Option(help="KMS key that seals contacts; none: one is made.")
    ] = "",
    api_url: Annotated[str, typer.Option(help="Address of the API, if it has its own.")] = "",
) -> None:
    """Foundation, functions, wiring: each step may be repeated."""
    from infra.deploy import Variant
    from infra.deploy import deploy as run

    given = {
        "Sender": sender,
        "MailDomain": mail_domain,
        "AlarmEmail": alarm_email,
        "ContactsKeyArn": contacts_key_arn,
        "MonthlyBudgetUsd": str(monthly_budget_usd) if monthly_budget_usd else "",
    }
    deployed = run(
        stage,
        _report,
        Variant(
            foundation={key: value for key, value in given.items() if value},
            api_url=api_url or None,
        ),
    )
    _report(f"{deployed.stage} is deployed: {deployed.api_url}")


def main() -> None:
    """Entry point of the console script."""
    app()
