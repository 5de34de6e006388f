"""The CloudFormation templates: valid, complete, and consistent with the code."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain import events
from functions.core.platform.alarms import NAMESPACE
from functions.core.platform.settings import Deployment
from functions.core.platform.stream_filters import FILTERS, matches_filters
from functions.core.reports.columns import COLUMNS
from functions.core.storage.facts import FOLDER
from functions.core.storage.files import Files
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.simulator.simulator import FUNCTIONS

FOUNDATION = load_template(INFRA / "templates" / "foundation.yaml")
WIRING = load_template(INFRA / "templates" / "wiring.yaml")
CONFIG = json.loads((INFRA.parent / ".chalice" / "config.json").read_text("utf-8"))
STREAM_MAPPINGS = {"router": "RouterStream", "notify": "NotifyStream"}
QUEUES = ("mail", "router", "notify", "sla_timer")


def resources(kind: str, template: dict[str, Any] = FOUNDATION) -> dict[str, Any]:
    return {
        name: found["Properties"]
        for name, found in template["Resources"].items()
        if found["Type"] == kind
    }


def text(value: Any) -> str:
    """Return a name as resolved in stage `prod`."""
    found: str = value["Fn::Sub"] if isinstance(value, dict) else value
    return found.replace("${Stage}", "prod")


@pytest.mark.requirement("F2")
@pytest.mark.parametrize(
    ("key", "attribute", "value", "readers"),
    [
        ("EVENT#000001", "readers", "notify", {"notify"}),
        ("EVENT#000001", "readers", "both", {"router", "notify"}),
        ("EVENT#000001", "readers", "none", set()),
        ("AGENT#a", "change", "online", {"router"}),
        ("AGENT#a", "change", "released", {"router"}),
        ("AGENT#a", "change", "offline", set()),
        ("AGENT#a", "change", "claimed", set()),
        ("DELIVERY#1", "state", "due", {"notify"}),
        ("DELIVERY#1", "state", "claimed", set()),
        ("DELIVERY#1", "state", "dead_lettered", set()),
        ("TICKET", "status", "queued", set()),
    ],
)
def test_stream_filters_wake_only_the_functions_concerned(
    key: str, attribute: str, value: str, readers: set[str]
) -> None:
    keys = {"pk": {"S": "TICKET#a#1"}, "sk": {"S": key}}
    record = {"dynamodb": {"Keys": keys, "NewImage": {**keys, attribute: {"S": value}}}}
    assert {name for name in FUNCTIONS if matches_filters(record, name)} == readers


@pytest.mark.requirement("F2", "G3")
@pytest.mark.parametrize(("function", "mapping"), STREAM_MAPPINGS.items())
def test_records_that_are_read_again_are_filtered_as_lambda_does(
    function: str, mapping: str
) -> None:
    filters = WIRING["Resources"][mapping]["Properties"]["FilterCriteria"]["Filters"]
    assert [json.loads(item["Pattern"]) for item in filters] == list(FILTERS[function])


@pytest.mark.requirement("F2")
def test_events_name_the_readers_of_the_filters() -> None:
    """`events.readers` returns no name that the filters do not know."""
    words = {
        events.readers(kinds)
        for kinds in (
            (_event("TicketReceived"),),
            (_event("TicketAssigned"),),
            (_event("TicketReceived"), _event("TicketAssigned")),
        )
    }
    assert words <= {"notify", "both"}


def _event(name: str) -> Any:
    return events.EVENTS[name].model_construct(event=name)


@pytest.mark.requirement("F2", "G3")
@pytest.mark.parametrize("function", STREAM_MAPPINGS)
def test_failures_are_isolated_retried_for_a_day_and_kept(function: str) -> None:
    """Partial responses, bisecting, retries for as long as the stream keeps a record, and a queue.

    A limit of attempts would turn a few minutes of throttling into lost records.
    """
    mapping = WIRING["Resources"][STREAM_MAPPINGS[function]]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert "MaximumRetryAttempts" not in mapping
    age = WIRING["Parameters"]["MaximumRecordAgeSeconds"]["Default"]
    assert timedelta(hours=22) <= timedelta(seconds=age) < timedelta(hours=24)
    destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert text(destination).endswith(f":deskbell-prod-{function}-dlq")


@pytest.mark.requirement("E11", "F3", "G3")
def test_mail_and_sweep_failures_are_kept() -> None:
    mail = WIRING["Resources"]["MailToIntake"]["Properties"]
    assert mail["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    queue = resources("AWS::SQS::Queue")["MailQueue"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {
        "Fn::GetAtt": ["MailDeadLetters", "Arn"]
    }
    sweep = WIRING["Resources"]["SweepFailures"]["Properties"]
    destination = text(sweep["DestinationConfig"]["OnFailure"]["Destination"])
    assert destination.endswith(":deskbell-prod-sla_timer-dlq")
    fetch = WIRING["Resources"]["FetchFailures"]["Properties"]
    assert fetch["MaximumRetryAttempts"] == 2
    destination = text(fetch["DestinationConfig"]["OnFailure"]["Destination"])
    assert destination.endswith(":deskbell-prod-mail-dlq")


def test_a_mail_stays_hidden_six_times_as_long_as_it_may_take() -> None:
    """The Lambda guide's advice for SQS: six times the function's timeout."""
    seconds = CONFIG["stages"]["prod"]["lambda_functions"]["intake_mail"]["lambda_timeout"]
    assert FOUNDATION["Parameters"]["MailVisibilitySeconds"]["Default"] >= 6 * seconds


def test_a_mail_that_takes_too_long_takes_no_other_with_it() -> None:
    mapping = WIRING["Resources"]["MailToIntake"]["Properties"]
    assert mapping["BatchSize"] == 1


@pytest.mark.requirement("G3")
def test_every_failure_raises_an_alarm() -> None:
    """Dead letters and failures of functions and workflows; each alarm reaches the topic."""
    alarms = resources("AWS::CloudWatch::Alarm")
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())
    watched = {
        (alarm["Namespace"], alarm["MetricName"], text(alarm["AlarmName"]))
        for alarm in alarms.values()
    }
    letters = "ApproximateNumberOfMessagesVisible"
    # A failed sweep raises its error alarm first; stream functions say themselves that records grow
    # old, and mail that cannot be read reaches its queue.
    for queue in ("mail", "router", "notify"):
        assert ("AWS/SQS", letters, f"deskbell-prod-{queue}-dlq") in watched
    assert ("AWS/Lambda", "Errors", "deskbell-prod-sla_timer-errors") in watched
    assert ("AWS/Lambda", "IteratorAge", "deskbell-prod-notify-age") in watched
    assert (NAMESPACE, "Conditions", "deskbell-prod-conditions") in watched
    assert ("AWS/ApiGateway", "5XXError", "deskbell-prod-api-errors") in watched
    assert ("AWS/ApiGateway", "Count", "deskbell-prod-api-requests") in watched
    assert ("AWS/SNS", "SMSMonthToDateSpentUSD", "deskbell-prod-sms-spend") in watched
    assert ("AWS/States", "ExecutionsFailed", "deskbell-prod-closing-failed") in watched
    # A dead-letter queue that is not watched here would be a new one.
    dead = {
        text(queue["QueueName"])
        for queue in resources("AWS::SQS::Queue").values()
        if text(queue["QueueName"]).endswith("-dlq")
    }
    assert dead == {f"deskbell-prod-{queue}-dlq" for queue in QUEUES}


@pytest.mark.requirement("G3")
def test_resources_with_data_survive_the_stack() -> None:
    """Deleting the stack by mistake deletes no ticket, mail, key or user.

    A creation that failed leaves none of them, since their names would block the next attempt.
    """
    kept = (
        "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SQS::Queue",
        "AWS::Cognito::UserPool",
    )  # fmt: skip
    for name, found in FOUNDATION["Resources"].items():
        if found["Type"] in kept:
            assert found["UpdateReplacePolicy"] == "Retain", name
        if "UpdateReplacePolicy" in found:
            assert found["DeletionPolicy"] == "RetainExceptOnCreate", name


@pytest.mark.requirement("G7")
def test_the_budget_reports_to_the_topic_and_has_no_name() -> None:
    """CloudFormation replaces a budget whose notifications change; a name would be taken."""
    (budget,) = resources("AWS::Budgets::Budget").values()
    assert "BudgetName" not in budget["Budget"]
    for notification in budget["NotificationsWithSubscribers"]:
        (subscriber,) = notification["Subscribers"]
        assert subscriber == {"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopic"}}
    policies = resources("AWS::SNS::TopicPolicy").values()
    (policy,) = (p for p in policies if p["Topics"] == [{"Ref": "AlarmTopic"}])
    statements = policy["PolicyDocument"]["Statement"]
    # A policy of one's own replaces the one that lets the account's alarms publish.
    publishers = {statement["Principal"]["Service"] for statement in statements}
    assert publishers == {"budgets.amazonaws.com", "cloudwatch.amazonaws.com"}
    for statement in statements:
        assert statement["Condition"]["StringEquals"] == {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"}
        }


@pytest.mark.requirement("F8", "G7")
def test_no_resource_costs_while_idle_except_the_key() -> None:
    table = resources("AWS::DynamoDB::Table")["Table"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "ProvisionedThroughput" not in json.dumps(FOUNDATION)
    kinds = {found["Type"].split("::")[1] for found in FOUNDATION["Resources"].values()}
    assert kinds <= {
        *("Athena", "Budgets", "CloudWatch", "Cognito", "DynamoDB", "Glue", "IAM", "KMS", "Logs"),
        *("Events", "S3", "SES", "SNS", "SQS", "SSM", "StepFunctions"),
    }
    # CloudWatch has ten alarms on one metric each free of charge.
    alarms = resources("AWS::CloudWatch::Alarm").values()
    assert len(alarms) <= 10
    assert all("Metrics" not in alarm for alarm in alarms)


@pytest.mark.requirement("F8", "G7")
def test_what_costs_in_the_wiring_is_off_by_default() -> None:
    paid = {n: r for n, r in WIRING["Resources"].items() if r["Type"].startswith("AWS::WAFv2::")}
    assert set(paid) == {"Firewall", "FirewallOfTheApi"}
    assert all(resource["Condition"] == "HasWaf" for resource in paid.values())
    assert WIRING["Parameters"]["WafRequests"]["Default"] == 0
    assert WIRING["Parameters"]["ReservedConcurrency"]["Default"] == 0


@pytest.mark.requirement("B10")
@pytest.mark.parametrize("name", ["ArchiveBucket", "MailBucket"])
def test_archives_are_kept_for_three_years_at_least(name: str) -> None:
    """Each number of years that a playbook allows has one rule, for documents and files, facts and
    reports; held documents and files have none.
    """
    bucket = resources("AWS::S3::Bucket")[name]
    rules = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "TagFilters" in rule]
    days: dict[str, dict[str, int]] = {}
    for rule in rules:
        folder = rule.get("Prefix", "")
        years, *hold = ((tag["Key"], tag["Value"]) for tag in rule["TagFilters"])
        assert years[0] == "retention-years"
        assert hold == ([] if folder in {"facts/", "reports/"} else [("hold", "false")])
        days.setdefault(folder, {})[years[1]] = rule["ExpirationInDays"]
    assert set(days) == ({"files/", "facts/", "reports/"} if name == "MailBucket" else {""})
    for of_folder in days.values():
        assert set(of_folder) == {"3", "5", "7", "10"}
        assert all(kept >= int(years) * 365.25 for years, kept in of_folder.items())


@pytest.mark.requirement("D10")
def test_a_browser_may_upload_by_a_signed_link() -> None:
    """The link's headers pass the preflight; reading does not."""
    s3 = boto3.client(
        "s3", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    offered = Files(s3, "b").create_upload("d", "1", "a.png", 1)
    (rule,) = resources("AWS::S3::Bucket")["MailBucket"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == [offered["upload"]["method"]]
    asked = {name.lower() for name in offered["upload"]["headers"]}
    # A browser counts the length by itself (Fetch standard, "forbidden request-header").
    assert set(rule["AllowedHeaders"]) == asked - {"content-length"}


@pytest.mark.requirement("G4")
def test_buckets_are_private_and_encrypted() -> None:
    """No public access; TLS only."""
    for name, bucket in resources("AWS::S3::Bucket").items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["BucketEncryption"], name
    denied = [
        statement
        for policy in resources("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert len(denied) == len(resources("AWS::S3::Bucket"))


@pytest.mark.requirement("G4")
def test_the_key_lets_only_notify_and_unseal_decrypt_contacts_and_only_unseal_originals() -> None:
    """The key's administrators cannot decrypt."""
    key = resources("AWS::KMS::Key")["ContactsKey"]
    assert key["EnableKeyRotation"] is True
    opening = []
    for statement in key["KeyPolicy"]["Statement"]:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        assert not any("*" in action for action in actions)
        assert "kms:CreateGrant" not in actions  # its holder could grant Decrypt to anybody
        opening += [statement for action in actions if "Decrypt" in action or "ReEncrypt" in action]
    contacts, outgoing, originals = opening
    for statement, roles in (
        (contacts, ["notify", "unseal"]),
        (outgoing, ["notify"]),
        (originals, ["unseal"]),
    ):
        named = statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
        who = [text(arn) for arn in (named if isinstance(named, list) else [named])]
        assert [arn.rpartition(":role/deskbell-prod-")[2] for arn in who] == roles
    assert contacts["Condition"]["Null"] == {"kms:EncryptionContext:what": "true"}
    what = [s["Condition"]["StringEquals"]["kms:EncryptionContext:what"] for s in opening[1:]]
    assert what == ["outgoing", ["original", "outgoing"]]


@pytest.mark.requirement("G4")
def test_a_given_key_replaces_the_created_one() -> None:
    """With `ContactsKeyArn` no key is created; the alias is the same."""
    assert FOUNDATION["Resources"]["ContactsKey"]["Condition"] == "MakesContactsKey"
    alias = resources("AWS::KMS::Alias")["ContactsKeyAlias"]
    place = Deployment("aws", "us-east-1", "123456789012", "prod")
    assert text(alias["AliasName"]) == place.contacts_key
    assert alias["TargetKeyId"]["Fn::If"][0] == "MakesContactsKey"


def test_resource_names_are_those_that_functions_derive() -> None:
    """Every name follows from the stage."""
    place = Deployment("aws", "us-east-1", "123456789012", "prod")
    account = ("${AWS::AccountId}", "123456789012"), ("${AWS::Region}", "us-east-1")

    def named(value: Any) -> str:
        found = text(value)
        for placeholder, real in account:
            found = found.replace(placeholder, real)
        return found

    buckets = {named(b["BucketName"]) for b in resources("AWS::S3::Bucket").values()}
    assert buckets == {place.mail_bucket, place.archive_bucket}
    (table,) = resources("AWS::DynamoDB::Table").values()
    assert named(table["TableName"]) == place.table
    (machine,) = resources("AWS::StepFunctions::StateMachine").values()
    assert place.state_machine.endswith(":" + named(machine["StateMachineName"]))
    names = {named(p["Name"]) for p in resources("AWS::SSM::Parameter").values()}
    assert names == {place.parameter("settings")}
    (workgroup,) = resources("AWS::Athena::WorkGroup").values()
    assert named(workgroup["Name"]) == place.workgroup
    (database,) = resources("AWS::Glue::Database").values()
    assert named(database["DatabaseInput"]["Name"]) == place.database


def test_the_table_of_facts_has_the_columns_of_a_fact() -> None:
    (table,) = resources("AWS::Glue::Table").values()
    stored = table["TableInput"]["StorageDescriptor"]
    assert [(column["Name"], column["Type"]) for column in stored["Columns"]] == list(COLUMNS)
    assert stored["Location"] == {"Fn::Sub": f"s3://${{MailBucket}}/{FOLDER}"}


@pytest.mark.requirement("F7")
def test_every_function_has_settings_a_policy_and_log_retention() -> None:
    """In each stage."""
    functions = {"api_handler", *FUNCTIONS}
    for stage in CONFIG["stages"].values():
        assert set(stage["lambda_functions"]) == functions
    groups = {text(g["LogGroupName"]) for g in resources("AWS::Logs::LogGroup").values()}
    assert groups == {
        "/aws/lambda/deskbell-prod" + ("" if name == "api_handler" else f"-{name}")
        for name in functions
    }
    for group in resources("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.requirement("F4")
def test_the_workflow_calls_functions_that_exist_and_every_wait_ends() -> None:
    """A waiting task has a time limit and a next state."""
    included = resources("AWS::StepFunctions::StateMachine")["Closing"]
    machine, values = included["Definition"], included["DefinitionSubstitutions"]
    text_of_it = json.dumps(machine)
    for placeholder in ("Partition", "Functions"):
        assert "${" + placeholder + "}" in text_of_it
        assert placeholder in values
    for name, state in machine["States"].items():
        if state["Type"] != "Task":
            continue
        called = json.dumps(state).split("${Functions}-")[1].split('"')[0]
        assert called in FUNCTIONS, name
        if "waitForTaskToken" in state["Resource"]:
            assert state["TimeoutSecondsPath"] in {"$.wait_seconds", "$.review_seconds"}
            assert "States.Timeout" in state["Catch"][0]["ErrorEquals"]


@pytest.mark.requirement("F6", "F7")
def test_the_api_description_defines_problem_documents() -> None:
    """Each names its status."""
    from chalice.deploy.swagger import SwaggerGenerator

    from infra.deploy.gateway import EXTENSION, add_error_responses, responses

    for answer in responses().values():
        body = json.loads(answer["responseTemplates"]["application/json"])
        assert str(body["status"]) == answer["statusCode"]
        assert body["title"]
        assert body["detail"]
    before = dict(SwaggerGenerator._BASE_TEMPLATE)
    try:
        add_error_responses()
        assert SwaggerGenerator._BASE_TEMPLATE[EXTENSION] == responses()
    finally:
        SwaggerGenerator._BASE_TEMPLATE.clear()
        SwaggerGenerator._BASE_TEMPLATE.update(before)


def test_a_workbook_can_be_a_link() -> None:
    """API Gateway decodes it for a browser, while pages stay text at run time."""
    from chalice.app import Chalice

    from app import app
    from infra.deploy.gateway import let_browsers_have_files

    described = Chalice(app_name="described")
    let_browsers_have_files(described)
    assert "text/html" in described.api.binary_types
    assert "text/html" not in app.api.binary_types
