"""Deskbell in one process: each function called as Lambda would call it, on any AWS endpoint.

Tests and the bench drive a ticket's whole life through the real handlers and see every AWS call
that each function makes. Only what stands between functions is done here: API Gateway's event, the
stream with the filters of `infra/templates/wiring.yaml`, SES's announcement of a mail, and the few
steps of the closing workflow.
"""

from __future__ import annotations

import base64
import importlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.platform.settings import Deployment
from functions.core.storage.store import PLAYBOOK_TTL
from functions.notify.deliver import once
from infra.simulator import capacity


@dataclass(frozen=True)
class Call:
    """One AWS call: which function made it, what, and what DynamoDB charges for it.

    `parts` are the units by table and index, `items` what was read or written, `writes` what a
    transaction consists of (`Put`, `Update` …), `error` the code of a refusal.
    """

    function: str
    service: str
    operation: str
    read_units: float = 0
    write_units: float = 0
    parts: Mapping[str, float] = field(default_factory=dict)
    items: str = ""
    writes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Invocation:
    """One run of a function, in this process's seconds, without those of functions that it woke."""

    function: str
    seconds: float


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer as the caller sees it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Execution:
    """One run of the closing workflow."""

    name: str
    input: dict[str, Any]
    waiting: str | None = None
    token: str | None = None
    transitions: int = 1
    status: str = "RUNNING"


class _AlreadyExistsError(Exception):
    """What Step Functions answers to a second execution of the same name."""


@dataclass
class Workflows:
    """The closing workflow's steps, as `infra/templates/closing.asl.json` orders them."""

    invoke: Callable[[str, Any], Any]
    executions: dict[str, Execution] = field(default_factory=dict)
    exceptions: Any = None

    def __post_init__(self) -> None:
        from botocore.exceptions import ClientError

        self.exceptions = SimpleNamespace(
            ExecutionAlreadyExists=_AlreadyExistsError, ClientError=ClientError
        )

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - boto3's names
        if name in self.executions:
            raise _AlreadyExistsError(name)
        self.executions[name] = execution = Execution(name, json.loads(input))
        self._wait(execution, "survey_ask")

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - boto3's names
        from botocore.exceptions import ClientError

        for execution in self.executions.values():
            if execution.token == taskToken:
                self._answered(execution, json.loads(output))
                return
        raise ClientError({"Error": {"Code": "TaskDoesNotExist"}}, "SendTaskSuccess")

    def expire(self, name: str) -> None:
        """Let the time of the waiting step run out."""
        execution = self.executions[name]
        ends = {"survey_ask": "survey_expire", "survey_review": "survey_review_expire"}
        execution.transitions += 1
        self._answered(execution, self.invoke(ends[execution.waiting or ""], self._run(execution)))

    def _run(self, execution: Execution) -> dict[str, Any]:
        return {key: execution.input[key] for key in ("desk", "number", "resolution")}

    def _wait(self, execution: Execution, function: str) -> None:
        execution.transitions += 1
        execution.waiting, execution.token = function, uuid4().hex * 16
        self.invoke(function, {**self._run(execution), "token": execution.token})

    def _answered(self, execution: Execution, answer: Any) -> None:
        was, execution.waiting, execution.token = execution.waiting, None, None
        if was == "survey_ask":
            execution.transitions += 1
        if answer.get("reopened") and was == "survey_ask":
            execution.transitions += 1
            execution.status = "SUCCEEDED"
        elif answer.get("review") and was == "survey_ask":
            self._wait(execution, "survey_review")
        else:
            execution.transitions += 1
            self.invoke("survey_archive", self._run(execution))
            execution.status = "SUCCEEDED"


FUNCTIONS = {
    "intake_mail": ("functions.intake.handler", "intake_mail"),
    "router": ("functions.router.handler", "router"),
    "notify": ("functions.notify.handler", "notify"),
    "sla_timer": ("functions.sla_timer.handler", "sla_timer"),
    "unseal": ("functions.unseal.handler", "unseal"),
    "survey_ask": ("functions.survey.handler", "survey_ask"),
    "survey_expire": ("functions.survey.handler", "survey_expire"),
    "survey_review": ("functions.survey.handler", "survey_review"),
    "survey_review_expire": ("functions.survey.handler", "survey_review_expire"),
    "survey_archive": ("functions.survey.handler", "survey_archive"),
}
"""Function → its handler's module and name."""


