"""Run Deskbell in one process: call each function as Lambda would, against any AWS endpoint.

Tests and the bench drive a ticket's whole life through the real handlers and record every AWS call
of each function. The simulator replaces only the connections between functions: API Gateway's
events, the filtered stream, SES's notification of a mail, and the closing workflow.
"""

from __future__ import annotations

import base64
import importlib
import json
import re
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from deskbell.client import ApiResponse
from functions.core.deliver import once
from functions.core.platform import aws, container, metering
from functions.core.platform.settings import Deployment
from functions.core.platform.stream_filters import lambda_record, matches_filters
from functions.core.storage.playbooks import PLAYBOOK_TTL, CachedPlaybook, PlaybookCache
from infra.simulator import capacity
from infra.simulator.workflows import Workflows


@dataclass(frozen=True)
class Call:
    """One AWS call of a function, and the units that DynamoDB charges for it.

    `parts` holds the units by table and index, `items` the items read or written, `writes` the
    actions of a transaction (`Put`, `Update` …), `error` the error code of a failed call.
    `request` is what was asked of DynamoDB, or of SSM for a parameter.
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
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Invocation:
    """One invocation of a function; `seconds` excludes the invocations nested in it."""

    function: str
    seconds: float


FUNCTIONS = {
    "intake_mail": ("functions.intake.handler", "intake_mail"),
    "router": ("functions.router.handler", "router"),
    "notify": ("functions.notify.handler", "notify"),
    "sla_timer": ("functions.sla_timer.handler", "sla_timer"),
    "unseal": ("functions.unseal.handler", "unseal"),
    "search_index": ("functions.search.handler", "search_index"),
    "reports": ("functions.reports.handler", "reports"),
    "answers": ("functions.answers.handler", "answers"),
    "proposals": ("functions.answers.handler", "proposals"),
    "administration": ("functions.administration.handler", "administration"),
    "fetcher": ("functions.fetcher.handler", "fetcher"),
    "language_model": ("functions.language_model.handler", "language_model"),
    "survey_ask": ("functions.survey.handler", "survey_ask"),
    "survey_expire": ("functions.survey.handler", "survey_expire"),
    "survey_review": ("functions.survey.handler", "survey_review"),
    "survey_review_expire": ("functions.survey.handler", "survey_review_expire"),
    "survey_archive": ("functions.survey.handler", "survey_archive"),
}
"""Each function's handler: module and name."""


_MILLISECONDS = {"fetcher": 120_000, "reports": 900_000}


