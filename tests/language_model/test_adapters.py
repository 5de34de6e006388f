"""Both protocols, against endpoints that speak them: also slowly, wrongly or not at all."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from functions.language_model.adapters import Bedrock, ChatCompletions, Completion, ModelFailure
from tests.language_model.sample_model import body, says
from tests.notify.webhook_receiver import Answer, Receiver

SECOND = timedelta(seconds=1)


@pytest.fixture
def endpoint() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


def chat(
    endpoint: Receiver, key: str | None = "sk-1", timeout: timedelta = SECOND
) -> ChatCompletions:
    url = f"http://127.0.0.1:{endpoint.port}/v1/"
    return ChatCompletions(url, "small", key, timeout, local=True)


def test_a_chat_completion_is_asked_for_as_the_reference_says(endpoint: Receiver) -> None:
    endpoint.answers = [says(" 您好 ")]
    assert chat(endpoint).complete("be brief", "{}", 50) == Completion("您好", (1000, 200))
    (asked,) = endpoint.got
    assert (asked.path, asked.headers["authorization"]) == ("/v1/chat/completions", "Bearer sk-1")
    assert asked.json == {
        "model": "small",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "{}"},
        ],
        "max_tokens": 50,
    }
    endpoint.answers = [says("ok")]
    chat(endpoint, key=None).complete("", "", 1)
    assert "authorization" not in endpoint.got[1].headers


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 1}, {"prompt_tokens": "9"}, [1]])
def test_without_usage_nobody_knows_the_tokens(endpoint: Receiver, usage: object) -> None:
    endpoint.answers = [says("ok", usage)]
    assert chat(endpoint).complete("", "", 1) == Completion("ok", None)


@pytest.mark.parametrize(
    ("answer", "outcome", "charged"),
    [
        (401, "refused", False),
        (429, "refused", False),
        (500, "failed", False),
        (body(b"{"), "failed", True),
        (body(b"[" * 20000), "failed", True),
        (body(b'{"choices": []}'), "failed", True),
        (body(json.dumps({"choices": [{"message": {"content": [1]}}]}).encode()), "failed", True),
        (body(b" " * 300_000), "timeout", True),
        (lambda handler: handler.close_connection, "timeout", True),
    ],
)
def test_a_failure_says_whether_it_may_have_cost(
    endpoint: Receiver, answer: Answer, outcome: str, charged: bool
) -> None:
    endpoint.answers = [answer]
    with pytest.raises(ModelFailure) as caught:
        chat(endpoint).complete("", "the ticket", 1)
    assert (caught.value.outcome, caught.value.charged) == (outcome, charged)
    assert "the ticket" not in str(caught.value)


def test_a_model_out_of_reach_costs_nothing(endpoint: Receiver) -> None:
    unreachable = replace(chat(endpoint), url="http://127.0.0.1:1/v1")
    with pytest.raises(ModelFailure) as caught:
        unreachable.complete("", "the ticket", 1)
    assert (caught.value.outcome, caught.value.charged) == ("failed", False)


def test_a_slow_model_is_not_waited_for(endpoint: Receiver) -> None:
    ended = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        ended.wait(10)

    endpoint.answers = [slow]
    with pytest.raises(ModelFailure) as caught:
        chat(endpoint, timeout=timedelta(seconds=0.2)).complete("", "", 1)
    ended.set()
    assert (caught.value.outcome, caught.value.charged) == ("timeout", True)


def test_an_address_that_is_not_public_is_refused(endpoint: Receiver) -> None:
    model = ChatCompletions(f"http://127.0.0.1:{endpoint.port}/v1", "m", None, SECOND)
    with pytest.raises(ModelFailure) as caught:
        model.complete("", "", 1)
    assert (caught.value.outcome, caught.value.charged, endpoint.got) == ("refused", False, [])


def bedrock(endpoint: Receiver, read_timeout: float = 1) -> Bedrock:
    """A model through boto3, whose own checks of the request and the answer apply."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=f"http://127.0.0.1:{endpoint.port}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout),
    )
    return Bedrock(client, "amazon.nova-lite-v1:0")


def test_converse_is_asked_and_read_as_the_reference_says(endpoint: Receiver) -> None:
    blocks = [{"text": "您"}, {"text": "好"}]
    usage = {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}
    answer = {"output": {"message": {"role": "assistant", "content": blocks}}, "usage": usage}
    endpoint.answers = [body(json.dumps(answer).encode())]
    assert bedrock(endpoint).complete("be brief", "{}", 50) == Completion("您好", (7, 2))
    (asked,) = endpoint.got
    assert asked.path == "/model/amazon.nova-lite-v1%3A0/converse"
    assert asked.json == {
        "system": [{"text": "be brief"}],
        "messages": [{"role": "user", "content": [{"text": "{}"}]}],
        "inferenceConfig": {"maxTokens": 50},
    }


@pytest.mark.parametrize(
    ("answer", "outcome", "charged"),
    [
        (body(b'{"message": "the ticket"}', 403), "refused", False),
        (body(b"{}"), "failed", True),
        (lambda handler: threading.Event().wait(0.5), "timeout", True),
    ],
)
def test_bedrock_fails_in_the_same_ways(
    endpoint: Receiver, answer: Answer, outcome: str, charged: bool
) -> None:
    endpoint.answers = [answer]
    with pytest.raises(ModelFailure) as caught:
        bedrock(endpoint, 0.2).complete("be brief", "the ticket", 1)
    assert (caught.value.outcome, caught.value.charged) == (outcome, charged)
    assert "the ticket" not in str(caught.value)
