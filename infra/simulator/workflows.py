"""The closing workflow's steps, in the order of `infra/templates/closing.asl.json`."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError


@dataclass
class Execution:
    name: str
    input: dict[str, Any]
    waiting: str | None = None
    token: str | None = None
    transitions: int = 1
    status: str = "RUNNING"


class ExecutionAlreadyExists(Exception):
    """Step Functions' refusal of a second execution with the same name."""


@dataclass
class Workflows:
    """Step Functions' client, reduced to the two calls that the functions make."""

    invoke: Callable[[str, Any], Any]
    executions: dict[str, Execution] = field(default_factory=dict)
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(
            ExecutionAlreadyExists=ExecutionAlreadyExists, ClientError=ClientError
        )
    )

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - boto3's names
        if name in self.executions:
            raise ExecutionAlreadyExists(name)
        self.executions[name] = execution = Execution(name, json.loads(input))
        self._wait(execution, "survey_ask")

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - boto3's names
        for execution in self.executions.values():
            if execution.token == taskToken:
                self._continue(execution, json.loads(output))
                return
        raise ClientError({"Error": {"Code": "TaskDoesNotExist"}}, "SendTaskSuccess")

    def expire(self, name: str) -> None:
        execution = self.executions[name]
        timeouts = {"survey_ask": "survey_expire", "survey_review": "survey_review_expire"}
        execution.transitions += 1
        result = self.invoke(timeouts[execution.waiting or ""], self._task(execution))
        self._continue(execution, result)

    def _task(self, execution: Execution) -> dict[str, Any]:
        return {key: execution.input[key] for key in ("desk", "number", "resolution")}

    def _wait(self, execution: Execution, function: str) -> None:
        execution.transitions += 1
        execution.waiting, execution.token = function, uuid4().hex * 16
        self.invoke(function, {**self._task(execution), "token": execution.token})

    def _continue(self, execution: Execution, result: Any) -> None:
        step, execution.waiting, execution.token = execution.waiting, None, None
        if step == "survey_ask":
            execution.transitions += 1
        if result.get("reopened") and step == "survey_ask":
            execution.transitions += 1
            execution.status = "SUCCEEDED"
        elif result.get("review") and step == "survey_ask":
            self._wait(execution, "survey_review")
        else:
            execution.transitions += 1
            self.invoke("survey_archive", self._task(execution))
            execution.status = "SUCCEEDED"