class Simulator:
    """One deployment in this process: `with Simulator(deployment).running() as simulator`.

    `latency` is added to each call to the table.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.calls: list[Call] = []
        self.invocations: list[Invocation] = []
        self._playbooks: dict[str, PlaybookCache] = {}
        self.workflows = Workflows(self.invoke)
        self.accepted: deque[tuple[str, Any]] = deque()
        self.latency = timedelta()
        self._function = "outside"
        self._inner = 0.0
        self._iterators: list[str] = []
        self._clients: dict[str, Any] = {}

    # AWS calls

    @contextmanager
    def running(self) -> Iterator[Simulator]:
        """Give the functions clients that record every call."""
        originals = aws.client, once.client
        cached: tuple[Any, ...] = (
            *originals,
            aws.parameter,
            aws.parameter_of_minute,
            container.storage,
        )
        for cache in cached:
            cache.cache_clear()
        metering.forget()
        aws.client = self._client  # type: ignore[assignment]
        once.client = self._client  # type: ignore[assignment]
        try:
            yield self
        finally:
            aws.client, once.client = originals
            for cache in cached:
                cache.cache_clear()

    def _client(self, service: str, _read_timeout: float = 0) -> Any:
        if service == "stepfunctions":
            return _RecordingWorkflows(self.workflows, self)
        if service == "lambda":
            return _LambdaClient(self)
        if service not in self._clients:
            import boto3

            client: Any = boto3.client(service, region_name=self.deployment.region)  # type: ignore[call-overload]
            if service == "dynamodb":
                client.meta.events.register("before-parameter-build.dynamodb.*", _ask_capacity)
                client.meta.events.register("request-created.dynamodb.*", self._travel)
            client.meta.events.register("before-parameter-build.ssm.GetParameter", _keep_request)
            client.meta.events.register("after-call.*.*", self._record)
            self._clients[service] = metering.watch(client)
        return self._clients[service]

    def _travel(self, **_: Any) -> None:
        """Let a call to the table take as long as it does over AWS's network, if asked to."""
        if self.latency:
            time.sleep(self.latency.total_seconds())

    def _record(self, model: Any, parsed: Any, context: Any = None, **_: Any) -> None:
        request = (context or {}).get(_REQUEST, {})
        used = capacity.used(model.name, request, parsed)
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
                    sorted({kind for write in request.get("TransactItems", ()) for kind in write})
                ),
                error=parsed.get("Error", {}).get("Code", ""),
                request=request,
            )
        )

    def record(self, service: str, operation: str) -> None:
        """Record a call of a client that is not boto3's."""
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
            get_remaining_time_in_millis=lambda: _MILLISECONDS.get(function, 30_000),
        )

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function with an event, as Lambda would."""
        module, name = FUNCTIONS[function]
        handler = getattr(importlib.import_module(module), name)
        with self._as(function):
            return handler(event, self.context(function))

    @contextmanager
    def _as(self, function: str) -> Iterator[None]:
        """Record calls under this function's name and use its container's playbook cache."""
        caller, self._function = self._function, function
        outer, self._inner = self._inner, 0.0
        storage = container.storage(self.deployment)
        callers_cache = storage.playbooks.cache
        storage.playbooks.cache = self._playbooks.setdefault(function, {})
        storage.roster.desks.clear()  # as if a second had passed
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.invocations.append(Invocation(function, took - self._inner))
            self._function, self._inner = caller, outer + took
            storage.playbooks.cache = callers_cache

    def expire_playbooks(self) -> None:
        """Let every cached playbook expire."""
        for cache in self._playbooks.values():
            for desk, (read, version, playbook) in cache.items():
                cache[desk] = CachedPlaybook(read - PLAYBOOK_TTL, version, playbook)

    def replace_containers(self) -> None:
        """Start the next invocation of every function with empty caches."""
        self._playbooks.clear()
        self.forget_roster()

    def forget_roster(self) -> None:
        """Let every cached entry of the roster expire."""
        container.storage(self.deployment).roster.cache.clear()

    def http(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        claims: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> ApiResponse:
        """Call the HTTP API through Chalice, as API Gateway would.

        Args:
            source: the address that the call comes from; a desk's default limits of unproven
                tickets do not apply to this machine.
        """
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
                "identity": {"sourceIp": source},
                "authorizer": {"claims": dict(claims or {})},
            },
            "body": base64.b64encode(raw).decode() if raw is not None else text,
            "isBase64Encoded": raw is not None,
        }
        with self._as("api_handler"):
            response = app(event, self.context("api_handler"))
        headers_out = {k.lower(): v for k, v in response["headers"].items()}
        for name, values in response.get("multiValueHeaders", {}).items():
            headers_out[name.lower()] = values[0]
        return ApiResponse(response["statusCode"], headers_out, response["body"])

    def _route(self, app: Any, path: str) -> tuple[str, dict[str, str]]:
        from urllib.parse import unquote

        for resource in sorted(app.routes, key=lambda r: ("+}" in r, r.count("{"))):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource)
            pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", pattern)
            match = re.fullmatch(pattern, path)
            if match:
                return resource, {k: unquote(v) for k, v in match.groupdict().items()}
        raise LookupError(f"no route for {path}")

    # Between the functions

    def pump(self, rounds: int = 50) -> int:
        """Deliver new stream records until no more arrive; return how many there were.

        Asynchronous invocations that are waiting come first.
        """
        deque(self._run_accepted(), maxlen=0)
        total = 0
        for _ in range(rounds):
            records = self._records()
            if not records:
                return total
            total += len(records)
            self.deliver(records)
        raise RuntimeError(f"the stream still has new records after {rounds} rounds")

    def deliver(self, records: list[Any]) -> None:
        """Deliver stream records to the functions whose filters they match."""
        for function in ("router", "notify"):
            matching = [record for record in records if matches_filters(record, function)]
            if matching:
                self.invoke(function, {"Records": matching})

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
            response = streams.get_records(ShardIterator=iterator)
            self._iterators[index] = response["NextShardIterator"]
            records.extend(lambda_record(record) for record in response["Records"])
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
        """Receive a mail as SES does: store it in S3 and deliver the notification to intake.

        Args:
            verdicts: SES's checks in the receipt, such as `{"spamVerdict": {"status": "FAIL"}}`.
        """
        key = key or f"mail/{uuid4().hex}"
        self._plain("s3").put_object(Bucket=self.deployment.mail_bucket, Key=key, Body=raw)
        return self.invoke(
            "intake_mail", {"Records": [mail_notification(key, recipients, verdicts)]}
        )

    def tick(self, at: datetime) -> Any:
        """Start a sweep as EventBridge does, and carry out the invocations that it causes.

        Returns:
            The sum of their results.
        """
        total = Counter(self.invoke("sla_timer", {"time": at.isoformat()}))
        for result in self._run_accepted():
            total.update(result)
        return dict(total)

    def _run_accepted(self) -> Iterator[Any]:
        """Carry out the asynchronous invocations that are waiting, and return their results."""
        while self.accepted:
            yield self.invoke(*self.accepted.popleft())


class _RecordingWorkflows:
    """The client for Step Functions: records each call before it is made.

    What the quarantine asks of executions that failed goes to the emulator, which has none.
    """

    def __init__(self, client: Workflows, simulator: Simulator) -> None:
        self._client = client
        self._simulator = simulator
        self.exceptions = client.exceptions

    def start_execution(self, **arguments: Any) -> None:
        self._simulator.record("stepfunctions", "StartExecution")
        self._client.start_execution(**arguments)

    def __getattr__(self, name: str) -> Any:
        import boto3

        region = self._simulator.deployment.region
        return getattr(boto3.client("stepfunctions", region_name=region), name)

    def send_task_success(self, **arguments: Any) -> None:
        self._simulator.record("stepfunctions", "SendTaskSuccess")
        self._client.send_task_success(**arguments)


class _LambdaClient:
    """The client for Lambda: invokes the other function in this process.

    An asynchronous invocation runs once its caller has returned.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def invoke(
        self,
        *,
        FunctionName: str,  # noqa: N803 - boto3's names
        Payload: bytes,  # noqa: N803
        InvocationType: str = "RequestResponse",  # noqa: N803
    ) -> dict[str, Any]:
        self._simulator.record("lambda", "Invoke")
        name = FunctionName.removeprefix(f"{self._simulator.deployment.prefix}-")
        if InvocationType == "Event":
            self._simulator.accepted.append((name, json.loads(Payload)))
            return {"StatusCode": 202}
        try:
            response = self._simulator.invoke(name, json.loads(Payload))
        except Exception as error:
            failed = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
            payload = BytesIO(failed.encode())
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}
        return {"StatusCode": 200, "Payload": BytesIO(json.dumps(response).encode())}


_REQUEST = "deskbell.request"


def _ask_capacity(params: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
    if model.name in capacity.CHARGED:
        params["ReturnConsumedCapacity"] = "INDEXES"
        _keep_request(params, context)


def _keep_request(params: dict[str, Any], context: Any, **_: Any) -> None:
    context[_REQUEST] = dict(params)


def mail_notification(
    key: str, recipients: tuple[str, ...], verdicts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Build the SQS record with SES's notification of a stored mail, in SNS's envelope.

    Without verdicts, the mail passed DMARC.
    """
    message = {
        "notificationType": "Received",
        "receipt": {
            "recipients": list(recipients),
            "action": {"type": "S3", "bucketName": "mail", "objectKey": key},
            **(verdicts or {"dmarcVerdict": {"status": "PASS"}}),
        },
    }
    body = {"Type": "Notification", "Message": json.dumps(message)}
    return {"messageId": str(uuid4()), "body": json.dumps(body), "attributes": {}}


def _query(query: str) -> dict[str, list[str]] | None:
    from urllib.parse import parse_qs

    return parse_qs(query, keep_blank_values=True) or None
