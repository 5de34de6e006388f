"""`deskbell webhooks …`: the desks' outgoing webhooks."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from functions.core.domain.audit import STAGE
from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report, table, timestamp

app = typer.Typer(help="The desks' outgoing webhooks.", no_args_is_help=True)


@app.command("list")
def list_(
    stage: Stage = "",
    desk: Annotated[str, typer.Option(help="Only this desk's endpoints.")] = "",
    data: Data = DATA,
) -> None:
    """List every endpoint with the message types it receives."""
    from infra.console.webhooks import webhooks_of
    from infra.deploy.desks import versions

    found, now = connect(stage, data), datetime.now(UTC)
    webhooks = webhooks_of(found)
    rows = [
        (
            endpoint.desk,
            endpoint.name,
            endpoint.url,
            " ".join(endpoint.events),
            str(endpoint.secrets),
        )
        for each, _version in versions(found)
        if desk in ("", each)
        for endpoint in webhooks.endpoints(each, now)
    ]
    table(("desk", "webhook", "url", "events", "secrets"), rows)


@app.command()
def secret(desk: str, name: str, stage: Stage = "", data: Data = DATA) -> None:
    """Print an endpoint's valid secrets, the newest first."""
    from infra.console.webhooks import webhooks_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    trail.record("webhooks.secret", desk, name)
    for valid in webhooks_of(trail.stage).secrets(desk, name, datetime.now(UTC)):
        typer.echo(valid)


@app.command()
def rotate(
    desk: str,
    name: str,
    keep_hours: Annotated[
        int, typer.Option(min=0, help="How long messages are also signed with the old secret.")
    ] = 24,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Create a new secret and print it."""
    from infra.console.webhooks import webhooks_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    overlap = timedelta(hours=keep_hours)
    typer.echo(webhooks_of(trail.stage).rotate(trail, desk, name, overlap, datetime.now(UTC)))


@app.command("send-test")
def send_test(desk: str, name: str, stage: Stage = "", data: Data = DATA) -> None:
    """Send a signed `webhook.test` from this machine and print the response status."""
    from infra.console.webhooks import webhooks_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    report(webhooks_of(trail.stage).send_test(trail, desk, name, datetime.now(UTC)))


@app.command()
def replay(
    id: Annotated[str, typer.Option(help="One message, by its webhook-id.")] = "",  # noqa: A002
    desk: Annotated[str, typer.Option(help="With --from: the desk.")] = "",
    name: Annotated[str, typer.Option(help="With --from: only this endpoint.")] = "",
    start: Annotated[str, typer.Option("--from", help="First timestamp, inclusive.")] = "",
    end: Annotated[str, typer.Option("--to", help="Last timestamp, exclusive; default: now.")] = "",
    per_minute: Annotated[int, typer.Option(min=1, help="Messages sent per minute.")] = 300,
    stage: Stage = "",
    data: Data = DATA,
) -> None:
    """Send messages again with their original ids, including those that were never sent."""
    from functions.administration.endpoints import Span
    from infra.console.webhooks import webhooks_of
    from infra.deploy.trail import OperatorTrail

    if bool(id) == bool(desk and start):
        raise UsageError("give --id, or --desk and --from")
    now = datetime.now(UTC)
    trail = OperatorTrail.of(connect(stage, data))
    webhooks = webhooks_of(trail.stage)
    if id:
        trail.record("webhooks.replay", STAGE, id)
        report(f"{id}: {webhooks.replay_id(id, now)}")
        return
    span = Span(desk, name, timestamp("--from", start), timestamp("--to", end) if end else now)
    chosen = {"from": span.start.isoformat(), "to": span.end.isoformat()}
    trail.record("webhooks.replay", desk, name or "every webhook", after=chosen)
    result = webhooks.replay_span(span, per_minute, now)
    report(
        f"{result.again} are sent again, {result.first} for the first time, "
        f"by {result.last:%H:%M} UTC"
    )
    if result.skipped:
        report(f"{result.skipped} were skipped because they are being sent now")
