"""Why a message did not go out, and what that means: again later, never, or nobody knows.

    SendFailure
    ├── Passing       it was not sent, and later it may be
    ├── Permanent     it was not sent, and trying again will not change that
    └── Unclear       the connection broke after the request left: it may have been sent

The codes are those of the API references of Amazon SES v2 (SendEmail, Errors), Amazon SNS
(Publish, Errors), AWS KMS (Decrypt, Errors), and "Common Errors" of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from functions.core.domain.errors import DeskbellError
from functions.core.text.masking import mask

SES_PASSING = frozenset(
    {
        "TooManyRequestsException",  # more a second than the account may send
        "LimitExceededException",  # the account's quota of the day is used up
        "SendingPausedException",  # the account is paused, by its owner or by SES
    }
)
"""SES v2 API reference, SendEmail. What is not named (MessageRejected, BadRequestException, …) is
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
        "ExpiredTokenException",
        "InternalFailure",
        "RequestExpired",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
"""Common errors of every service, and the throttling codes that botocore's standard mode knows."""

PASSING = SES_PASSING | SNS_PASSING | KMS_PASSING | COMMON_PASSING

_EXPLANATION_LIMIT = 200


class SendFailure(DeskbellError):
    """A message that is not known to have gone out. Its text holds no personal data."""


class Passing(SendFailure):
    """It was not sent; trying again later may help."""


class Permanent(SendFailure):
    """It was not sent, and no repetition will help."""


class Unclear(SendFailure):
    """It may or may not have been sent."""


@contextmanager
def sorted_failures(service: str) -> Iterator[None]:
    """Turn what botocore raises inside into one of the classes above.

    Anything that is no answer of the service and no trouble of the network is a bug, and passes.
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
        # The services quote addresses in their explanations.
        said = mask(error.response.get("Error", {}).get("Message", ""))[:_EXPLANATION_LIMIT]
        passing = code in PASSING or status == 429 or status >= 500
        raise (Passing if passing else Permanent)(f"{service} {code}: {said}") from None
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        raise Passing(f"{service} cannot be reached: {type(error).__name__}") from None
    except (ConnectionClosedError, HTTPClientError) as error:
        raise Unclear(f"{service} did not answer: {type(error).__name__}") from None
