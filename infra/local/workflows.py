"""Step Functions of the emulator, with what production has and it lacks.

- A task's ``TimeoutSecondsPath`` is honoured; ``SFN_WAIT_SCALE`` shortens it as it shortens waits.
- A function that fails before a task token is waited for fails its task, so that ``Retry`` works;
  the emulator would wait for an answer that nobody was asked for.
- Workflows that were waiting when the emulator stopped go on. It ends them as failed
  (``States.ServiceRestart``); they are started anew under their own name with their own input,
  and since the tasks are idempotent no customer is asked twice.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

_INTERRUPTED = "States.ServiceRestart"
_asking: contextvars.ContextVar[bool] = contextvars.ContextVar("asking", default=False)


class _TaskFailedError(Exception):
    """A failure that the emulator's own handler for callbacks does not swallow."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def install() -> None:
    """Put these rules into the emulator of this process."""
    from ministack.services import stepfunctions

    execute_task = stepfunctions._execute_task
    call_lambda = stepfunctions._call_lambda
    invoke_with_callback = stepfunctions._invoke_with_callback

    def execute(definition: dict[str, Any], given: Any, execution: Any, context: Any) -> Any:
        path = definition.get("TimeoutSecondsPath")
        if path:
            seconds = float(stepfunctions._resolve_path(path, given))
            scaled = seconds * stepfunctions._SFN_WAIT_SCALE
            definition = {**definition, "TimeoutSeconds": scaled}
        return execute_task(definition, given, execution, context)

    def call(function: str, event: Any) -> Any:
        try:
            return call_lambda(function, event)
        except stepfunctions._ExecutionError as error:
            if _asking.get():
                raise _TaskFailedError(error) from error
            raise

    def ask(resource: str, given: Any, token: str, definition: dict[str, Any]) -> Any:
        reset = _asking.set(True)
        try:
            return invoke_with_callback(resource, given, token, definition)
        except _TaskFailedError as failure:
            stepfunctions._task_tokens.pop(token, None)
            raise failure.error from failure
        finally:
            _asking.reset(reset)

    stepfunctions._execute_task = execute
    stepfunctions._call_lambda = call
    stepfunctions._invoke_with_callback = ask


async def restart_interrupted(port: int) -> None:
    """Start every interrupted execution again, once the emulator answers."""
    while True:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    await asyncio.to_thread(_restart, f"http://127.0.0.1:{port}")


def _restart(endpoint: str) -> None:
    import boto3
    from ministack.services import stepfunctions

    interrupted = [
        (key, execution)
        for key, execution in stepfunctions._executions._data.items()
        if execution.get("error") == _INTERRUPTED
    ]
    for key, execution in interrupted:
        account, region = key[0], key[1]
        stepfunctions._executions._data.pop(key, None)
        client = boto3.client(
            "stepfunctions",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="local",  # noqa: S106 - the emulator checks none
        )
        client.start_execution(
            stateMachineArn=execution["stateMachineArn"],
            name=execution["name"],
            input=execution["input"],
        )
