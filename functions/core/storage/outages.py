"""Recognise failures of AWS services that a retry may get past."""

_BUSY = frozenset(
    {
        "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
        "RequestThrottled", "RequestTimeout", "SlowDown", "Throttling", "ThrottledException",
        "ThrottlingException", "TooManyRequestsException", "TransactionConflictException",
        "TransactionInProgressException",
    }
)  # fmt: skip
"""Error codes of throttled calls (each service's API reference, "Common Errors"), and of a write
that met another writer's transaction."""


def is_outage(error: BaseException) -> bool:
    """Return whether a service was throttling, failing, slow or unreachable."""
    from botocore import exceptions

    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return True
    if not isinstance(error, exceptions.ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response.get("Error", {}).get("Code") in _BUSY
