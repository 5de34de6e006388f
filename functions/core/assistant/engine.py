"""The client of the function `answers`: which article a question is about (C4), and moods (B13)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from functions.core.assistant.dialogue import Reading
from functions.core.domain.errors import TryAgain
from functions.core.domain.playbook_assistant import Assistant, MoodByExamples
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

log = logger("assistant")

Engine = Callable[[str], Reading]
"""Reads a question.

Raises:
    TryAgain: the engine did not answer.
"""


def warm(client: LambdaClient, deployment: Deployment, desk: str) -> None:
    """Start the engine and prepare the desk's index while the customer reads the welcome."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client.invoke(
            FunctionName=f"{deployment.prefix}-answers",
            InvocationType="Event",
            Payload=json.dumps({"desk": desk}).encode(),
        )
    except (BotoCoreError, ClientError) as error:
        # The question itself will show whether the engine answers.
        log.warning("engine.cold", extra={"desk": desk, "cause": type(error).__name__})


def ask(
    client: LambdaClient, deployment: Deployment, desk: str, assistant: Assistant, text: str
) -> Reading:
    """Ask which of the desk's articles answers a question.

    Raises:
        TryAgain: the function failed, or there is none.
    """
    question = {
        "desk": desk,
        "text": text,
        "at_once": assistant.at_once,
        "offer": assistant.offer,
    }
    found = _asked(client, deployment, question)
    return Reading(found["kind"], tuple(found["articles"]), found["p"])


def upset(
    client: LambdaClient, deployment: Deployment, desk: str, by: MoodByExamples, text: str
) -> bool:
    """Ask whether the writer of a text is upset; False without an encoder.

    Raises:
        TryAgain: the function failed, or there is none.
    """
    question = {"desk": desk, "mood_of": text, "upset": by.upset, "calm": by.calm}
    likelihood = _asked(client, deployment, question)["upset"]
    return likelihood is not None and likelihood >= by.likely


def _asked(client: LambdaClient, deployment: Deployment, question: dict[str, Any]) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        response = client.invoke(
            FunctionName=f"{deployment.prefix}-answers", Payload=json.dumps(question).encode()
        )
    except (BotoCoreError, ClientError) as error:
        raise TryAgain(f"answers cannot be reached: {type(error).__name__}") from error
    payload = response["Payload"].read()
    if response.get("FunctionError"):
        raise TryAgain("answers failed")  # the payload may quote the question
    return json.loads(payload)