class Loop:
    """One deployment, in this process. Use it as a context manager."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.calls: list[Call] = []
        self.invocations: list[Invocation] = []
        self._playbooks: dict[str, dict[str, tuple[datetime, int, Playbook]]] = {}
        self.workflows = Workflows(self.invoke)
        self._function = "outside"
        self._inner = 0.0
        self._iterators: list[str] = []
        self._clients: dict[str, Any] = {}

    # AWS, watched

    @contextmanager
    def running(self) -> Iterator[Loop]:
        """Put the watched clients in the functions' hands."""
        real = aws.client, once.client
        cached: tuple[Any, ...] = (*real, aws.parameter, aws.parameter_of_minute, container.store)
        for cache in cached:
            cache.cache_clear()
        aws.client = self._client  # type: ignore[assignment]
        once.client = self._client  # type: ignore[assignment]
        try:
            yield self
        finally:
            aws.client, once.client = real
            for cache in cached:
                cache.cache_clear()

    def _client(self, service: str) -> Any:
        if service == "stepfunctions":
            return _Watched(self.workflows, self)
        if service == "lambda":
            return _Functions(self)
        if service not in self._clients:
            import boto3

            client: Any = boto3.client(service, region_name=self.deployment.region)  # type: ignore[call-overload]
            if service == "dynamodb":
                client.meta.events.register("before-parameter-build.dynamodb.*", _ask_capacity)
            client.meta.events.register("after-call.*.*", self._saw)
            self._clients[service] = client
        return self._clients[service]

    def _saw(self, model: Any, parsed: Any, context: Any = None, **_: Any) -> None:
        asked = (context or {}).get(_ASKED, {})
        used = capacity.used(model.name, asked, parsed)
        self.calls.append(
            Call(
                function=self._function,
                service=model.service_model.service_name,
                operation=model.name,
                read_units=used.read,
                write_units=used.write,
                parts=used.parts,
                items=used.items,
                writes=tuple(
                    sorted({kind for write in asked.get("TransactItems", ()) for kind in write})
                ),
                error=parsed.get("Error", {}).get("Code", ""),
            )
        )

    def saw(self, service: str, operation: str) -> None:
        """Note a call of a client that is not boto3's."""
        self.calls.append(Call(self._function, service, operation))

    # Functions

    def context(self, function: str) -> Any:
        """Lambda's context for a function of this deployment."""
        name = (
            self.deployment.prefix
            if function == "api_handler"
            else f"{self.deployment.prefix}-{function}"
        )
        arn = (
            f"arn:{self.deployment.partition}:lambda:{self.deployment.region}:{self.deployment.account}"
            f":function:{name}"
        )
        return SimpleNamespace(
            invoked_function_arn=arn,
            function_name=name,
            function_version="$LATEST",
            aws_request_id=str(uuid4()),
            memory_limit_in_mb=256,
            get_remaining_time_in_millis=lambda: 30_000,
        )

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function with an event, as Lambda would."""
        module, name = FUNCTIONS[function]
        handler = getattr(importlib.import_module(module), name)
        with self._as(function):
            return handler(event, self.context(function))

    @contextmanager
    def _as(self, function: str) -> Iterator[None]:
        """Whatever happens now is this function's doing, with what its container keeps."""
        before, self._function = self._function, function
        outer, self._inner = self._inner, 0.0
        store = container.store(self.deployment)
        kept, store._playbooks = store._playbooks, self._playbooks.setdefault(function, {})
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.invocations.append(Invocation(function, took - self._inner))
            self._function, self._inner = before, outer + took
            store._playbooks = kept

    def wait(self) -> None:
        """Let so much time pass that no container trusts the playbook it keeps."""
        for kept in self._playbooks.values():
            for desk, (read, version, playbook) in kept.items():
                kept[desk] = (read - PLAYBOOK_TTL, version, playbook)

    def retire(self) -> None:
        """Let every container end, so that the next call of each function meets a new one."""
        self._playbooks.clear()

    def http(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        claims: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Call the HTTP API through Chalice, as API Gateway would."""
        from app import app

        path, _, query = path.partition("?")
        resource, params = self._route(app, path)
        raw = body if isinstance(body, bytes) else None
        text = json.dumps(body, ensure_ascii=False) if body is not None and raw is None else None
        event = {
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json", **(headers or {})},
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": _query(query),
            "pathParameters": params,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "authorizer": {"claims": dict(claims or {})},
            },
            "body": base64.b64encode(raw).decode() if raw is not None else text,
            "isBase64Encoded": raw is not None,
        }
        with self._as("api_handler"):
            answer = app(event, self.context("api_handler"))
        headers_out = {k.lower(): v for k, v in answer["headers"].items()}
        for name, values in answer.get("multiValueHeaders", {}).items():
            headers_out[name.lower()] = values[0]
        return HttpAnswer(answer["statusCode"], headers_out, answer["body"])

    def _route(self, app: Any, path: str) -> tuple[str, dict[str, str]]:
        from urllib.parse import unquote

        for resource in sorted(app.routes, key=lambda r: r.count("{")):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource)
            found = re.fullmatch(pattern, path)
            if found:
                return resource, {k: unquote(v) for k, v in found.groupdict().items()}
        raise LookupError(f"no route for {path}")

    # Between the functions

    def pump(self, rounds: int = 50) -> int:
        """Hand what is new on the stream to router and notify until it is quiet; count records."""
        total = 0
        for _ in range(rounds):
            records = self._records()
            if not records:
                return total
            total += len(records)
            self.deliver(records)
        raise RuntimeError("the stream does not come to rest")

    def deliver(self, records: list[Any]) -> None:
        """Hand stream records to those functions whose filter they pass."""
        for function in ("router", "notify"):
            wanted = [record for record in records if passes(record, function)]
            if wanted:
                self.invoke(function, {"Records": wanted})

    def _records(self) -> list[Any]:
        streams = self._plain("dynamodbstreams")
        if not self._iterators:
            arn = self._plain("dynamodb").describe_table(TableName=self.deployment.table)["Table"][
                "LatestStreamArn"
            ]
            shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            self._iterators = [
                streams.get_shard_iterator(
                    StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                for shard in shards
            ]
        records: list[Any] = []
        for index, iterator in enumerate(self._iterators):
            answer = streams.get_records(ShardIterator=iterator)
            self._iterators[index] = answer["NextShardIterator"]
            records.extend(_as_lambda_sees(record) for record in answer["Records"])
        return records

    def _plain(self, service: str) -> Any:
        import boto3

        name = f"plain:{service}"
        if name not in self._clients:
            self._clients[name] = boto3.client(service, region_name=self.deployment.region)  # type: ignore[call-overload]
        return self._clients[name]

    def mail(
        self,
        raw: bytes,
        *recipients: str,
        key: str | None = None,
        verdicts: Mapping[str, Any] | None = None,
    ) -> Any:
        """Bring a mail in as SES does: the raw message to S3, its announcement to the queue.

        Args:
            verdicts: what the receipt says besides, such as `{"spamVerdict": {"status": "FAIL"}}`.
        """
        key = key or f"mail/{uuid4().hex}"
        self._plain("s3").put_object(Bucket=self.deployment.mail_bucket, Key=key, Body=raw)
        return self.invoke("intake_mail", {"Records": [announcement(key, recipients, verdicts)]})

    def tick(self, at: datetime) -> Any:
        """Wake the sweep as EventBridge does."""
        return self.invoke("sla_timer", {"time": at.isoformat()})


class _Watched:
    """A client whose calls are noted by the operation's name in Step Functions' API."""

    def __init__(self, client: Workflows, loop: Loop) -> None:
        self._client = client
        self._loop = loop
        self.exceptions = client.exceptions

    def start_execution(self, **arguments: Any) -> None:
        self._loop.saw("stepfunctions", "StartExecution")
        self._client.start_execution(**arguments)

    def send_task_success(self, **arguments: Any) -> None:
        self._loop.saw("stepfunctions", "SendTaskSuccess")
        self._client.send_task_success(**arguments)


class _Functions:
    """Lambda, as far as one function calls another."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._loop.saw("lambda", "Invoke")
        name = FunctionName.removeprefix(f"{self._loop.deployment.prefix}-")
        answer = self._loop.invoke(name, json.loads(Payload))
        return {"StatusCode": 200, "Payload": BytesIO(json.dumps(answer).encode())}


_ASKED = "deskbell.asked"


def _ask_capacity(params: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
    if model.name in capacity.CHARGED:
        params["ReturnConsumedCapacity"] = "INDEXES"
        context[_ASKED] = dict(params)


def passes(record: Any, function: str) -> bool:
    """Whether the filters of `infra/templates/wiring.yaml` let a record through to a function."""
    image = record["dynamodb"].get("NewImage", {})
    sort_key = record["dynamodb"]["Keys"]["sk"]["S"]
    if sort_key.startswith("EVENT#"):
        return image.get("readers", {}).get("S") in {function, "both"}
    if sort_key.startswith("AGENT#"):
        change = image.get("change", {}).get("S")
        return function == "router" and change in {"online", "released"}
    if sort_key.startswith("DELIVERY#"):
        return function == "notify" and image.get("state", {}).get("S") == "due"
    return False


def announcement(
    key: str, recipients: tuple[str, ...], verdicts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An SQS record with SES's announcement of a stored mail, in SNS's envelope."""
    message = {
        "notificationType": "Received",
        "receipt": {
            "recipients": list(recipients),
            "action": {"type": "S3", "bucketName": "mail", "objectKey": key},
            **(verdicts or {}),
        },
    }
    body = {"Type": "Notification", "Message": json.dumps(message)}
    return {"messageId": str(uuid4()), "body": json.dumps(body), "attributes": {}}


def _as_lambda_sees(record: Any) -> Any:
    """A record of the streams API as Lambda hands it on: bytes are base64 text there."""

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items()}
        if isinstance(value, list | set):
            return [plain(inner) for inner in value]
        return value

    return plain(record)


def _query(query: str) -> dict[str, list[str]] | None:
    from urllib.parse import parse_qs

    return parse_qs(query, keep_blank_values=True) or None
