"""Features of Step Functions that the emulator lacks.

- A task's `TimeoutSecondsPath` is honoured; `SFN_WAIT_SCALE` shortens it like other waits.
- A function that fails before its task token is waited for fails the task, so that `Retry` works;
  the emulator would wait for the token.
- Executions that were running when the emulator stopped continue. The emulator fails them with
  `States.ServiceRestart`; they are started again with the same name and input. The tasks are
  idempotent, so no customer is asked twice.
"""

import asyncio
import contextvars
from typing import Any

_INTERRUPTED = "States.ServiceRestart"
_awaiting_token: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "awaiting_token", default=False
)


class _TaskFailedError(Exception):
    """Carries an error past the emulator's callback handler, which would swallow it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def install() -> None:
    from ministack.services import stepfunctions

    execute_task = stepfunctions._execute_task
    call_lambda = stepfunctions._call_lambda
    invoke_with_callback = stepfunctions._invoke_with_callback

    def execute(definition: dict[str, Any], state_input: Any, execution: Any, context: Any) -> Any:
        path = definition.get("TimeoutSecondsPath")
        if path:
            seconds = float(stepfunctions._resolve_path(path, state_input))
            scaled = seconds * stepfunctions._SFN_WAIT_SCALE
            definition = {**definition, "TimeoutSeconds": scaled}
        return execute_task(definition, state_input, execution, context)

    def call(function: str, event: Any) -> Any:
        try:
            return call_lambda(function, event)
        except stepfunctions._ExecutionError as error:
            if _awaiting_token.get():
                raise _TaskFailedError(error) from error
            raise

    def wait_for_token(
        resource: str, state_input: Any, token: str, definition: dict[str, Any]
    ) -> Any:
        reset = _awaiting_token.set(True)
        try:
            return invoke_with_callback(resource, state_input, token, definition)
        except _TaskFailedError as failure:
            stepfunctions._task_tokens.pop(token, None)
            raise failure.error from failure
        finally:
            _awaiting_token.reset(reset)

    stepfunctions._execute_task = execute
    stepfunctions._call_lambda = call
    stepfunctions._invoke_with_callback = wait_for_token


async def restart_interrupted(port: int) -> None:
    """Start every interrupted execution again as soon as the emulator answers."""
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
            aws_secret_access_key="local",  # noqa: S106 - the emulator accepts any
        )
        client.start_execution(
            stateMachineArn=execution["stateMachineArn"],
            name=execution["name"],
            input=execution["input"],
        )
