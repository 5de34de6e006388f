"""The permissions of each function's policy, to compare with the calls that it makes, and the
reasons for those that no usual call needs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from infra.deploy.steps import INFRA

_WRITTEN_BY_LAMBDA = "Lambda writes the function's log with the function's role"
_LOGS = {"logs:CreateLogStream": _WRITTEN_BY_LAMBDA, "logs:PutLogEvents": _WRITTEN_BY_LAMBDA}
_READ_BY_LAMBDA = "the event-source mapping reads the stream with the function's role"
_STREAM = {
    "dynamodb:DescribeStream": _READ_BY_LAMBDA,
    "dynamodb:GetRecords": _READ_BY_LAMBDA,
    "dynamodb:GetShardIterator": _READ_BY_LAMBDA,
    "dynamodb:ListStreams": _READ_BY_LAMBDA,
}
_RECEIVED_BY_LAMBDA = "the event-source mapping receives from the queue with the function's role"
_DEAD_LETTERS = {
    "sqs:GetQueueUrl": "finds the dead-letter queue",
    "sqs:SendMessage": "dead-letters a record; Lambda sends discarded batches to the same queue",
}
_QUERIED = "Athena reads facts and writes results with the caller's rights: moto runs no query"
_ATHENA = {
    "athena:GetQueryExecution": _QUERIED,
    "athena:GetQueryResults": _QUERIED,
    "athena:StartQueryExecution": _QUERIED,
    "glue:GetDatabase": _QUERIED,
    "glue:GetTable": _QUERIED,
    "s3:GetBucketLocation": _QUERIED,
    "s3:ListBucket": _QUERIED,
}
_ADMINISTERED = "the quarantine's pages, whose tests carry the acts out in their own process"
_CAPACITY = "a ticket's transaction changes its agent's load"

UNUSED: dict[str, dict[str, str]] = {
    "api_handler": {
        **_LOGS,
        **_ATHENA,
        "s3:GetObject": "presigned links to attachments use the function's role; search reads",
        "s3:PutObject": "stores posted mail, attachments and quarantined mail",
        "ses:SendEmail": "sends the code that verifies a chat's customer",
        "ses:SendRawEmail": "SES requires it in addition to SendEmail for raw content",
        "sns:Publish": "sends the code that verifies a chat's customer",
    },
    "intake_mail": {
        **_LOGS,
        "dynamodb:Query": "finds the other tickets of a contact that mail bounced from",
        "lambda:InvokeFunction": "lets the files of a chat message that was released be fetched",
        "s3:PutObject": "stores attachments and quarantined mail",
        "sqs:DeleteMessage": _RECEIVED_BY_LAMBDA,
        "sqs:GetQueueAttributes": _RECEIVED_BY_LAMBDA,
        "sqs:GetQueueUrl": _DEAD_LETTERS["sqs:GetQueueUrl"],
        "sqs:ReceiveMessage": _RECEIVED_BY_LAMBDA,
        "sqs:SendMessage": _DEAD_LETTERS["sqs:SendMessage"],
    },
    "notify": {
        **_LOGS,
        **_STREAM,
        **_DEAD_LETTERS,
        "dynamodb:UpdateItem": "counts text messages once a container has sent many",
        "events:PutEvents": "puts events on the buses that a playbook names",
        "ses:SendRawEmail": "SES requires it in addition to SendEmail for raw content",
    },
    "router": {
        **_LOGS,
        **_STREAM,
        **_DEAD_LETTERS,
        "dynamodb:BatchGetItem": "reads the waiting tickets when an agent becomes available",
        "lambda:InvokeFunction": "asks whether a customer is upset, on desks that have it so",
    },
    "sla_timer": {
        **_LOGS,
        "dynamodb:UpdateItem": _CAPACITY,
        "kms:Encrypt": "seals what an agent sent before the page was closed",
        "lambda:InvokeFunction": "hands over a shard with much to do to an invocation of its own",
        "s3:GetObject": "reads a file that an agent sent before the page was closed",
        "s3:PutObject": "keeps a file that an agent sent before the page was closed",
        "ssm:GetParameter": "opens the drafts that no page sent",
        "sqs:SendMessage": "Lambda sends the event of a failed sweep there",
    },
    "administration": {
        **_LOGS,
        "s3:DeleteObjectVersion": "an erasure names the version that it deletes",
        "s3:GetObject": "reads the facts, segments and reports that an erasure rewrites",
        "s3:GetObjectVersionTagging": "a hold tags the archived document, and the files",
        "s3:PutObject": "rewrites what an erasure leaves of facts, segments and reports",
        "s3:PutObjectTagging": "tags what it rewrites with its retention period",
        "s3:PutObjectVersionTagging": "a hold tags the archived document, and the files",
        "s3:DeleteObject": "deletes what it has rewritten",
        "dynamodb:GetRecords": _ADMINISTERED,
        "dynamodb:GetShardIterator": _ADMINISTERED,
        "events:PutEvents": "tests a webhook that goes to an event bus",
        "lambda:InvokeFunction": "gives a function its failed record again",
        "s3:ListBucket": _ADMINISTERED,
        "sqs:ChangeMessageVisibility": _ADMINISTERED,
        "sqs:DeleteMessage": _ADMINISTERED,
        "sqs:GetQueueUrl": _ADMINISTERED,
        "sqs:ReceiveMessage": _ADMINISTERED,
        "sqs:SendMessage": "queues a mail again that was released",
        "ssm:GetParameter": "signs a test of a webhook, and adds a secret to the present one",
        "ssm:GetParametersByPath": "names the connected channels",
        "ssm:PutParameter": "changes the secret of a webhook",
        "states:DescribeExecution": _ADMINISTERED,
        "states:ListExecutions": _ADMINISTERED,
        "states:StartExecution": "starts a failed closing workflow again",
    },
    "unseal": {**_LOGS, "dynamodb:Query": "finds the recorded export of a desk with contacts"},
    "search_index": {
        **_LOGS,
        "s3:DeleteObject": "deletes segments that were replaced an hour ago",
        "s3:GetObject": "reads a segment that its container has not read before",
    },
    "reports": {
        **_LOGS,
        "s3:DeleteObject": "deletes what it has merged once a local day has ended",
        "s3:PutObjectTagging": "tags facts with their retention period",
        "dynamodb:UpdateItem": "takes back the claim of a mail that has not gone out",
        "ses:SendEmail": "mails reports; nobody gets one without tickets",
        "ses:SendRawEmail": "SES requires it in addition to SendEmail for raw content",
        **dict.fromkeys(
            (
                "glue:GetDatabase",
                "glue:GetTable",
                "s3:GetBucketLocation",
            ),
            "Athena asks for the figures with the rights of the function",
        ),
    },
    "answers": {
        **_LOGS,
        "dynamodb:PutItem": "claims to build the index of a changed knowledge base",
        "s3:GetObject": "reads its libraries, and the index that it stored before",
        "s3:PutObject": "stores the index of a changed knowledge base",
        "ssm:GetParameter": "finds its libraries",
    },
    "language_model": {
        **_LOGS,
        "bedrock:InvokeModel": "asks a model of Bedrock (Converse), which is not simulated",
    },
    "fetcher": {
        **_LOGS,
        "dynamodb:Query": "the assistant recognises a customer by earlier tickets",
        "ses:SendEmail": "sends the code that verifies a chat's customer",
        "ses:SendRawEmail": "SES requires it in addition to SendEmail for raw content",
        "sns:Publish": "sends the code that verifies a chat's customer",
        "sqs:SendMessage": "Lambda sends the event of a failed task there",
    },
    "proposals": {
        **_LOGS,
        "s3:GetObject": "reads its libraries, and the index of a desk's articles",
        "ssm:GetParameter": "finds its libraries",
    },
    "survey_ask": {
        **_LOGS,
        "states:SendTaskSuccess": "the customer answered before the workflow waited",
    },
    "survey_review": {
        **_LOGS,
        "states:SendTaskSuccess": "the call-back was made before the workflow waited",
    },
    "survey_expire": {**_LOGS, "dynamodb:UpdateItem": _CAPACITY},
    "survey_review_expire": {**_LOGS, "dynamodb:UpdateItem": _CAPACITY},
    "survey_archive": {
        **_LOGS,
        "s3:DeleteObjectVersion": "deletes a document that was written during an erasure",
        "s3:GetObject": "copies a ticket's files onto themselves to start their retention period",
        "s3:PutObjectTagging": "tags the document and its files with the retention period",
    },
}
"""Function → action → the reason for a permission that the usual calls do not need."""

_PREFIXES = {"cloudwatch": "cloudwatch", "sesv2": "ses", "stepfunctions": "states"}
_TRANSACTION_ACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
_ACTIONS = {
    # Signing in and setting up an authenticator are public: they need no permission.
    **{
        ("cognito-idp", operation): set[str]()
        for operation in (
            "InitiateAuth", "RespondToAuthChallenge", "AssociateSoftwareToken",
            "VerifySoftwareToken", "SetUserMFAPreference",
        )
    },
    ("sts", "GetCallerIdentity"): set(),
    ("lambda", "Invoke"): {"lambda:InvokeFunction"},
    ("s3", "HeadObject"): {"s3:GetObject"},
    ("s3", "ListObjectsV2"): {"s3:ListBucket"},
    # Erasures and holds name the version.
    ("s3", "ListObjectVersions"): {"s3:ListBucketVersions"},
    ("s3", "GetObjectTagging"): {"s3:GetObjectVersionTagging"},
    ("s3", "PutObjectTagging"): {"s3:PutObjectVersionTagging"},
}  # fmt: skip


def granted(function: str) -> set[str]:
    return {action for statement in _statements(function) for action in statement["Action"]}


def allows(function: str, action: str, key: str, attributes: Collection[str]) -> bool:
    """Return whether a function's policy allows a write of these attributes under this key."""
    return any(
        action in statement["Action"] and _holds(statement.get("Condition", {}), key, attributes)
        for statement in _statements(function)
    )


