"""`deskbell channel …`: the secrets of the desks' chat channels."""

from datetime import datetime
from typing import Annotated

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report, table

Check = Annotated[bool, typer.Option(help="Ask the provider whether the secret is valid.")]
app = typer.Typer(help="The desks' chat channels.", no_args_is_help=True)


@app.command("list")
def list_(stage: Stage = "", data: Data = DATA) -> None:
    """List every desk's chat channels: the keys of their secrets, the last change, their health."""
    from infra.console.channels import connected

    def moment(at: datetime | None) -> str:
        return at.isoformat(timespec="seconds") if at else "never"

    rows = [
        (
            connection.desk,
            connection.channel,
            " ".join(connection.keys),
            moment(connection.since) if connection.since else "",
            moment(connection.health.last_in),
            moment(connection.health.last_out),
            f"{connection.health.failures} {connection.health.cause}".strip(),
        )
        for connection in connected(connect(stage, data))
    ]
    table(("desk", "channel", "keys", "since", "last in", "last out", "failures since"), rows)


@app.command("set")
def set_(
    desk: str, channel: str, check: Check = True, stage: Stage = "", data: Data = DATA
) -> None:
    """Set or rotate a channel's secret, read as JSON from standard input (docs/adapters.md).

    Given keys are replaced, null removes a key, all others stay. The provider is asked whether the
    secret is valid, where it allows that.
    """
    from infra.console.channels import callback_url, connect_channel
    from infra.console.desk_secrets import given_secret
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    said = connect_channel(trail, desk, channel, given_secret('{"token": "…"}'), check=check)
    report(f"desk {desk}: {channel} is in force within a minute" + (f" ({said})" if said else ""))
    if url := callback_url(trail.stage, desk, channel):
        report(f"the provider is to call {url}")


@app.command()
def remove(desk: str, channel: str, stage: Stage = "", data: Data = DATA) -> None:
    """Remove a channel from a desk: calls are refused, open tickets get no replies there."""
    from infra.console.channels import disconnect_channel
    from infra.deploy.trail import OperatorTrail

    disconnect_channel(OperatorTrail.of(connect(stage, data)), desk, channel)
    report(f"desk {desk}: {channel} ends within a minute")
