"""`deskbell up` and `deskbell deploy`."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.console.errors import UsageError
from infra.console.terminal import DATA, Data, Stage, connect, report


def up(
    port: Annotated[int, typer.Option(envvar="PORT", help="Port of the HTTP API.")] = 8700,
    aws_port: Annotated[int, typer.Option(envvar="AWS_PORT", help="Port of the emulator.")] = 4566,
    smtp_port: Annotated[int, typer.Option(envvar="SMTP_PORT", help="Port for mail.")] = 2525,
    data: Data = DATA,
    fresh: Annotated[bool, typer.Option(envvar="FRESH", help="Start with no data.")] = False,
    prepare: Annotated[
        bool, typer.Option(help="Build the indexes of the knowledge bases at once.")
    ] = True,
) -> None:
    """Run the whole system on this machine until Ctrl-C."""
    from infra.deploy.local_stage import Ports
    from infra.local.up import UpError, up as run

    try:
        ports = Ports(http=port, aws=aws_port, smtp=smtp_port)
        run(data.resolve(), ports, report, fresh=fresh, prepared=prepare)
    except UpError as error:
        raise UsageError(str(error)) from error


def deploy(
    stage: Annotated[str, typer.Option(help="A stage of .chalice/config.json.")],
    mail_domain: Annotated[str, typer.Option(help="Domain that SES receives mail for.")] = "",
    alarm_email: Annotated[str, typer.Option(help="Address that receives alarms.")] = "",
    monthly_budget_usd: Annotated[
        int, typer.Option(help="Monthly costs above this are reported; 0: no budget.")
    ] = 0,
    contacts_key_arn: Annotated[
        str, typer.Option(help="KMS key that seals contacts; by default a new one.")
    ] = "",
    upload_origins: Annotated[
        str, typer.Option(help="Comma-separated origins that may upload files; by default any.")
    ] = "",
    connect_desk: Annotated[
        str,
        typer.Option(help="Desk that takes the phone calls of Amazon Connect; by default none."),
    ] = "",
    connect_instance_arn: Annotated[
        str,
        typer.Option(help="Its instance of Amazon Connect; by default every one in the region."),
    ] = "",
    domain: Annotated[str, typer.Option(help="A name to create for the API.")] = "",
    certificate_arn: Annotated[
        str, typer.Option(help="The certificate of that name, of ACM in the stage's region.")
    ] = "",
    base_path: Annotated[
        str, typer.Option(help="The path under which the name leads to the API; by default all.")
    ] = "",
    api_url: Annotated[
        str, typer.Option(help="URL that links begin with; by default as it is.")
    ] = "",
    stage_rate: Annotated[
        str, typer.Option(help="Requests a second that the API takes; 0: the account's limit.")
    ] = "",
    open_rate: Annotated[
        str, typer.Option(help="Requests a second that each route open to anybody takes.")
    ] = "",
    reserved_concurrency: Annotated[
        str,
        typer.Option(help="Executions reserved for router, notify, sla_timer each; 0: none."),
    ] = "",
    stream_lanes: Annotated[
        str,
        typer.Option(help="Batches of a stream shard that router and notify each run at once."),
    ] = "",
    waf_requests: Annotated[
        str, typer.Option(help="Requests of an address in 5 minutes that WAF lets pass; 0: no WAF.")
    ] = "",
    sms_spend_alarm_usd: Annotated[
        str, typer.Option(help="An alarm sounds when the month's text messages cost more.")
    ] = "",
) -> None:
    """Deploy foundation, functions and wiring; safe to run again."""
    from chalice.deploy.deployer import ChaliceDeploymentError

    from functions.core.domain.playbook_types import is_public_url
    from infra.deploy.domains import Domain, DomainError
    from infra.deploy.functions import StageMissingError
    from infra.deploy.package import PackageError
    from infra.deploy.steps import Variant, deploy as run

    if api_url and not is_public_url(api_url):
        raise UsageError(
            f"--api-url {api_url!r}: expected a URL such as https://help.example.com or "
            "https://example.com/help"
        )
    if not domain and (certificate_arn or base_path):
        raise UsageError("--certificate-arn and --base-path belong to a --domain")
    parameters = {
        "MailDomain": mail_domain,
        "AlarmEmail": alarm_email,
        "ContactsKeyArn": contacts_key_arn,
        "UploadOrigins": upload_origins,
        "ConnectDesk": connect_desk,
        "ConnectInstanceArn": connect_instance_arn,
        "SmsSpendAlarmUsd": sms_spend_alarm_usd,
        "MonthlyBudgetUsd": str(monthly_budget_usd) if monthly_budget_usd else "",
    }
    wiring = {
        "StageRate": stage_rate,
        "OpenRate": open_rate,
        "ReservedConcurrency": reserved_concurrency,
        "StreamLanes": stream_lanes,
        "WafRequests": waf_requests,
    }
    variant = Variant(
        foundation={key: value for key, value in parameters.items() if value},
        wiring={key: value for key, value in wiring.items() if value},
        domain=Domain(domain, certificate_arn, base_path) if domain else None,
        api_url=api_url or None,
    )
    try:
        deployed = run(stage, report, variant)
    except (StageMissingError, DomainError, ChaliceDeploymentError, PackageError) as error:
        raise UsageError(str(error)) from error
    report(f"{deployed.stage} is deployed: {deployed.api_url}")


def verify(
    stage: Stage = "",
    data: Data = DATA,
    facts: Annotated[
        bool, typer.Option("--facts", help="check too that every commit has its fact")
    ] = False,
) -> None:
    """Check every invariant of the table; print a line for each broken one and exit with 1."""
    import boto3

    from functions.core.storage.segments import Segments
    from infra.console.reports import facts_of_stage
    from infra.console.verification import Verification
    from infra.deploy.desks import storage_of
    from infra.deploy.stacks import deployment_of

    stage = connect(stage, data)
    segments = Segments(boto3.client("s3"), deployment_of(stage).mail_bucket)
    verification = Verification(
        storage_of(stage),
        datetime.now(UTC),
        lambda: time.sleep(2),
        segments,
        facts_of_stage(stage) if facts else None,
    )
    found = False
    for line in verification.broken_invariants():
        found = True
        report(line)
    if found:
        raise typer.Exit(1)
    report(f"OK: {verification.tickets} tickets")
