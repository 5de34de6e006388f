"""The emulator follows Lambda's rules for failed stream batches."""

from typing import Any

import pytest

from infra.local.streams import RetryRules, process

pytestmark = pytest.mark.requirement("F2", "G3")
RULES = RetryRules(partial=True, bisect=True, attempts=3, max_age_seconds=3600)


class Function:
    """A function that fails for some records permanently and for others for a while."""

    def __init__(self, broken: set[str], *, raises: bool, passing: int = 0) -> None:
        self.broken = broken
        self.raises = raises
        self.passing = passing
        self.taken: list[str] = []
        self.batches: list[list[str]] = []
        self.discarded: list[tuple[list[str], str]] = []
        self.slept: list[float] = []

    def invoke(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        self.batches.append(numbers)
        if self.passing:
            self.passing -= 1
            return {"error": True}
        bad = [number for number in numbers if number in self.broken]
        if bad and self.raises:
            return {"error": True}
        self.taken += [number for number in numbers if number not in bad]
        return {"body": {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}}

    def run(self, count: int, rules: RetryRules = RULES, now: float = 100.0) -> None:
        records = [
            {"dynamodb": {"SequenceNumber": str(n), "ApproximateCreationDateTime": 100.0}}
            for n in range(count)
        ]
        process(records, rules, self.invoke, self.discard, sleep=self.slept.append, now=lambda: now)

    def discard(self, batch: list[dict[str, Any]], why: str, _answer: dict[str, Any]) -> None:
        self.discarded.append(([r["dynamodb"]["SequenceNumber"] for r in batch], why))


def test_a_successful_batch_is_invoked_once() -> None:
    function = Function(set(), raises=False)
    function.run(5)
    assert function.batches == [["0", "1", "2", "3", "4"]]
    assert not function.slept


def test_bisecting_isolates_the_failing_record() -> None:
    """Splitting does not count towards the retry quota (Lambda developer guide)."""
    function = Function({"2"}, raises=True)
    function.run(5)
    assert sorted(function.taken) == ["0", "1", "3", "4"]
    assert function.discarded == [(["2"], "RetryAttemptsExhausted")]
    assert function.batches.count(["2"]) == 1 + RULES.attempts
    assert function.taken == sorted(function.taken), "in order"


def test_a_partial_response_retries_only_the_following_records() -> None:
    function = Function({"3"}, raises=False)
    function.run(5)
    assert function.batches[0] == ["0", "1", "2", "3", "4"]
    assert function.batches[1] == ["3", "4"]
    assert [batch for batch, _why in function.discarded] == [["3"]]
    assert set(function.taken) == {"0", "1", "2", "4"}


def test_a_passing_failure_loses_nothing() -> None:
    function = Function(set(), raises=True, passing=2)
    function.run(1)
    assert function.taken == ["0"]
    assert function.discarded == []
    assert len(function.slept) == 2


def test_a_record_that_is_too_old_is_given_up() -> None:
    function = Function({"0"}, raises=True)
    function.run(1, now=100.0 + 3601)
    assert function.discarded == [(["0"], "MaxRecordAgeExceeded")]
    assert function.batches == [["0"]]


def test_without_partial_responses_a_batch_that_returns_is_done() -> None:
    rules = RetryRules(partial=False, bisect=True, attempts=3, max_age_seconds=-1)
    function = Function({"1"}, raises=False)
    function.run(3, rules)
    assert len(function.batches) == 1
    assert function.discarded == []


def test_an_unknown_identifier_in_the_response_fails_the_batch() -> None:
    """As Lambda does."""
    seen: list[int] = []

    def invoke(batch: list[dict[str, Any]]) -> dict[str, Any]:
        seen.append(len(batch))
        if len(seen) == 1:
            return {"body": '{"batchItemFailures": [{"itemIdentifier": "nobody"}]}'}
        return {"body": "nothing that is JSON"}

    record = {"dynamodb": {"SequenceNumber": "1", "ApproximateCreationDateTime": 1.0}}
    process([record], RULES, invoke, lambda *_: None, sleep=lambda _s: None, now=lambda: 1.0)
    assert seen == [1, 1]


def test_rules_are_read_from_an_event_source_mapping() -> None:
    mapping = {
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": "true",
        "MaximumRetryAttempts": "5",
        "MaximumRecordAgeInSeconds": 60,
    }
    assert RetryRules.of(mapping) == RetryRules(True, True, 5, 60.0)
    assert RetryRules.of({}) == RetryRules(False, False, -1, -1.0)


def test_a_batch_is_split_in_two() -> None:
    """So one record of 8 is found in 3 steps."""
    function = Function({"5"}, raises=True)
    function.run(8)
    sizes = [len(batch) for batch in function.batches]
    assert sizes == [8, 4, 4, 2, 1, 1, *[1] * RULES.attempts, 2]


def test_the_lowest_failed_sequence_number_is_the_checkpoint() -> None:
    """Lambda retries everything after it."""
    function = Function({"3", "1"}, raises=False)
    function.run(5)
    assert function.batches[1] == ["1", "2", "3", "4"]
    assert sorted(batch for batch, _why in function.discarded) == [["1"], ["3"]]
    assert set(function.taken) == {"0", "2", "4"}


def test_progress_resets_the_attempts_of_a_batch() -> None:
    """Attempts count for a batch that stays at the same record."""
    seen: list[list[str]] = []

    def invoke(batch: list[dict[str, Any]]) -> dict[str, Any]:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        seen.append(numbers)
        stuck = numbers[1] if len(numbers) > 1 else numbers[0]
        return {"body": {"batchItemFailures": [{"itemIdentifier": stuck}]}}

    function = Function(set(), raises=False)
    records = [
        {"dynamodb": {"SequenceNumber": str(n), "ApproximateCreationDateTime": 1.0}}
        for n in range(6)
    ]
    process(records, RULES, invoke, function.discard, sleep=lambda _s: None, now=lambda: 1.0)
    assert seen.count(["5"]) == 1 + RULES.attempts
    assert function.discarded == [(["5"], "RetryAttemptsExhausted")]


def test_the_oldest_record_determines_the_age_of_a_batch() -> None:
    """`MaximumRecordAgeInSeconds` -1, the default, means no limit."""
    records = [
        {"dynamodb": {"SequenceNumber": str(n), "ApproximateCreationDateTime": at}}
        for n, at in enumerate((100.0, 5000.0))
    ]
    for most, given_up in ((3600.0, ["MaxRecordAgeExceeded"]), (-1.0, ["RetryAttemptsExhausted"])):
        function = Function({"0", "1"}, raises=True)
        rules = RetryRules(partial=True, bisect=False, attempts=1, max_age_seconds=most)
        process(
            records, rules, function.invoke, function.discard,
            sleep=function.slept.append, now=lambda: 5001.0,
        )  # fmt: skip
        assert [why for _, why in function.discarded] == given_up
