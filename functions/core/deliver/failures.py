"""Classify send failures: retry later, never retry, or outcome unknown.

    SendFailure
    ├── Passing       not sent; a later attempt may succeed
    ├── Permanent     not sent; no retry will succeed
    │   ├── Closed    not sent, until the person writes again
    │   └── Withheld  not sent, because the playbook forbids it; nobody needs to look into it
    └── Unclear       the connection broke after the request was sent; it may have gone out

The codes are those of the API references of Amazon SES v2 (SendEmail, Errors), Amazon SNS
(Publish, Errors), AWS KMS (Decrypt, Errors), and "Common Errors" of each.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.core.domain.errors import DeskbellError
from functions.core.text.masking import mask

SES_PASSING = frozenset(
    {
        "TooManyRequestsException",  # above the account's rate per second
        "LimitExceededException",  # the account's daily quota is used up
        "SendingPausedException",  # the account is paused, by its owner or by SES
    }
)
"""SES v2 API reference, SendEmail. Other codes (MessageRejected, BadRequestException, …) are
permanent."""

SNS_PASSING = frozenset({"InternalError", "Throttled", "KMSThrottling"})
"""SNS API reference, Publish. OptedOut, InvalidParameter and the rest are permanent."""

KMS_PASSING = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
    }
)
"""KMS API reference, Decrypt."""

COMMON_PASSING = frozenset(
    {
        "ExpiredTokenException", "InternalFailure", "RequestExpired", "RequestLimitExceeded",
        "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException",
    }
)  # fmt: skip
"""Common errors of every service, and the throttling codes that botocore's standard mode knows."""

PASSING = SES_PASSING | SNS_PASSING | KMS_PASSING | COMMON_PASSING

_EXPLANATION_LIMIT = 200


class SendFailure(DeskbellError):
    """A message is not known to have gone out. The error's text contains no personal data."""


class Passing(SendFailure):
    """It was not sent; a later attempt may succeed."""


class Permanent(SendFailure):
    """It was not sent, and no retry will succeed."""


class Closed(Permanent):
    """The provider takes no message for the person until they write again."""


class Withheld(Permanent):
    """The playbook forbids to send it; its ticket shows why, and no dead letter is needed."""


class Unclear(SendFailure):
    """It may or may not have been sent."""


@contextmanager
def classified_failures(service: str) -> Iterator[None]:
    """Raise botocore's errors as one of the classes above.

    Errors that come neither from the service nor from the network are bugs and propagate.
    """
    from botocore.exceptions import (
        ClientError,
        ConnectionClosedError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
    )

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # The services quote addresses in their error messages.
        explanation = mask(error.response.get("Error", {}).get("Message", ""))[:_EXPLANATION_LIMIT]
        passing = code in PASSING or status == 429 or status >= 500
        raise (Passing if passing else Permanent)(f"{service} {code}: {explanation}") from None
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        raise Passing(f"{service} cannot be reached: {type(error).__name__}") from None
    except (ConnectionClosedError, HTTPClientError) as error:
        raise Unclear(f"{service} did not answer: {type(error).__name__}") from None
