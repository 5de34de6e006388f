"""A temporary deployment: the real foundation in a separate emulator.

No function is deployed: the simulator calls the handlers in this process.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from functions.core.domain.roster import Agent
from functions.core.platform.settings import Deployment
from infra.bench.running_system import free_ports
from infra.deploy.local_stage import ACCOUNT, REGION, Ports, aws_environment
from infra.simulator.simulator import Simulator

DEPLOYMENT = Deployment("aws", REGION, ACCOUNT, "bench")
DESK = "standard"
API = "https://desk.example.com/api"
_START_SECONDS = 60.0


class EmulatorError(RuntimeError):
    """The emulator did not start; the message holds the end of its log."""


@contextmanager
def deployment(dynamodb: str | None = None) -> Iterator[Simulator]:
    """The `standard` desk with one agent per team online, in a separate emulator."""
    with tempfile.TemporaryDirectory(prefix="deskbell-bench-") as folder:
        (port,) = free_ports(1)
        with _environment(aws_environment(Ports(aws=port))), _emulator(port, Path(folder)):
            _foundation(dynamodb)
            with Simulator(DEPLOYMENT).running() as simulator:
                simulator.pump()
                simulator.calls.clear()
                simulator.invocations.clear()
                yield simulator


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _emulator(port: int, folder: Path) -> Iterator[None]:
    variables = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "PERSIST_STATE": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "LOG_LEVEL": "WARNING",
    }
    log = folder / "emulator.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=out,
            stderr=out,
        )
    try:
        _await(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise EmulatorError(f"the emulator does not answer: {log.read_text('utf-8')[-500:]}")


def _foundation(dynamodb: str | None) -> None:
    import boto3

    from functions.core.playbook import load
    from infra.deploy.desks import SHIPPED, ensure_desks, storage_of
    from infra.deploy.steps import INFRA, deploy_foundation
    from infra.deploy.trail import OperatorTrail

    parameters = {"Protection": "off"}
    trail = OperatorTrail.of(DEPLOYMENT.stage)
    deploy_foundation(trail, lambda line: None, parameters)
    if dynamodb is not None:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb
        os.environ["AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] = dynamodb
        make_table(INFRA / "templates" / "foundation.yaml")
        from datetime import UTC, datetime

        ensure_desks(trail, datetime.now(UTC))
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter("api"), Value=f'{{"url":"{API}"}}', Type="String"
    )
    storage = storage_of(DEPLOYMENT.stage)
    playbook = load(SHIPPED / f"{DESK}.yaml")
    boto3.client("sesv2").create_email_identity(EmailIdentity=playbook.mail.address)
    for name, team in playbook.teams.items():
        storage.roster.put(
            Agent(
                desk=DESK,
                username=agent_of(name),
                role=team.role,
                team=name,
                capacity=playbook.assignment.capacity,
                online=team.role == "agent",
            )
        )


def agent_of(team: str) -> str:
    return f"bench-{team}"


def make_table(template: Path) -> None:
    import boto3

    from infra.deploy.stacks import load_template

    properties = load_template(template)["Resources"]["Table"]["Properties"]
    boto3.client("dynamodb").create_table(
        TableName=DEPLOYMENT.table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=properties["AttributeDefinitions"],
        KeySchema=properties["KeySchema"],
        GlobalSecondaryIndexes=properties["GlobalSecondaryIndexes"],
        StreamSpecification={
            "StreamEnabled": True,
            "StreamViewType": properties["StreamSpecification"]["StreamViewType"],
        },
    )