def may_read_parameter(function: str, name: str) -> bool:
    """Return whether a function's policy names an SSM parameter, as `prod` writes it."""
    patterns = [
        resource.partition(":parameter")[2]
        for statement in _statements(function)
        if "ssm:GetParameter" in statement["Action"]
        for resource in statement["Resource"]
    ]
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _statements(function: str) -> list[dict[str, Any]]:
    policy = json.loads((INFRA / "policies" / f"{function}.json").read_text("utf-8"))
    statements: list[dict[str, Any]] = policy["Statement"]
    return statements


def _holds(condition: Mapping[str, Any], key: str, attributes: Collection[str]) -> bool:
    """Evaluate the two conditions of DynamoDB that the policies use."""
    keys = condition.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
    allowed = condition.get("ForAllValues:StringEquals", {}).get("dynamodb:Attributes", attributes)
    return any(fnmatchcase(key, pattern) for pattern in keys) and set(attributes) <= set(allowed)


def needed(service: str, operation: str, writes: Iterable[str] = ()) -> set[str]:
    """The IAM actions that a call needs, by boto3's service and operation names.

    Args:
        writes: the actions of a transaction (`Put`, `Update` …): IAM authorizes each of them.
    """
    if operation == "TransactWriteItems":
        return {_TRANSACTION_ACTIONS[kind] for kind in writes}
    known = _ACTIONS.get((service, operation))
    if known is not None:
        return known
    return {f"{_PREFIXES.get(service, service)}:{operation}"}
