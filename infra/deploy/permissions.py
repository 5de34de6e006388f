"""What each function's policy grants, and why something is granted that no call of its own uses.

`granted` and `needed` let a test compare the policies with the calls that a loop really makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

POLICIES = Path(__file__).resolve().parents[1] / "policies"

_WRITTEN_BY_LAMBDA = "Lambda writes the function's log with the function's rights"
_LOGS = {
    "logs:CreateLogStream": _WRITTEN_BY_LAMBDA,
    "logs:PutLogEvents": _WRITTEN_BY_LAMBDA,
}
_READ_BY_LAMBDA = "the event-source mapping reads the stream with the function's rights"
_STREAM = {
    "dynamodb:DescribeStream": _READ_BY_LAMBDA,
    "dynamodb:GetRecords": _READ_BY_LAMBDA,
    "dynamodb:GetShardIterator": _READ_BY_LAMBDA,
}
_TAKEN_BY_LAMBDA = "the event-source mapping takes mail off the queue with the function's rights"
_PARKS = {
    "sqs:GetQueueUrl": "finds the dead-letter queue when a record has to be parked",
    "sqs:SendMessage": "parks a record, and Lambda writes there what it gave up on",
}
_PLACES = "an agent's place is taken or given back in the transaction of a ticket"

UNUSED: dict[str, dict[str, str]] = {
    "api_handler": {
        **_LOGS,
        "s3:GetObject": "a link to an attachment is signed with the function's rights",
        "s3:PutObject": "raw mail that a provider posts, attachments, mail that is set aside",
    },
    "intake_mail": {
        **_LOGS,
        "dynamodb:Query": "finds the other tickets of an address that mail came back from",
        "s3:PutObject": "attachments, and mail that is set aside",
        "sqs:DeleteMessage": _TAKEN_BY_LAMBDA,
        "sqs:GetQueueAttributes": _TAKEN_BY_LAMBDA,
        "sqs:GetQueueUrl": _PARKS["sqs:GetQueueUrl"],
        "sqs:ReceiveMessage": _TAKEN_BY_LAMBDA,
        "sqs:SendMessage": _PARKS["sqs:SendMessage"],
    },
    "notify": {
        **_LOGS,
        **_STREAM,
        **_PARKS,
        "ses:SendRawEmail": "SES asks for it besides SendEmail where the content is raw",
    },
    "router": {
        **_LOGS,
        **_STREAM,
        **_PARKS,
        "dynamodb:BatchGetItem": "reads the waiting tickets when somebody becomes free",
    },
    "sla_timer": {
        **_LOGS,
        "dynamodb:UpdateItem": _PLACES,
        "sqs:SendMessage": "Lambda writes there the event of a sweep that failed to the end",
    },
    "unseal": {**_LOGS},
    "survey_ask": {
        **_LOGS,
        "states:SendTaskSuccess": "the answer came before the workflow asked",
    },
    "survey_review": {
        **_LOGS,
        "states:SendTaskSuccess": "the call-back came before the workflow asked",
    },
    "survey_expire": {**_LOGS, "dynamodb:UpdateItem": _PLACES},
    "survey_review_expire": {**_LOGS, "dynamodb:UpdateItem": _PLACES},
    "survey_archive": {
        **_LOGS,
        "s3:DeleteObjectVersion": "a document that was written while its person was erased goes",
        "s3:GetObject": "a ticket's files are written over themselves, so that their years begin",
        "s3:PutObjectTagging": "the years of retention are a tag of the document and its files",
    },
}
"""Function → action → why it is granted though a usual loop makes no such call."""

_PREFIXES = {
    "cloudwatch": "cloudwatch",
    "sesv2": "ses",
    "stepfunctions": "states",
}
_OF_A_TRANSACTION = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
_ACTIONS = {
    # Signing in is open to everybody; Cognito asks for no right.
    ("cognito-idp", "InitiateAuth"): set[str](),
    ("lambda", "Invoke"): {"lambda:InvokeFunction"},
}


def granted(function: str) -> set[str]:
    """The actions that a function's policy allows."""
    policy = json.loads((POLICIES / f"{function}.json").read_text("utf-8"))
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def needed(service: str, operation: str, writes: Iterable[str] = ()) -> set[str]:
    """The IAM actions that a call needs at least (boto3's service and operation names).

    Args:
        writes: what a transaction consists of, of which each is asked for: IAM knows no action
            of the transaction's own name.
    """
    if operation == "TransactWriteItems":
        return {_OF_A_TRANSACTION[kind] for kind in writes}
    known = _ACTIONS.get((service, operation))
    if known is not None:
        return known
    return {f"{_PREFIXES.get(service, service)}:{operation}"}
