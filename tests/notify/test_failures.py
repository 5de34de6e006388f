"""The meaning of the services' errors for a delivery: retry, give up, or unclear."""

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from functions.core.deliver import failures, once
from functions.core.deliver.email import deliverable
from functions.core.deliver.failures import Passing, Permanent, Unclear, classified_failures
from functions.core.deliver.sms import SMS_LIMIT, TextMessage, send, send_by_sns
from functions.core.domain.rules import Playbook
from functions.notify.contact import OpenedContact, open_contact
from tests.notify.deployment import DEPLOYMENT


def answer(code: str, status: int = 400, explanation: str = "") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": explanation},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Send")


def raised(error: Exception) -> type[Exception]:
    try:
        with classified_failures("SES"):
            raise error
    except Exception as found:
        return type(found)


@pytest.mark.requirement("A4")
@pytest.mark.parametrize(
    "error",
    [
        *(answer(code) for code in sorted(failures.PASSING)),
        answer("Unheard", 500),
        answer("Unheard", 503),
        answer("Unheard", 429),
        EndpointConnectionError(endpoint_url="https://example.com"),
        ConnectTimeoutError(endpoint_url="https://example.com"),
    ],
)
def test_throttling_and_outages_are_passing_failures(error: Exception) -> None:
    assert raised(error) is Passing


@pytest.mark.parametrize(
    "code",
    [
        "MessageRejected", "BadRequestException", "MailFromDomainNotVerifiedException",
        "AccountSuspendedException", "InvalidParameter", "OptedOut", "AccessDeniedException",
        "InvalidCiphertextException",
    ],
)  # fmt: skip
def test_refusals_are_permanent_failures(code: str) -> None:
    assert raised(answer(code)) is Permanent


@pytest.mark.requirement("E11")
@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://example.com"),
        ConnectionClosedError(endpoint_url="https://example.com"),
    ],
)
def test_a_connection_that_breaks_after_the_request_is_unclear(error: Exception) -> None:
    """The message may have gone out, so it is not retried automatically."""
    assert raised(error) is Unclear


def test_other_errors_propagate() -> None:
    assert raised(KeyError("x")) is KeyError


@pytest.mark.requirement("G4")
def test_a_services_error_message_is_masked() -> None:
    explanation = "Email address is not verified: li.example@example.com, +8613800138000"
    with pytest.raises(Permanent) as caught, classified_failures("SES"):
        raise answer("MessageRejected", explanation=explanation)
    assert "MessageRejected" in str(caught.value)
    assert "li.example" not in str(caught.value)
    assert "13800138000" not in str(caught.value)


@pytest.mark.parametrize(
    ("service", "codes"),
    [("sesv2", failures.SES_PASSING), ("sns", failures.SNS_PASSING), ("kms", failures.KMS_PASSING)],
)
def test_the_codes_are_those_of_the_services(service: str, codes: frozenset[str]) -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model(service)
    known = {
        shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes
    }
    assert codes <= known


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("a.b+c@example.com", "a.b+c@example.com"), ("a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
        ("a@straße.de", "a@xn--strae-oqa.de"), ("a@βόλος.com", "a@xn--nxasmm1c.com"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@例子。中国", "a@xn--fsqu00a.xn--fiqs8s"),
    ],
)  # fmt: skip
def test_an_address_is_converted_for_ses(address: str, taken: str) -> None:
    assert deliverable(address) == taken


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "@example.com", "a@", "名@example.com", "a b@x.com", "a@x.com\r\nBcc: b@x.com",
        "a@☃.net",
    ],
)  # fmt: skip
def test_an_address_that_ses_refuses_is_permanent(address: str) -> None:
    with pytest.raises(Permanent):
        deliverable(address)


@pytest.mark.parametrize("number", ["", "13800138000", "+86138", "+8613800138000;x", "+0123456789"])
def test_a_number_that_sns_refuses_is_permanent(playbook: Playbook, number: str) -> None:
    with pytest.raises(Permanent):
        send(DEPLOYMENT, playbook, TextMessage(number, "text"))


class Sns:
    """SNS that records its calls."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def publish(self, **asked: Any) -> dict[str, str]:
        self.asked = asked
        return {"MessageId": "id"}


@pytest.mark.requirement("A4")
@pytest.mark.parametrize(("sender", "shown"), [("Deskbell", "Deskbell"), ("", None)])
def test_sms_is_transactional_and_names_its_sender(
    playbook: Playbook, sender: str, shown: str | None
) -> None:
    sns = Sns()
    client: Any = sns
    desk = playbook.model_copy(update={"sms_sender": sender})
    assert send_by_sns(client, desk, TextMessage("+8613800138000", "text")) == "id"
    attributes = sns.asked["MessageAttributes"]
    price = attributes["AWS.SNS.SMS.MaxPrice"]
    assert price == {"DataType": "Number", "StringValue": "0.20"}
    assert attributes["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"
    assert attributes.get("AWS.SNS.SMS.SenderID", {}).get("StringValue") == shown


def test_an_sms_over_the_limit_of_sns_is_refused_and_never_cut(playbook: Playbook) -> None:
    sns = Sns()
    client: Any = sns
    with pytest.raises(Permanent, match="1601 characters, 1600 at most"):
        send_by_sns(client, playbook, TextMessage("+8613800138000", "x" * (SMS_LIMIT + 1)))
    assert not sns.asked


@pytest.mark.requirement("E11")
def test_sending_clients_never_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore would send again after a timeout."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    once.client.cache_clear()
    assert once.client("sesv2").meta.config.retries["total_max_attempts"] == 1
    once.client.cache_clear()


@pytest.mark.requirement("G4")
def test_an_open_contact_does_not_reveal_itself() -> None:
    found = OpenedContact(contact="li.example@example.com", kind="email", name="李样本")
    assert f"{found} {found!r}" == "OpenedContact(email) OpenedContact(email)"


class Kms:
    """KMS with a prepared response."""

    def __init__(self, found: bytes | Exception) -> None:
        self.found = found

    def decrypt(self, **asked: Any) -> dict[str, bytes]:
        if isinstance(self.found, Exception):
            raise self.found
        return {"Plaintext": self.found}


@pytest.mark.requirement("G4")
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answer("InvalidCiphertextException"), Permanent),
        (answer("ThrottlingException"), Passing),
        (ReadTimeoutError(endpoint_url="https://example.com"), Passing),
        (b'{"contact": "13800138000"}', Permanent),
        (b"13800138000", Permanent),
    ],
)
def test_a_contact_that_cannot_be_opened_is_permanent(
    found: Any, expected: type[Exception]
) -> None:
    """The cause contains neither the contact nor the name."""
    kms: Any = Kms(found)
    with pytest.raises(expected) as caught:
        open_contact(kms, "alias/x", "standard", "1", b"sealed")
    assert "13800138000" not in repr(caught.value)


def test_a_contact_that_cannot_be_read_yet_is_passing() -> None:
    kms: Any = Kms(b"")
    with pytest.raises(Passing):
        open_contact(kms, "alias/x", "standard", "1", None)
