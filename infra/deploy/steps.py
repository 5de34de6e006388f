"""The three deployment steps: foundation, functions, wiring. Each may be repeated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import boto3
from chalice.awsclient import TypedAWSClient

from functions.core.domain.audit import STAGE as WHOLE_STAGE
from functions.core.text.masking import mask
from infra.deploy.desks import ensure_desks
from infra.deploy.domains import Domain, deploy_domain, require_valid
from infra.deploy.engine import deploy_engine
from infra.deploy.functions import ClientFactory, Report, deploy_functions, require_stage
from infra.deploy.knowledge import ensure_knowledge
from infra.deploy.limits import apply_limits, log_text_messages
from infra.deploy.stacks import deploy_stack, stack_exists
from infra.deploy.trail import OperatorTrail

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


@dataclass(frozen=True)
class Variant:
    """The settings in which deployments differ besides their stage; defaults are production's.

    `domain` is a name to create for the HTTP API, `api_url` the URL that links begin with; without
    one, a stage keeps the URL that it was given before. `limits`: set the limits of
    `infra.deploy.limits`, which the emulator does not know. `engine`: store the libraries of the
    function `answers`, which a machine that has them does not need.
    """

    foundation: Mapping[str, str] = field(default_factory=dict)
    wiring: Mapping[str, str] = field(default_factory=dict)
    domain: Domain | None = None
    api_url: str | None = None
    client_factory: ClientFactory = TypedAWSClient
    limits: bool = True
    engine: bool = True


@dataclass(frozen=True)
class DeployedStage:
    """A deployed stage; `foundation` holds the outputs of its stack."""

    stage: str
    api_id: str
    api_url: str
    foundation: Mapping[str, str]


def deploy(stage: str, report: Report, variant: Variant | None = None) -> DeployedStage:
    """Deploy the working tree to a stage in the session's account and region.

    Raises:
        StageMissingError, DomainError: before anything is created, because foundations are
            retained.
        StackError: a CloudFormation stack failed.
    """
    require_stage(ROOT, stage)
    variant = variant or Variant()
    if variant.domain:
        require_valid(variant.domain, boto3.session.Session().region_name)
    trail = OperatorTrail.of(stage)
    foundation = deploy_foundation(trail, report, variant.foundation)
    report("2/3 functions and HTTP API (chalice)")
    api_id = deploy_functions(ROOT, stage, report, variant.client_factory)
    url = variant.api_url or _own_url(stage) or _execute_api_url(api_id)
    if variant.engine:
        deploy_engine(stage, report)
    for desk in ensure_knowledge(trail, datetime.now(UTC)):
        report(f"desk {desk}: its knowledge base")
    report("3/3 wiring")
    wiring = deploy_stack(
        boto3.client("cloudformation"),
        f"deskbell-{stage}-wiring",
        INFRA / "templates" / "wiring.yaml",
        {
            "Stage": stage,
            "StreamArn": _stream(stage),
            "ApiUrl": url,
            "ApiId": api_id,
            **variant.wiring,
        },
    )
    if variant.limits:
        apply_limits(stage, api_id, wiring)
        log_text_messages(foundation["SmsLogsRoleArn"], int(foundation["LogRetentionDays"]))
    if variant.domain:
        _deploy_domain(trail, api_id, variant.domain, report)
    return DeployedStage(stage, api_id, url, foundation)


def _deploy_domain(trail: OperatorTrail, api_id: str, domain: Domain, report: Report) -> None:
    """Create a name for the API, and say how it comes into use."""
    trail.record("deploy", WHOLE_STAGE, domain.name, after={"parameters": domain.parameters()})
    target = deploy_domain(trail.stage, api_id, domain)
    report(
        f"DNS: {domain.name} CNAME {target['Target']} (or an alias in Route 53, hosted zone "
        f"{target['TargetZone']})"
    )
    report(
        f"when {domain.url} answers: deskbell deploy --stage {trail.stage} --api-url {domain.url}, "
        f"or public_url: {domain.url} in a desk's playbook"
    )


def deploy_foundation(
    trail: OperatorTrail, report: Report, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Step 1: deploy the foundation and the desks that ship; return the stack's outputs.

    A new stack is protected once it is complete: protected resources could not be rolled back, and
    their names would block the next attempt. The deployment is recorded as soon as the table
    exists.
    """
    stage = trail.stage
    report("1/3 foundation")
    client, name = boto3.client("cloudformation"), f"deskbell-{stage}-foundation"
    template = INFRA / "templates" / "foundation.yaml"
    wanted = {"Stage": stage, "Protection": "on", **parameters}
    if wanted["Protection"] == "on" and not stack_exists(client, name):
        deploy_stack(client, name, template, {**wanted, "Protection": "off"})
    foundation = deploy_stack(client, name, template, wanted)
    shown = {name: mask(value) for name, value in parameters.items()}
    trail.record("deploy", WHOLE_STAGE, stage, after={"parameters": shown})
    for applied in ensure_desks(trail, datetime.now(UTC)):
        report(f"desk {applied.desk}: playbook {applied.version}")
    return foundation


def _stream(stage: str) -> str:
    """The stream that the table has now: the foundation's output is older than a restored table."""
    table = boto3.client("dynamodb").describe_table(TableName=f"deskbell-{stage}")["Table"]
    return table["LatestStreamArn"]


def _own_url(stage: str) -> str | None:
    """The URL that the stage was given by an earlier deployment, None if it has API Gateway's."""
    ssm = boto3.client("ssm")
    try:
        parameter = ssm.get_parameter(Name=f"/deskbell/{stage}/api")["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return None
    url: str = json.loads(parameter["Value"])["url"]
    return None if ".execute-api." in url else url


def _execute_api_url(api_id: str) -> str:
    session = boto3.session.Session()
    region = session.region_name
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api_id}.execute-api.{region}.{suffix}/api"
