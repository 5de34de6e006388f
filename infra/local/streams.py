"""Lambda's failure handling for the emulator's DynamoDB stream mappings.

The emulator retries a failing batch as a whole until it is too old, treats a partial response as a
success, and loses a stream's records when it stops. This module implements Lambda's rules
(developer guide, "Process DynamoDB records with Lambda": `ReportBatchItemFailures`,
`BisectBatchOnFunctionError`, `MaximumRetryAttempts`, `MaximumRecordAgeInSeconds`, on-failure
destination), on which production relies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Invoke = Callable[[list[Record]], dict[str, Any]]
Discard = Callable[[list[Record], str, dict[str, Any]], None]

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 2.0


@dataclass(frozen=True)
class RetryRules:
    """The failure settings of an event-source mapping; -1 means no limit."""

    partial: bool
    bisect: bool
    attempts: int
    max_age_seconds: float

    @classmethod
    def of(cls, mapping: dict[str, Any]) -> RetryRules:
        """Read the rules of a mapping in the format of Lambda's API."""
        return cls(
            partial="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
            bisect=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
            attempts=int(mapping.get("MaximumRetryAttempts", -1)),
            max_age_seconds=float(mapping.get("MaximumRecordAgeInSeconds", -1)),
        )


def process(
    records: list[Record],
    rules: RetryRules,
    invoke: Invoke,
    discard: Discard,
    *,
    sleep: Callable[[float], None],
    now: Callable[[], float],
) -> None:
    """Deliver records to the function in order until each is processed or discarded.

    Args:
        invoke: calls the function; returns a dict with `error` or `body`, as the emulator does.
        discard: receives the batch, the condition's name and the last response.
        now: Unix seconds, like the records' `ApproximateCreationDateTime`.
    """
    pending = [(records, 0)]
    while pending:
        batch, attempts = pending.pop()
        response = invoke(batch)
        failed = _first_failure(batch, response, rules)
        if failed is None:
            continue
        rest = batch[failed:]
        condition = _exhausted(rest, attempts, rules, now())
        if len(rest) > 1 and rules.bisect and failed == 0:
            # A split does not count as a retry.
            half = len(rest) // 2
            pending += [(rest[half:], attempts), (rest[:half], attempts)]
        elif condition:
            discard(rest, condition, response)
        else:
            sleep(min(_FIRST_PAUSE * 2**attempts, _LONGEST_PAUSE))
            pending.append((rest, attempts + 1 if failed == 0 else 0))


def _exhausted(batch: list[Record], attempts: int, rules: RetryRules, now: float) -> str | None:
    oldest = min(float(record["dynamodb"]["ApproximateCreationDateTime"]) for record in batch)
    if 0 <= rules.max_age_seconds < now - oldest:
        return "MaxRecordAgeExceeded"
    if 0 <= rules.attempts <= attempts:
        return "RetryAttemptsExhausted"
    return None


def _first_failure(batch: list[Record], response: dict[str, Any], rules: RetryRules) -> int | None:
    """The index of the first record to retry, or None."""
    if response.get("error"):
        return 0
    body = response.get("body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    failures = body.get("batchItemFailures") if rules.partial and isinstance(body, dict) else None
    if not failures:
        return None
    positions = {str(item["dynamodb"]["SequenceNumber"]): i for i, item in enumerate(batch)}
    # As in Lambda, an empty or unknown identifier fails the whole batch.
    return min(positions.get(str(item.get("itemIdentifier")), 0) for item in failures)


def install() -> None:
    """Patch the emulator in this process: these rules, and persistent stream records."""
    from ministack.services import dynamodb, lambda_svc

    lambda_svc._poll_dynamodb_streams = _poll
    original_state, original_load = dynamodb.get_state, dynamodb.load_persisted_state

    def get_state() -> dict[str, Any]:
        return {
            **original_state(),
            "stream_records": dynamodb._stream_records,
            "stream_trimmed": dynamodb._stream_trimmed,
            "stream_sequence": dynamodb._stream_seq_counter,
        }

    def load_persisted_state(data: dict[str, Any]) -> None:
        original_load(data)
        dynamodb._stream_records.update(data.get("stream_records", {}))
        dynamodb._stream_trimmed.update(data.get("stream_trimmed", {}))
        dynamodb._stream_seq_counter = data.get("stream_sequence", 0)

    dynamodb.get_state, dynamodb.load_persisted_state = get_state, load_persisted_state


def _poll() -> bool:
    """Start a batch for each idle mapping with new records; return whether any started."""
    from ministack.core.responses import _request_account_id, _request_region
    from ministack.services import lambda_svc

    started = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        tokens = _request_account_id.set(account), _request_region.set(region)
        try:
            if lambda_svc._esm_inflight.get(mapping["UUID"], 0):
                continue
            for batch in _next_batch(mapping):
                lambda_svc._dispatch_esm_batch(mapping["UUID"], _run, mapping, *batch)
                started = True
        finally:
            _request_account_id.reset(tokens[0])
            _request_region.reset(tokens[1])
    return started


def _next_batch(mapping: dict[str, Any]) -> Iterator[tuple[Any, list[Record], int]]:
    """The function, the records of the next batch and the position after it; or nothing."""
    from ministack.services import dynamodb, lambda_svc

    source = mapping.get("EventSourceArn", "")
    if not mapping.get("Enabled", True) or ":dynamodb:" not in source:
        return
    table = source.split("/")[1]
    if (dynamodb._tables.get(table) or {}).get("LatestStreamArn") != source:
        return
    function, _config = lambda_svc._get_func_record_for_qualifier(
        mapping["FunctionName"], mapping.get("Qualifier")
    )
    positions = lambda_svc._dynamodb_stream_positions
    position = max(positions.get(mapping["UUID"], 0), dynamodb.stream_start_position(table))
    records = dynamodb.stream_records_since(table, position, int(mapping.get("BatchSize", 100)))
    if function is not None and records:
        yield function, records, position + len(records)


def _run(mapping: dict[str, Any], function: Any, records: list[Record], end: int) -> None:
    from ministack.services import lambda_svc

    matching = lambda_svc._apply_filter_criteria(records, mapping)
    if matching:
        process(
            matching,
            RetryRules.of(mapping),
            lambda batch: dict(lambda_svc._execute_function(function, {"Records": batch})),
            lambda batch, condition, response: lambda_svc._send_ddb_stream_failure_record(
                mapping, function, batch, mapping["EventSourceArn"], response, condition
            ),
            sleep=time.sleep,
            now=time.time,
        )
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = end
