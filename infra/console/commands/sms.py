"""`deskbell sms …`: the secrets of the desks' providers of text messages."""

import typer

from infra.console.terminal import DATA, Data, Stage, connect, report, table

app = typer.Typer(help="The desks' providers of text messages.", no_args_is_help=True)


@app.command("list")
def list_(stage: Stage = "", data: Data = DATA) -> None:
    """List every desk's providers with the keys of their secrets. SNS has no secret."""
    from infra.console.sms import sms_providers

    found = sms_providers(connect(stage, data))
    table(
        ("desk", "provider", "keys"), [(desk, name, " ".join(keys)) for desk, name, keys in found]
    )


@app.command("set")
def set_(desk: str, provider: str, stage: Stage = "", data: Data = DATA) -> None:
    """Set or rotate a provider's secret, read as JSON from standard input (docs/operations.md).

    Given keys are replaced, null removes a key, all others stay. Prints where the provider has to
    send its delivery reports.
    """
    from infra.console.desk_secrets import given_secret
    from infra.console.sms import set_sms_secret
    from infra.deploy.stacks import deployment_of
    from infra.deploy.trail import OperatorTrail

    trail = OperatorTrail.of(connect(stage, data))
    reports = set_sms_secret(trail, desk, provider, given_secret('{"access_key_id": "…"}'))
    report(f"desk {desk}: {provider} is in force within a minute")
    from functions.core.platform import aws

    report(f"delivery reports: {aws.public_url(deployment_of(trail.stage))}{reports}")


@app.command()
def remove(desk: str, provider: str, stage: Stage = "", data: Data = DATA) -> None:
    """Remove a provider's secret from a desk: its messages fail, its reports are refused."""
    from infra.console.sms import remove_sms_secret
    from infra.deploy.trail import OperatorTrail

    remove_sms_secret(OperatorTrail.of(connect(stage, data)), desk, provider)
    report(f"desk {desk}: {provider} ends within a minute")
