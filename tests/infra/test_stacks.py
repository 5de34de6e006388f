"""Stacks on the emulator: failed creations, updates and what an error says about them."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.administration.playbooks import Applied
from infra.deploy import steps
from infra.deploy.local_stage import Ports, aws_environment
from infra.deploy.retained import retained
from infra.deploy.stacks import StackError, deploy_stack, load_template, stack_exists
from infra.deploy.trail import OperatorTrail
from infra.local.up import _emulator
from tests.e2e.running_system import free_port

pytestmark = [pytest.mark.requirement("F7"), pytest.mark.xdist_group("emulator")]

QUEUE = {
    "Type": "AWS::SQS::Queue",
    "DeletionPolicy": "RetainExceptOnCreate",
    "Properties": {"QueueName": "kept"},
}
BROKEN = {
    "while it is created": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "taken"}},
    "before anything is": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "taken"}},
}
"""Resources whose creation fails, since there is one of this name; and when it fails."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    ports = Ports(aws=free_port())
    with _emulator(tmp_path_factory.mktemp("emulator"), ports, lambda _: None):
        yield ports


@pytest.fixture
def cloudformation(emulator: Ports, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in aws_environment(emulator).items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="taken")
    events = boto3.client("events")
    with suppress(events.exceptions.ResourceAlreadyExistsException):
        events.create_event_bus(Name="taken")
    return boto3.client("cloudformation")


def written(folder: Path, **resources: Any) -> Path:
    path = folder / "template.yaml"
    path.write_text(json.dumps({"Resources": resources}), "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("when", BROKEN)
def test_a_creation_that_failed_leaves_nothing_and_can_be_repeated(
    cloudformation: Any, tmp_path: Path, when: str
) -> None:
    queue = {**QUEUE, "Properties": {"QueueName": when.replace(" ", "-")}}
    broken = {**BROKEN[when], "DependsOn": ["Queue"]}
    name = f"again-{len(when)}"
    for _ in range(2):
        with pytest.raises(StackError, match=r"Broken: .*already exists"):
            deploy_stack(cloudformation, name, written(tmp_path, Queue=queue, Broken=broken), {})
    deploy_stack(cloudformation, name, written(tmp_path, Queue=queue), {})
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("when", BROKEN)
def test_an_error_names_the_failures_of_this_operation_only(
    cloudformation: Any, tmp_path: Path, when: str
) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "kept-topic"}}
    stack = f"twice-{len(when)}"
    deploy_stack(cloudformation, stack, written(tmp_path, Topic=topic), {})
    for name in ("First", "Second"):
        template = written(tmp_path, Topic=topic, **{name: BROKEN[when]})
        with pytest.raises(StackError, match=f"{name}: ") as failed:
            deploy_stack(cloudformation, stack, template, {})
    assert "First" not in str(failed.value)


def test_what_a_failed_creation_left_is_named(cloudformation: Any, tmp_path: Path) -> None:
    """A stack that cannot be rolled back is never deleted by itself."""
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "RetainExceptOnCreate",
        "Properties": {"BucketName": "left-behind"},
    }

    class Left:
        """The stack as CloudFormation describes it after a rollback that failed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(cloudformation, name)

        def describe_stacks(self, **_: Any) -> Any:
            return {"Stacks": [{"StackStatus": "ROLLBACK_FAILED", "StackId": "left"}]}

        def delete_stack(self, **_: Any) -> None:
            pytest.fail("deleted")

    deploy_stack(cloudformation, "left", written(tmp_path, Bucket=bucket), {})
    with pytest.raises(StackError, match=r"ROLLBACK_FAILED and left Bucket \(left-behind\)"):
        stack_exists(Left(), "left")  # type: ignore[arg-type]  # the calls it makes


def test_what_outlived_its_stack_can_be_imported(cloudformation: Any, tmp_path: Path) -> None:
    """As the operations page describes it."""
    template = retained(load_template(steps.INFRA / "templates" / "foundation.yaml"))
    referred = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(template)))
    assert referred <= {*template["Resources"], *template["Parameters"]}
    kept = {"Queue": {**QUEUE, "Properties": {"QueueName": "outlived"}}}
    deploy_stack(cloudformation, "gone", written(tmp_path, **kept), {})
    cloudformation.delete_stack(StackName="gone")
    url = boto3.client("sqs").get_queue_url(QueueName="outlived")["QueueUrl"]
    cloudformation.create_change_set(
        StackName="back",
        ChangeSetName="import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": kept}),
        ResourcesToImport=[
            {
                "ResourceType": "AWS::SQS::Queue",
                "LogicalResourceId": "Queue",
                "ResourceIdentifier": {"QueueUrl": url},
            }
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName="back", ChangeSetName="import"
    )
    cloudformation.execute_change_set(StackName="back", ChangeSetName="import")
    cloudformation.get_waiter("stack_import_complete").wait(StackName="back")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "new"}}
    deploy_stack(cloudformation, "back", written(tmp_path, **kept, Topic=topic), {})


def test_a_foundation_is_protected_only_once_it_is_complete(
    cloudformation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A protected table or user pool cannot be rolled back."""
    deployed = []

    def deploy(_client: Any, _name: str, _template: Path, parameters: Any) -> dict[str, str]:
        deployed.append(parameters["Protection"])
        return {}

    monkeypatch.setattr(steps, "deploy_stack", deploy)
    monkeypatch.setattr(OperatorTrail, "record", lambda *_, **__: None)
    monkeypatch.setattr(steps, "ensure_desks", lambda *_: list[Applied]())
    trail = OperatorTrail("fresh", "console:a")
    steps.deploy_foundation(trail, lambda _: None, {})
    assert deployed == ["off", "on"]
    deployed.clear()
    monkeypatch.setattr(steps, "stack_exists", lambda *_: True)
    steps.deploy_foundation(trail, lambda _: None, {})
    assert deployed == ["on"]
    steps.deploy_foundation(trail, lambda _: None, {"Protection": "off"})
    assert deployed == ["on", "off"]
