"""Step 2: deploy the functions and the HTTP API as `chalice deploy --stage` does."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalice.awsclient import TypedAWSClient
from chalice.cli.factory import CLIFactory
from chalice.config import Config
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.deployer import Deployer, ResultsRecorder, create_build_stage
from chalice.deploy.executor import Executor
from chalice.deploy.planner import PlanStage, RemoteState
from chalice.deploy.swagger import TemplatedSwaggerGenerator
from chalice.deploy.sweeper import ResourceSweeper
from chalice.utils import UI, OSUtils

ClientFactory = Callable[[Any], TypedAWSClient]
Report = Callable[[str], None]


class _Reporter(UI):
    """Sends Chalice's progress lines to `report` instead of standard output."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def write(self, msg: str) -> None:
        if msg.strip():
            self._report(msg.strip())

    error = write


class StageMissingError(LookupError):
    """`.chalice/config.json` has no such stage."""


def deploy_functions(
    root: Path, stage: str, report: Report, client_factory: ClientFactory = TypedAWSClient
) -> str:
    """Package and deploy every function and the HTTP API of a stage; return the API's id.

    Args:
        client_factory: creates the AWS client from a botocore session.

    Raises:
        StageMissingError: `.chalice/config.json` has no such stage.
        ChaliceDeploymentError: Chalice could not deploy.
    """
    require_stage(root, stage)
    factory = CLIFactory(str(root), environ=os.environ)
    config = factory.create_config_obj(chalice_stage_name=stage)
    # Chalice caches packages by the files' contents without their names: a file that was only
    # renamed would be deployed under its old name.
    shutil.rmtree(root / ".chalice" / "deployments", ignore_errors=True)
    render_policies(root, config, stage)
    os.environ["AWS_CHALICE_CLI_MODE"] = "true"
    session = factory.create_botocore_session()
    client = client_factory(session)
    osutils = OSUtils()
    deployer = Deployer(
        application_builder=ApplicationGraphBuilder(),
        deps_builder=DependencyBuilder(),
        build_stage=create_build_stage(
            osutils, _Reporter(report), TemplatedSwaggerGenerator(), config
        ),
        plan_stage=PlanStage(
            osutils=osutils, remote_state=RemoteState(client, config.deployed_resources(stage))
        ),
        sweeper=ResourceSweeper(),
        executor=Executor(client, _Reporter(report)),
        recorder=ResultsRecorder(osutils=osutils),
    )
    deployed = deployer.deploy(config, chalice_stage_name=stage)
    (api_id,) = (
        item["rest_api_id"] for item in deployed["resources"] if item["name"] == "rest_api"
    )
    return str(api_id)


def require_stage(root: Path, stage: str) -> None:
    """Raise `StageMissingError` unless `.chalice/config.json` has the stage."""
    known = json.loads((root / ".chalice" / "config.json").read_text("utf-8"))["stages"]
    if stage not in known:
        raise StageMissingError(
            f"no stage {stage!r} in .chalice/config.json, which has {', '.join(known)}: "
            "copy prod's entry there to create another stage"
        )


def render_policies(root: Path, config: Config, stage: str) -> None:
    """Write the policy files of a stage other than `prod`.

    Chalice substitutes nothing in policy files, so every stage needs its own; only the stage's name
    differs.
    """
    functions = config.config_from_disk["stages"][stage]["lambda_functions"]
    for name, settings in functions.items():
        target = (root / ".chalice" / settings["iam_policy_file"]).resolve()
        source = (root / "infra" / "policies" / f"{name}.json").resolve()
        if target != source:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(policy_for(source.read_text("utf-8"), stage), "utf-8")


def policy_for(text: str, stage: str) -> str:
    """Rewrite a policy of `prod` for another stage."""
    return re.sub(r"deskbell([-_/])prod\b", rf"deskbell\g<1>{stage}", text)
