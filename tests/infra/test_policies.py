"""Each function has only the permissions that it needs (decision on least privilege)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.functions import policy_for
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.simulator.simulator import FUNCTIONS
from tests.permissions import UNUSED, allows, granted, may_read_parameter, needed
from tests.written import Written, written

pytestmark = pytest.mark.requirement("G4")
FILES = sorted((INFRA / "policies").glob("*.json"))


def statements(path: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads(path.read_text("utf-8"))["Statement"]


@pytest.mark.requirement("F7")
def test_each_function_has_its_policy() -> None:
    assert {path.stem for path in FILES} == {"api_handler", *FUNCTIONS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_policy_grants_all_actions_or_all_resources(path: Path) -> None:
    """Exceptions are listed by name with their reason."""
    for statement in statements(path):
        assert statement["Effect"] == "Allow"
        assert isinstance(statement["Action"], list)
        assert not any("*" in action for action in statement["Action"])
        assert statement.get("Resource") != "*"
        assert statement["Sid"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_policy_names_resources_of_its_stage_only(path: Path) -> None:
    """Resources without a name of ours are bound to the account; Bedrock's models are in none."""
    for statement in statements(path):
        resources = statement.get("Resource", [])
        for resource in [resources] if isinstance(resources, str) else resources:
            ours = "deskbell-prod" in resource or "/deskbell/prod/" in resource
            bound = "aws:ResourceAccount" in json.dumps(statement.get("Condition", {}))
            nobody_s = resource == "arn:aws:bedrock:*::foundation-model/*"
            assert ours or bound or nobody_s, resource


def test_only_notify_and_unseal_decrypt_contacts_and_only_unseal_originals() -> None:
    """Two policies have `kms:Decrypt`, for these purposes only; three can encrypt."""
    holders = {path.stem for path in FILES if "kms:Decrypt" in granted(path.stem)}
    assert holders == {"notify", "unseal"}
    contacts = ("Null", "true")
    for function, purposes in (
        ("notify", [contacts, ("StringEquals", "outgoing")]),
        ("unseal", [contacts, ("StringEquals", ["original", "outgoing"])]),
    ):
        path = INFRA / "policies" / f"{function}.json"
        opens = [s["Condition"] for s in statements(path) if "kms:Decrypt" in s["Action"]]
        assert len(opens) == len(purposes)
        for condition, (operator, what) in zip(opens, purposes, strict=True):
            assert condition[operator]["kms:EncryptionContext:what"] == what
    invoked = {
        path.stem: [
            s["Resource"] for s in statements(path) if "lambda:InvokeFunction" in s["Action"]
        ]
        for path in FILES
    }
    function = "arn:aws:lambda:*:*:function:deskbell-prod"
    assert {caller: resources for caller, resources in invoked.items() if resources} == {
        "administration": [
            [f"{function}-{name}" for name in ("fetcher", "notify", "router", "sla_timer")]
        ],
        "api_handler": [
            f"{function}-{name}"
            for name in ("unseal", "answers", "administration", "language_model", "fetcher")
        ],
        "fetcher": [[f"{function}-{name}" for name in ("fetcher", "answers", "language_model")]],
        "intake_mail": [f"{function}-fetcher"],
        "proposals": [f"{function}-proposals"],
        "router": [f"{function}-answers"],
        "sla_timer": [f"{function}-sla_timer"],
    }
    sealing = {path.stem for path in FILES if "kms:Encrypt" in granted(path.stem)}
    assert sealing == {"api_handler", "fetcher", "intake_mail", "sla_timer"}
    path = INFRA / "policies" / "sla_timer.json"
    (seals,) = [s["Condition"] for s in statements(path) if "kms:Encrypt" in s["Action"]]
    assert seals["StringEquals"]["kms:EncryptionContext:what"] == "outgoing"


WRITES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_write_to_the_table_is_limited_to_kinds_of_items(path: Path) -> None:
    """And a statement that allows one allows no read by the way."""
    for statement in statements(path):
        if WRITES & set(statement["Action"]):
            assert set(statement["Action"]) <= WRITES
            keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            assert keys
            assert all(re.fullmatch(r"[A-Z]+#\*", key) for key in keys), keys


