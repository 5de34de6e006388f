"""Deployments are idempotent, and the emulator has the API that Chalice describes."""

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.session import Session

from infra.deploy import domains
from infra.deploy.domains import Domain
from infra.deploy.gateway import EXTENSION, responses
from infra.local.chalice_client import LocalClient
from tests.e2e.running_system import ROOT, System

pytestmark = pytest.mark.requirement("F7")
DEPLOY = """
import sys
from pathlib import Path
from infra.deploy.steps import deploy
from infra.deploy.local_stage import Ports, aws_environment
from infra.local.up import _chalice_record, local_variant
import os
ports = Ports(*map(int, sys.argv[2:5]))
os.environ.update(aws_environment(ports))
with _chalice_record(Path(sys.argv[1])):
    print(deploy("local", print, local_variant(ports)).api_id)
"""


def inventory(system: System) -> dict[str, Any]:
    """The deployed resources by kind."""
    functions = system.aws("lambda")
    return {
        "apis": [api["id"] for api in system.aws("apigateway").get_rest_apis()["items"]],
        "functions": sorted(
            function["FunctionName"]
            for page in functions.get_paginator("list_functions").paginate()
            for function in page["Functions"]
        ),
        "mappings": sorted(
            mapping["UUID"]
            for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        ),
        "rules": [rule["Name"] for rule in system.aws("events").list_rules()["Rules"]],
        "queues": sorted(system.aws("sqs").list_queues()["QueueUrls"]),
        "secrets": sorted(
            (parameter["Name"], parameter["Version"])
            for parameter in system.aws("ssm").describe_parameters()["Parameters"]
            if parameter["Type"] == "SecureString"
        ),
    }


def deploy(system: System) -> str:
    """Run the three steps, as `deskbell deploy` does, and return what they print."""
    ports = map(str, (system.http_port, system.aws_port, system.smtp_port))
    done = subprocess.run(
        [sys.executable, "-c", DEPLOY, str(system.data), *ports],
        cwd=ROOT,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_deploying_again_changes_nothing(system: System) -> None:
    """Ids, secrets and playbooks stay."""
    before = inventory(system)
    assert len(before["apis"]) == 1
    assert len(before["mappings"]) == 3
    assert len(before["rules"]) == 4
    printed = deploy(system)
    assert inventory(system) == before
    assert printed.split()[-1] == before["apis"][0]
    assert "playbook" not in printed
    answer = system.http("GET", "/desks/standard/tickets/CS20260302001?contact=1234")
    assert answer.status == 404, answer.text


@pytest.mark.requirement("F6")
def test_the_gateway_s_own_responses_are_problem_documents(system: System) -> None:
    """The responses to a request without a token or without a route reveal nothing else."""
    for path, status in (("/agent/desks/standard/tickets", 401), ("/nothing/here", 404)):
        answer = system.http("GET", path)
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert set(answer.json) == {"title", "status", "detail"}


@pytest.mark.requirement("F6")
def test_an_unknown_address_of_a_desk_is_a_page_for_a_browser(system: System) -> None:
    """Wherever the gateway finds no route of its own, in the language of the browser."""
    browser = {"Accept": "text/html", "Accept-Language": "en"}
    for path in ("/no/such/page", "/tickets", "/tickets/CS1/none"):
        answer = system.http("GET", f"/desks/standard{path}", headers=browser)
        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert "There is nothing at this address" in answer.text


@pytest.fixture
def client(system: System, monkeypatch: pytest.MonkeyPatch) -> LocalClient:
    for name, value in (
        ("AWS_ENDPOINT_URL", system.local["aws_endpoint"]),
        ("AWS_ACCESS_KEY_ID", "000000000000"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    return LocalClient(Session())


def described(*paths: str, guarded: bool = False) -> dict[str, Any]:
    """An API description in Chalice's format."""
    operation: dict[str, Any] = {
        "x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": "arn:aws:lambda:x"}
    }
    document: dict[str, Any] = {
        "info": {"title": "other"},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "paths": {path: {"get": dict(operation)} for path in paths},
        EXTENSION: responses(),
    }
    if guarded:
        document["securityDefinitions"] = {
            "agents": {
                "name": "Authorization",
                "x-amazon-apigateway-authorizer": {
                    "providerARNs": ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/x"]
                },
            }
        }
        document["paths"][paths[0]]["get"]["security"] = [{"agents": []}]
    return document


def routes(client: LocalClient, api: str) -> dict[str, Any]:
    gateway = client._client("apigateway")
    return {
        item["path"]: {
            method: gateway.get_method(restApiId=api, resourceId=item["id"], httpMethod=method)[
                "authorizationType"
            ]
            for method in item["resourceMethods"]
        }
        for item in gateway.get_resources(restApiId=api, limit=500)["items"]
        if item.get("resourceMethods")
    }


def test_an_api_is_created_and_changed_as_described(client: LocalClient) -> None:
    """Routes are added, removed and changed; nothing of an older description is left."""
    api = client.import_rest_api(described("/a", "/a/{b}/c"), "REGIONAL")
    gateway = client._client("apigateway")
    try:
        assert routes(client, api) == {"/a": {"GET": "NONE"}, "/a/{b}/c": {"GET": "NONE"}}
        client.update_api_from_swagger(api, described("/a", "/d", guarded=True))
        assert routes(client, api) == {
            "/a": {"GET": "COGNITO_USER_POOLS"},
            "/d": {"GET": "NONE"},
        }
        client.update_api_from_swagger(api, described("/d"))
        assert routes(client, api) == {"/d": {"GET": "NONE"}}
        assert gateway.get_authorizers(restApiId=api)["items"] == []
        answer = gateway.get_gateway_response(restApiId=api, responseType="UNAUTHORIZED")
        assert answer["statusCode"] == "401"
    finally:
        gateway.delete_rest_api(restApiId=api)


def test_each_name_has_its_own_stack_and_leads_to_the_api(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for the stage, one for a desk with a base path; a new certificate changes one alone."""
    monkeypatch.setattr(domains, "boto3", SimpleNamespace(client=system.aws))
    gateway = system.aws("apigateway")
    (api,) = (found["id"] for found in gateway.get_rest_apis()["items"])
    first, second = ("arn:aws:acm:us-east-1:123456789012:certificate/" + name for name in "ab")
    whole, below = Domain("help.example.com", first), Domain("care.example.org", first, "desk")
    targets = [domains.deploy_domain("local", api, domain) for domain in (whole, below)]
    assert targets[0]["Target"] != targets[1]["Target"]
    assert domains.deploy_domain("local", api, whole) == targets[0]

    renewed = replace(below, certificate=second)
    assert domains.deploy_domain("local", api, renewed) == targets[1]
    for domain, certificate, path in ((whole, first, "(none)"), (renewed, second, "desk")):
        found = gateway.get_domain_name(domainName=domain.name)
        assert found["regionalCertificateArn"] == certificate
        assert found["endpointConfiguration"]["types"] == ["REGIONAL"]
        (mapping,) = gateway.get_base_path_mappings(domainName=domain.name)["items"]
        assert (mapping["restApiId"], mapping["stage"]) == (api, "api")
        assert mapping["basePath"] == path
