"""A stage as the smoke test sees it: its HTTP API, functions, topic, alarms and queues."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config

from deskbell.client import Deskbell, NoAnswer
from functions.core.platform.settings import Deployment
from infra.console.errors import ConsoleError
from infra.deploy import local_stage
from infra.deploy.stacks import deployment_of

_SECONDS = 60
"""API Gateway's own limit is 29."""

# By default boto3 gives up after a minute, and invokes again what is still running.
_PATIENT = Config(read_timeout=900, retries={"total_max_attempts": 1})

_WAITING: Final = "ApproximateNumberOfMessages"
SIMULATOR = "simulator.amazonses.com"


class SmokeFailed(ConsoleError):
    """A step of the smoke test did not have its effect; the message says what was seen."""


@dataclass(frozen=True)
class Answer:
    """A response of the HTTP API; `body` is empty where it has no JSON."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class StageUnderTest:
    """A deployed stage, as its customers and its operator reach it."""

    deployment: Deployment
    url: str

    @classmethod
    def of(cls, stage: str) -> StageUnderTest:
        """The stage in the session's account and region.

        Raises:
            SmokeFailed: it is not deployed completely.
        """
        deployment = deployment_of(stage)
        ssm = boto3.client("ssm")
        try:
            recorded = ssm.get_parameter(Name=deployment.parameter("api"))["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound as error:
            raise SmokeFailed(
                f"stage {stage} has no API: run `deskbell deploy --stage {stage}`"
            ) from error
        return cls(deployment, json.loads(recorded)["url"])

    @property
    def has_mail_simulator(self) -> bool:
        """Return whether SES is there and answers mail to its simulator."""
        return not self._is_local and self.deployment.partition != "aws-cn"

    @property
    def _is_local(self) -> bool:
        return self.deployment.stage == local_stage.STAGE

    def address(self, kind: str, label: str) -> str:
        """An address at which nobody reads; `kind` is what becomes of mail to it."""
        host = "example.com" if self._is_local else SIMULATOR
        return f"{kind}+{label}@{host}"

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        try:
            api = Deskbell(self.url, timeout=_SECONDS)
            found = api.request(method, path, body, token=token or None)
        except NoAnswer as error:
            raise SmokeFailed(str(error)) from error
        return Answer(found.status, _json(found.text.encode()))

    def upload(self, offered: Mapping[str, Any], content: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - S3, signed by the API
            offered["url"], method=offered["method"], headers=offered["headers"], data=content
        )
        self._send(request, "upload")

    def download(self, url: str) -> bytes:
        return self._send(urllib.request.Request(url), "download")  # noqa: S310 - as above

    def _send(self, request: urllib.request.Request, what: str) -> bytes:
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
                content: bytes = response.read()
                return content
        except OSError as error:  # an HTTPError too
            raise SmokeFailed(f"{what}: {error}") from error

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Invoke a function once and wait for its result, for as long as it may run.

        Raises:
            SmokeFailed: it failed.
        """
        response = boto3.client("lambda", config=_PATIENT).invoke(
            FunctionName=f"{self.deployment.prefix}-{function}", Payload=json.dumps(event).encode()
        )
        payload = response["Payload"].read().decode()
        if response.get("FunctionError"):
            raise SmokeFailed(f"{function} failed: {payload[:300]}")

    def announce_mail(self, raw: bytes, key: str, recipient: str) -> None:
        """Store a mail and announce it as SES does; its sender passed DMARC."""
        place = self.deployment
        boto3.client("s3").put_object(Bucket=place.mail_bucket, Key=key, Body=raw)
        receipt = {
            "recipients": [recipient],
            "dmarcVerdict": {"status": "PASS"},
            "action": {"type": "S3", "bucketName": place.mail_bucket, "objectKey": key},
        }
        boto3.client("sns").publish(
            TopicArn=f"arn:{place.partition}:sns:{place.region}:{place.account}:{place.prefix}-mail",
            Message=json.dumps({"notificationType": "Received", "receipt": receipt}),
        )

    def alarms(self) -> list[str]:
        pages = boto3.client("cloudwatch").get_paginator("describe_alarms")
        return [
            f"{alarm['AlarmName']}: {alarm.get('StateReason', '')}"
            for page in pages.paginate(
                AlarmNamePrefix=f"{self.deployment.prefix}-", StateValue="ALARM"
            )
            for alarm in page["MetricAlarms"]
        ]

    def dead_letters(self) -> Iterator[str]:
        sqs = boto3.client("sqs")
        pages = sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix=f"{self.deployment.prefix}-"
        )
        for url in (url for page in pages for url in page.get("QueueUrls", ())):
            if url.endswith("-dlq"):
                found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING])
                count = found["Attributes"][_WAITING]
                if count != "0":
                    yield f"{url.rpartition('/')[2]} has {count}"

    def pause(self) -> None:
        time.sleep(1)


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