PLAYBOOK = {"pk", "sk", "body", "at"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_administration_can_write_a_playbook(path: Path) -> None:
    """It carries out what an admin applies on a page (decision 40), and can put items only. An
    agent is in the same partition, but an agent's presence and load are other attributes than a
    playbook's."""
    for action in WRITES:
        may = path.stem == "administration" and action == "dynamodb:PutItem"
        for attributes in (PLAYBOOK, {"pk", "sk", "body"}, {"pk", "sk", "playbook"}):
            assert allows(path.stem, action, "DESK#standard", attributes) == may
        assert allows(path.stem, action, "MAILBOX#support@standard.local", {"pk", "desk"}) == may
    # An erasure alone deletes items, and nothing of a desk itself.
    assert ("dynamodb:DeleteItem" in granted(path.stem)) == (path.stem == "administration")
    assert not allows(path.stem, "dynamodb:DeleteItem", "DESK#standard", {"pk", "sk"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parameters_are_granted_by_name(path: Path) -> None:
    """Only a desk's name is open; the secrets of outgoing webhooks are read by notify and by
    administration, which rotates them, those of look-ups by those in whom
    the assistant answers, those of models by language_model."""
    for statement in statements(path):
        if "ssm:GetParameter" in statement["Action"]:
            names = [r.partition("/deskbell/prod/")[2] for r in statement["Resource"]]
            assert all(re.fullmatch(r"\w+|desks/\*/\w+(?:/\*)?", name) for name in names), names
    if path.stem not in {"notify", "administration"}:
        assert not may_read_parameter(path.stem, "/deskbell/prod/desks/standard/webhooks/crm")
    for kind, functions in (
        ("sources", {"api_handler", "fetcher"}),
        ("models", {"language_model"}),
    ):
        reads = may_read_parameter(path.stem, f"/deskbell/prod/desks/assisted/{kind}/main")
        assert reads == (path.stem in functions)


def test_sms_are_published_to_numbers_and_not_to_topics() -> None:
    """For IAM a phone number is not the ARN of a topic."""
    (sms,) = [s for s in statements(INFRA / "policies" / "notify.json") if s["Sid"] == "Sms"]
    assert sms["NotResource"] == "arn:aws:sns:*:*:*"


READ_BY_LAMBDA = {
    "stream": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
    "queue": {"DeleteMessage", "GetQueueAttributes", "ReceiveMessage"},
}
"""Kind of mapping → the actions that Lambda's developer guide asks of a function's role."""


def test_lambda_may_read_what_it_maps_to_a_function() -> None:
    mappings = [
        found["Properties"]
        for found in load_template(INFRA / "templates" / "wiring.yaml")["Resources"].values()
        if found["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    assert len(mappings) == 3
    for mapping in mappings:
        function = mapping["FunctionName"]["Fn::Sub"].removeprefix("deskbell-${Stage}-")
        is_stream = mapping["EventSourceArn"] == {"Ref": "StreamArn"}
        service = "dynamodb" if is_stream else "sqs"
        actions = READ_BY_LAMBDA["stream" if is_stream else "queue"]
        assert {f"{service}:{action}" for action in actions} <= granted(function), function


def test_a_permission_that_no_call_uses_has_a_reason() -> None:
    """Lambda itself or a rare path needs it, and it is still granted."""
    for function, reasons in UNUSED.items():
        assert set(reasons) <= granted(function), function
        assert all(len(reason) > 10 for reason in reasons.values())


@pytest.mark.requirement("F7")
def test_policies_of_two_stages_differ_in_the_stage_only() -> None:
    text = (INFRA / "policies" / "router.json").read_text("utf-8")
    other = policy_for(text, "trial")
    assert "deskbell-trial-router-dlq" in other
    for path in (INFRA / "policies").glob("*.json"):
        assert "prod" not in policy_for(path.read_text("utf-8"), "trial"), path.name


def test_operations_are_translated_to_actions() -> None:
    """A transaction needs the actions of its writes; other operations have their API's name."""
    assert needed("dynamodb", "TransactWriteItems", {"Put", "Update"}) == {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    }
    assert needed("sesv2", "SendEmail") == {"ses:SendEmail"}
    assert needed("stepfunctions", "StartExecution") == {"states:StartExecution"}
    assert needed("cognito-idp", "InitiateAuth") == set()
    assert needed("dynamodb", "GetItem") == {"dynamodb:GetItem"}


def test_a_write_is_described_as_iam_sees_it() -> None:
    """By its partition key and by every attribute that its expressions name."""
    update = {
        "TableName": "t",
        "Key": {"pk": {"S": "DESK#a"}, "sk": {"S": "AGENT#b"}},
        "UpdateExpression": "SET #load = if_not_exists(#load, :none) + :by, assigned_at = :at",
        "ConditionExpression": "attribute_exists(pk) AND #online = :yes",
        "ExpressionAttributeNames": {"#load": "load", "#online": "online"},
    }
    expected = frozenset({"pk", "sk", "load", "online", "assigned_at"})
    (alone,) = written("UpdateItem", update)
    assert alone == Written("dynamodb:UpdateItem", "DESK#a", expected)
    put = {"TableName": "t", "Item": {"pk": {"S": "TICKET#a#1"}, "body": {"S": ""}}}
    both = written("TransactWriteItems", {"TransactItems": [{"Update": update}, {"Put": put}]})
    assert both[0] == alone
    assert both[1] == Written("dynamodb:PutItem", "TICKET#a#1", frozenset({"pk", "body"}))
    assert written("GetItem", {"TableName": "t", "Key": {}}) == ()


@pytest.mark.requirement("G5")
def test_events_are_put_on_buses_of_the_stage_alone() -> None:
    """By the two functions that send webhooks; a bus exists only if a playbook names it."""
    allowed = {
        path.stem: (statement["Resource"], statement["Condition"])
        for path in (INFRA / "policies").glob("*.json")
        for statement in json.loads(path.read_text("utf-8"))["Statement"]
        if any(action.startswith("events:") for action in statement["Action"])
    }
    own_account = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
    bus = "arn:aws:events:*:*:event-bus/deskbell-prod-*"
    assert allowed == dict.fromkeys(("notify", "administration"), (bus, own_account))
