"""`deskbell channel …`: the secrets of the desks' chat channels."""

import json
import sys

import typer

from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report, table

app = typer.Typer(help="The desks' chat channels.", no_args_is_help=True)


@app.command("list")
def list_(stage: Stage = "", data: Data = DATA) -> None:
    """List every desk's chat channels with the keys of their secrets and the last change."""
    from infra.console.channels import connected

    rows = [
        (
            connection.desk,
            connection.channel,
            " ".join(connection.keys),
            connection.since.isoformat(timespec="seconds"),
        )
        for connection in connected(connect(stage, data))
    ]
    table(("desk", "channel", "keys", "since"), rows)


@app.command("set")
def set_(desk: str, channel: str, stage: Stage = "", data: Data = DATA) -> None:
    """Set or rotate a channel's secret, read as JSON from standard input (docs/adapters.md).

    Given keys are replaced, null removes a key, all others stay.
    """
    from infra.console.channels import connect_channel
    from infra.deploy.trail import OperatorTrail

    try:
        secret = json.load(sys.stdin)
    except ValueError as error:
        raise UsageError('standard input is not JSON: expected {"token": "…"}') from error
    if not isinstance(secret, dict):
        raise UsageError('standard input is not a JSON object: expected {"token": "…"}')
    connect_channel(OperatorTrail.of(connect(stage, data)), desk, channel, secret)
    report(f"desk {desk}: {channel} is in force within a minute")


@app.command()
def remove(desk: str, channel: str, stage: Stage = "", data: Data = DATA) -> None:
    """Remove a channel from a desk: calls are refused, open tickets get no replies there."""
    from infra.console.channels import disconnect_channel
    from infra.deploy.trail import OperatorTrail

    disconnect_channel(OperatorTrail.of(connect(stage, data)), desk, channel)
    report(f"desk {desk}: {channel} ends within a minute")
