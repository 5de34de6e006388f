"""The protocols of language models: OpenAI's chat completions, and Bedrock's Converse.

Sources: OpenAI API reference, "Create chat completion"; Amazon Bedrock API reference, "Converse".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from functions.core.domain.errors import DeskbellError
from functions.core.domain.webhooks import Endpoint
from functions.core.platform.outgoing import AddressRefused, NotConnected, OutgoingFailure, request

if TYPE_CHECKING:
    from functions.core.domain.model_use import Outcome

RESPONSE_LIMIT = 256 * 1024
"""Bytes of a response; a longer one is not read."""

_OPENAI = "api.openai.com"
"""OpenAI itself calls the limit of an answer otherwise than all that speak its protocol."""


@dataclass(frozen=True)
class Completion:
    """An answer, and the tokens that the provider charges; None if it did not say."""

    text: str
    tokens: tuple[int, int] | None


class ModelFailure(DeskbellError):
    """There is no answer. The text is ours: a provider's may quote what it was asked.

    `charged`: the provider may have done the work, so that the use counts as the most it can cost.
    """

    def __init__(self, outcome: Outcome, cause: str, *, charged: bool) -> None:
        super().__init__(cause)
        self.outcome = outcome
        self.charged = charged


class Model(Protocol):
    """A language model."""

    def complete(self, system: str, text: str, max_tokens: int) -> Completion:
        """Answer a text by instructions.

        Raises:
            ModelFailure: there is no answer in time, or none that can be read.
        """


@dataclass(frozen=True)
class ChatCompletions:
    """A model behind an OpenAI-compatible URL. `local` permits 127.0.0.1."""

    url: str
    model: str
    key: str | None
    timeout: timedelta
    local: bool = False

    def complete(self, system: str, text: str, max_tokens: int) -> Completion:
        url = f"{self.url.rstrip('/')}/chat/completions"
        limit = "max_completion_tokens" if Endpoint.of(url).host == _OPENAI else "max_tokens"
        roles = (("system", system), ("user", text))
        body = {
            "model": self.model,
            "messages": [{"role": role, "content": content} for role, content in roles],
            limit: max_tokens,
        }
        headers = {"Content-Type": "application/json", "User-Agent": "Deskbell-Model/1"}
        try:
            response = request(
                "POST",
                url,
                headers | ({"Authorization": f"Bearer {self.key}"} if self.key else {}),
                timeout=self.timeout,
                limit=RESPONSE_LIMIT,
                body=json.dumps(body).encode(),
                local=self.local,
            )
        except AddressRefused as error:
            raise ModelFailure("refused", str(error), charged=False) from None
        except NotConnected as error:
            raise ModelFailure("failed", str(error), charged=False) from None
        except OutgoingFailure as error:
            raise ModelFailure("timeout", str(error), charged=True) from None
        if response.status != 200:
            outcome: Outcome = "refused" if response.status < 500 else "failed"
            raise ModelFailure(outcome, f"the answer was {response.status}", charged=False)
        if response.body is None:
            raise ModelFailure("timeout", "too long, or not there in time", charged=True)
        return _read_completion(response.body)


def _read_completion(body: bytes) -> Completion:
    try:
        document = json.loads(body)
        text = document["choices"][0]["message"]["content"] or ""
        usage = document.get("usage") or {}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _unreadable() from None
    return Completion(_text(text), _tokens(usage, "prompt_tokens", "completion_tokens"))


@dataclass(frozen=True)
class Bedrock:
    """A model of Bedrock. `client` makes no second attempt and has the desk's timeout."""

    client: Any
    model: str

    def complete(self, system: str, text: str, max_tokens: int) -> Completion:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            response = self.client.converse(
                modelId=self.model,
                system=[{"text": system}],
                messages=[{"role": "user", "content": [{"text": text}]}],
                inferenceConfig={"maxTokens": max_tokens},
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise ModelFailure("refused", f"Bedrock answered {code}", charged=False) from None
        except HTTPClientError as error:
            raise ModelFailure("timeout", type(error).__name__, charged=True) from None
        except BotoCoreError as error:  # nothing was sent
            raise ModelFailure("failed", type(error).__name__, charged=False) from None
        try:
            blocks = response["output"]["message"]["content"]
            text = "".join(block.get("text", "") for block in blocks)
        except (LookupError, TypeError, AttributeError):
            raise _unreadable() from None
        usage = response.get("usage") or {}
        return Completion(_text(text), _tokens(usage, "inputTokens", "outputTokens"))


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise _unreadable()
    return text.strip()


def _tokens(usage: Any, *names: str) -> tuple[int, int] | None:
    found = [usage.get(name) if isinstance(usage, dict) else None for name in names]
    counts = [count for count in found if type(count) is int and count >= 0]
    return (counts[0], counts[1]) if len(counts) == len(names) else None


def _unreadable() -> ModelFailure:
    return ModelFailure("failed", "the answer cannot be read", charged=True)
